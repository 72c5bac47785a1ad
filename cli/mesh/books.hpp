// Books: what a run of the mesh did, and whether anything was torn, went backwards or leaked.
#pragma once

#include <cstdint>
#include <vector>

#include "kith/region/domain.hpp"

#include "cli/mesh/control.hpp"

namespace kith::mesh {

struct Books {
  std::uint64_t kills = 0;
  std::uint64_t restarts = 0;
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;
  std::uint64_t torn = 0;
  std::uint64_t backwards = 0;
  std::uint64_t leaked = 0;

  [[nodiscard]] bool balance() const noexcept { return torn == 0 && backwards == 0 && leaked == 0; }
};

// The tallies of all processes.
[[nodiscard]] Books sum_up(const Control& control, std::uint32_t processes);

// Slots that are pinned though no role can account for them, in all channels. `runs[i]`: process i
// runs, and has parked: it holds nothing in the channels it has opened. In all other cases its
// named role may keep one value.
[[nodiscard]] std::uint64_t count_leaked_slots(const Domain& domain, const Control& control,
                                               const std::vector<bool>& runs);

void say_books(const Books& books, std::uint32_t processes, double seconds);
// The same as a JSON document on standard output.
void print_books(const Books& books, std::uint32_t processes, double seconds,
                 std::uint64_t failures, bool fine);

}  // namespace kith::mesh
