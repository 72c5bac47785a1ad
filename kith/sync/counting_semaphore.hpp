// CountingSemaphore: a count of signals: each release() adds some, each acquire() takes one, or
// waits for one.
//
//   CountingSemaphore frames("frames");
//   frames.release();                                  // in the producer
//   if (frames.acquire(Deadline::after(1s)) == LockAnswer::acquired) ...   // in the consumer
//
// It counts and does not know who took what: one who is killed after it took one has used it up. To
// lend something that must come back, take a Semaphore (kith/sync/semaphore.hpp).
//
// States       a count of 0 and more. The handle: open; closed or moved from (using it is a broken
//              contract).
// Callers      any thread of any process, also to release what another acquired; one handle may be
//              shared by threads. A forked child uses its parent's handle as a process of its own.
// A peer dies  waiting: nobody else loses a wake. Releasing: it counts or it does not; who sleeps
//              beside a count sees it within a tenth of a second. It holds nothing.
// Cost         an exchange, no system call while nobody waits (one more after the last one who
//              waited has gone). 16 bytes.
#pragma once

#include <cstdint>
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
class CountingSemaphoreState;

struct CountingSemaphoreWords {
  RealAtomics::Word<std::uint64_t> count;
  RealAtomics::Word<std::uint64_t> announced;  // see EventCount
};
static_assert(sizeof(CountingSemaphoreWords) == 16);
}  // namespace internal

// What of it lies in shared memory: a member of a struct in a Region. All zero: a count of none.
class CountingSemaphoreCell {
 public:
  CountingSemaphoreCell() noexcept = default;

 private:
  friend class CountingSemaphore;
  internal::CountingSemaphoreWords words_{};
};

template <>
struct Stamp<CountingSemaphoreCell> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'6373'6d01;
};

struct CountingSemaphoreOptions {
  // Of a named one, decided by its creator.
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class CountingSemaphore : public internal::HandleOf<internal::CountingSemaphoreState> {
 public:
  static constexpr std::uint64_t kCountMax = std::uint64_t{1} << 62;

  // One by itself, in the standard domain; opened, or created with a count of none. Throws Error.
  explicit CountingSemaphore(const std::string& name, CountingSemaphoreOptions options = {})
      : CountingSemaphore(Domain::standard(), name, options) {}
  CountingSemaphore(const Domain& domain, const std::string& name,
                    CountingSemaphoreOptions options = {});
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own. Throws
  // invalid_argument if the cell lies elsewhere, orphaned if the region has lost its name.
  CountingSemaphore(const RegionHandle& region, const CountingSemaphoreCell& cell,
                    CountingSemaphoreOptions options = {});

  // acquired, timed_out, interrupted, orphaned, damaged, forked, limit_reached.
  LockAnswer acquire(Deadline deadline) noexcept;
  LockAnswer try_acquire() noexcept { return acquire(Deadline::now()); }
  // released; limit_reached if it would count beyond kCountMax, and then nothing is changed;
  // damaged.
  LockAnswer release(std::uint32_t times = 1) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept;
  // For wait_any().
  operator Waitable() & noexcept;
};

}  // namespace kith
