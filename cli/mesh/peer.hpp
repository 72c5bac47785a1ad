// Peer: another process of the mesh, as this one reads it.
//
// It always holds the value it read last, in place, until it reads the next one: so it can read it
// again after a restart, and can see that nobody changed it meanwhile.
#pragma once

#include <cstdint>

#include "kith/channel/latest_bytes.hpp"
#include "kith/region/domain.hpp"

#include "cli/mesh/control.hpp"
#include "cli/mesh/options.hpp"

namespace kith::mesh {

class Peer {
 public:
  // Opens the channel of process `other` as reader of process `self`, creating it if it is not
  // there. Says what an earlier life of `self` still holds. Throws Error.
  Peer(const Domain& domain, const Options& options, std::uint32_t self, std::uint32_t other,
       Cell& books);

  // Reads the newest value, checks every byte of it and says it.
  void read();
  void let_go() noexcept { held_.release(); }

 private:
  // True if the value that is held is what the channel's numbers say.
  bool is_held_whole();
  void report_torn(const char* what);
  void take_held();

  std::uint32_t self_;
  std::uint32_t other_;
  bool quiet_;
  Cell* books_;
  std::uint64_t count_ = 0;  // of the last value read
  LatestBytesReader reader_;
  PinnedBytes held_;  // after the reader, so that it ends first
};

}  // namespace kith::mesh
