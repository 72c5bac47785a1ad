// A whole latest-value channel on a modelled kernel: the library's own writer and readers, who
// sleep until there is something new.
//
// Demanded: every reader comes to the last value; values never go backwards; nobody sleeps through
// a value until time passes, unless somebody was killed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kith/channel/latest_bytes.hpp"

#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

struct ChannelSetting {
  std::uint32_t readers = 1;
  std::uint32_t writes = 2;
};

class ChannelWorld : public testkit::explore::World {
 public:
  explicit ChannelWorld(const ChannelSetting& setting);
  ~ChannelWorld() override;

  void at_end() override;
  void died(std::size_t /*process*/) override { somebody_died_ = true; }

 private:
  [[nodiscard]] static Domain domain();
  static LatestBytesWriter new_writer();
  static LatestBytesReader new_reader();
  void write(LatestBytesWriter& writer);
  void read(LatestBytesReader& reader);

  ChannelSetting setting_;
  testkit::explore::Kernel kernel_;
  std::int64_t began_ = 0;
  bool somebody_died_ = false;
  std::optional<LatestBytesWriter> writer_;
  std::vector<LatestBytesReader> readers_;
};

}  // namespace kith::explored
