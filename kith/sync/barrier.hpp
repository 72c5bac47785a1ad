// Barrier: parties in any number of processes that wait until all of them have come so far, again
// and again; and not for the dead.
//
//   Barrier step("simulation step", 4);                // in each of four programs
//   for (;;) {
//     compute();
//     if (step.arrive_and_wait(Deadline::after(1s)) == AwaitAnswer::party_died) ...
//   }
//
//   struct Shared { BarrierCell<4> step; };            // or inside your own region
//   Barrier step(region, region->step);
//
// A handle is a party. All that were agreed on are waited for, also those that have not come yet;
// when none of them lives any more, whoever opens it next begins anew.
//
// States       of a party: has not arrived, has arrived. Of the handle: a party; left (leave());
//              closed or moved from (using it is a broken contract).
// Callers      one thread at a time for each handle. A forked child is no party, and opens its own.
// A peer dies  the others go on without it and are told `party_died`, in each phase until somebody
//              opens the barrier in its place. One that is stopped is waited for. A party that
//              closes its handle or leaves is not waited for, and nobody is told.
// Cost         the last to arrive looks at all parties and makes one system call; 16 bytes, and 16
//              a party.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/fingerprint.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/await_answer.hpp"
#include "kith/sync/internal/barrier_core.hpp"
#include "kith/sync/internal/handle_of.hpp"

namespace kith {

namespace internal {
class BarrierState;

struct BarrierHead {
  BarrierWords words;
  // Of a named one: identity of the member table that owners' ids point into; 0 before the first.
  RealAtomics::Word<std::uint64_t> member_table;
};
static_assert(sizeof(BarrierHead) == 24);
}  // namespace internal

inline constexpr std::uint32_t kPartiesMax = 4096;

// What of a barrier lies in shared memory: a member of a struct in a Region. All zero: nobody has
// come.
template <std::uint32_t kParties>
class BarrierCell {
  static_assert(kParties >= 1 && kParties <= kPartiesMax);

 public:
  BarrierCell() noexcept = default;

 private:
  friend class Barrier;
  internal::BarrierHead head_{};
  std::array<internal::BarrierSeat, kParties> seats_{};
};

template <std::uint32_t kParties>
struct Stamp<BarrierCell<kParties>> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'6272'0000 + kParties;
};

struct BarrierOptions {
  // Of a named one, decided by its creator.
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class Barrier : public internal::HandleOf<internal::BarrierState> {
 public:
  // One by itself, in the standard domain; opened, or created. Throws Error; wrong_type if it is
  // there for another number of parties, limit_reached if that many live.
  Barrier(const std::string& name, std::uint32_t parties, BarrierOptions options = {})
      : Barrier(Domain::standard(), name, parties, options) {}
  Barrier(const Domain& domain, const std::string& name, std::uint32_t parties,
          BarrierOptions options = {});
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own. Throws
  // limit_reached, invalid_argument if the cell lies elsewhere, orphaned if the region has lost its
  // name.
  template <std::uint32_t kParties>
  Barrier(const RegionHandle& region, const BarrierCell<kParties>& cell)
      : Barrier(region, cell.head_, std::span(cell.seats_)) {}

  // happened; party_died: all who live have arrived; timed_out: this party has arrived, call it
  // again to wait on; not_owner: it has left, or is a forked child; orphaned, damaged,
  // limit_reached.
  AwaitAnswer arrive_and_wait(Deadline deadline) noexcept;
  // The others do not wait for this party any more.
  void leave() noexcept;

  [[nodiscard]] std::uint32_t parties() const noexcept;
  // How many phases are over.
  [[nodiscard]] std::uint64_t phase() const noexcept;

 private:
  Barrier(const RegionHandle& region, const internal::BarrierHead& head,
          std::span<const internal::BarrierSeat> seats);
};

}  // namespace kith
