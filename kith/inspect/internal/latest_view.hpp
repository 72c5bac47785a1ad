// A latest-value channel as bytes to read; where they lie says channel/internal/latest_channel.hpp.
#pragma once

#include <optional>
#include <vector>

#include "kith/channel/internal/latest_shape.hpp"
#include "kith/inspect/internal/look.hpp"
#include "kith/inspect/object.hpp"

namespace kith::internal {

// A channel's own file, and the further ones of a channel with guests, where they may be read.
class LatestView {
 public:
  // Throws what Look does. Of another kind of object it has nothing to tell.
  LatestView(const os::Descriptor& directory, const Look& own);

  // Roles that are not free, and what they pin. Whether a member lives is not filled in.
  [[nodiscard]] std::vector<RoleFacts> roles() const;
  // Size and age of the newest value, and what the geometry says. The books are left out.
  [[nodiscard]] std::optional<LatestCounters> counters() const;

 private:
  void add_readers(std::vector<RoleFacts>& roles, bool guests) const;
  [[nodiscard]] std::optional<LatestSlot> slot_at(std::uint64_t word) const;

  const Look& own_;
  std::optional<LatestShape> shape_;
  std::optional<Look> data_;   // what guests read
  std::optional<Look> seats_;  // where guests say what they read
};

}  // namespace kith::internal
