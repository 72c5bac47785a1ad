// Semaphore: a number of permits among threads of any number of processes; those that the dead held
// come back.
//
//   Semaphore licences("licences", 4);                 // by name, in every program
//   if (holds(licences.acquire(Deadline::after(1s)))) {
//     ...; licences.release();
//   }
//
//   struct Shared { SemaphoreCell<4> licences; };      // or inside your own region
//   Semaphore licences(region, region->licences);
//
// A process holds permits, any number of them; any of its threads may give them back. For signals
// that one counts and another uses up, take a CountingSemaphore (kith/sync/counting_semaphore.hpp).
//
// States       each permit: free; held by a process; free since its holder died, until it is taken.
//              The handle: open; closed or moved from (using it is a broken contract).
// Callers      any thread of any process; one handle may be shared by threads. A forked child uses
//              its parent's handle as a process of its own, and holds nothing its parent held. No
//              thread may use a handle while another closes it.
// A peer dies  holding some: each comes back once, at once, and who takes it is told `owner_died`:
//              it holds it, and need not declare anything. A stopped holder is alive, and keeps it.
//              Closing the last handle in a process while it holds some is the same. Waiting:
//              nobody else loses a wake.
// Cost         an exchange, no system call while nobody waits (one more after the last one who
//              waited has gone); a look at each permit, so keep them few. 16 bytes and 8 a permit.
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
#include "kith/sync/internal/handle_of.hpp"
#include "kith/sync/lock_answer.hpp"
#include "kith/sync/waitable.hpp"

namespace kith {

namespace internal {
class SemaphoreState;

struct SemaphoreWords {
  RealAtomics::Word<std::uint64_t> announced;  // see EventCount
  // Of a named one: identity of the member table that owners' ids point into; 0 before the first.
  RealAtomics::Word<std::uint64_t> member_table;
};
static_assert(sizeof(SemaphoreWords) == 16);
}  // namespace internal

inline constexpr std::uint32_t kPermitsMax = 4096;

// What of a semaphore lies in shared memory: a member of a struct in a Region. All zero: all free.
template <std::uint32_t kPermits>
class SemaphoreCell {
  static_assert(kPermits >= 1 && kPermits <= kPermitsMax);

 public:
  SemaphoreCell() noexcept = default;

 private:
  friend class Semaphore;
  internal::SemaphoreWords words_{};
  std::array<RealAtomics::Word<std::uint64_t>, kPermits> permits_{};
};

template <std::uint32_t kPermits>
struct Stamp<SemaphoreCell<kPermits>> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'736d'0000 + kPermits;
};

struct SemaphoreOptions {
  // Of a named one, decided by its creator.
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class Semaphore : public internal::HandleOf<internal::SemaphoreState> {
 public:
  // One by itself, in the standard domain; opened, or created. Throws Error; wrong_type if it is
  // there with another number of permits, invalid_argument beyond kPermitsMax.
  Semaphore(const std::string& name, std::uint32_t permits, SemaphoreOptions options = {})
      : Semaphore(Domain::standard(), name, permits, options) {}
  Semaphore(const Domain& domain, const std::string& name, std::uint32_t permits,
            SemaphoreOptions options = {});
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own. Throws
  // invalid_argument if the cell lies elsewhere, orphaned if the region has lost its name.
  template <std::uint32_t kPermits>
  Semaphore(const RegionHandle& region, const SemaphoreCell<kPermits>& cell)
      : Semaphore(region, cell.words_, std::span(cell.permits_)) {}

  // acquired; owner_died: it is yours, and the one who held it died; timed_out, interrupted,
  // orphaned, damaged, forked, limit_reached.
  LockAnswer acquire(Deadline deadline) noexcept;
  LockAnswer try_acquire() noexcept { return acquire(Deadline::now()); }
  // released; not_owner: this process holds none.
  LockAnswer release() noexcept;

  [[nodiscard]] std::uint32_t permits() const noexcept;
  // Held now, by the living or by dead ones that nobody has noticed yet.
  [[nodiscard]] std::uint32_t held() const noexcept;
  // For wait_any().
  operator Waitable() & noexcept;

 private:
  Semaphore(const RegionHandle& region, const internal::SemaphoreWords& words,
            std::span<const RealAtomics::Word<std::uint64_t>> permits);
};

}  // namespace kith
