// Owners: who may own words in one object, and who of them lives. Members are owners by their place
// in the domain's table; guests, who have no place there, by the seat they sit on.
#pragma once

#include <cstdint>
#include <string>

#include "kith/member/member_id.hpp"

namespace kith::internal {

class Owners {
 public:
  virtual ~Owners() = default;

  // This process's own word.
  [[nodiscard]] virtual std::uint64_t word() const noexcept = 0;
  [[nodiscard]] virtual Liveness liveness(MemberId id) const noexcept = 0;
  // "writer, process 4711", for errors.
  [[nodiscard]] virtual std::string describe(MemberId id) const = 0;

 protected:
  Owners() = default;
  Owners(const Owners&) = default;
  Owners& operator=(const Owners&) = default;
};

}  // namespace kith::internal
