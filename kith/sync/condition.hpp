// Condition: waiting until what a mutex guards is as one wants it, for threads of any number of
// processes.
//
//   struct Shared { MutexCell lock; ConditionCell filled; int count; };
//   Mutex lock(region, region->lock);
//   Condition filled(region, region->filled);
//   std::unique_lock guard(lock);
//   if (filled.wait(guard, Deadline::after(1s), [&] { return region->count > 0; }) ==
//       AwaitAnswer::happened) { ... }
//   ...
//   region->count += 1; filled.notify_one();            // who changed it, with the mutex or after
//
// States       none: it remembers nothing, so a notification finds only those who wait already.
//              The handle: open; closed or moved from (using it is a broken contract).
// Callers      wait(): who holds the mutex, once; it is given up while waiting, and taken again
//              before the deadline, or 10 ms after it at the latest, or not at all. notify:
//              anybody. All who wait at a time use the same mutex, of whatever form: Mutex, or that
//              of a SharedMutex. A forked child uses its parent's handle as a process of its own.
// A peer dies  waiting: nobody else loses a wake (glibc's hangs for good there). Notifying: who was
//              not woken looks for itself within a tenth of a second. Holding the mutex: who waits
//              is told `owner_died` and has it.
// Cost         notifying: a load while nobody waits (one system call more after the last one who
//              waited has gone); no mutex is needed for it. 8 bytes.
//
// As with every condition variable, a wait may end for no reason: look again, or pass what to look
// at.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/fingerprint.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/await_answer.hpp"
#include "kith/sync/internal/handle_of.hpp"
#include "kith/sync/mutex.hpp"

namespace kith {

namespace internal {
class ConditionState;

struct ConditionWords {
  RealAtomics::Word<std::uint64_t> announced;  // see EventCount
};
}  // namespace internal

// What of a condition lies in shared memory: a member of a struct in a Region. All zero at first.
class ConditionCell {
 public:
  ConditionCell() noexcept = default;

 private:
  friend class Condition;
  internal::ConditionWords words_{};
};

template <>
struct Stamp<ConditionCell> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'636e'6401;
};

struct ConditionOptions {
  // Of a named one, decided by its creator.
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class Condition : public internal::HandleOf<internal::ConditionState> {
 public:
  // One by itself, in the standard domain; opened, or created. Throws Error.
  explicit Condition(const std::string& name, ConditionOptions options = {})
      : Condition(Domain::standard(), name, options) {}
  Condition(const Domain& domain, const std::string& name, ConditionOptions options = {});
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own. Throws
  // invalid_argument if the cell lies elsewhere, orphaned if the region has lost its name.
  Condition(const RegionHandle& region, const ConditionCell& cell, ConditionOptions options = {});

  // Who waits for long enough to need waking: one, or all.
  void notify_one() noexcept;
  void notify_all() noexcept;

  // happened, timed_out, interrupted, owner_died: the mutex is held again (holds_mutex()); of a
  // dead holder one is told, also if the mutex has a repair function. All others: it is not held.
  // mutex_busy: its holder kept it beyond the deadline; not_owner: it was not held, or more than
  // once. A signal ends the wait for a notification; that for the mutex goes on.
  AwaitAnswer wait(Mutex& mutex, Deadline deadline) noexcept;

  // With a std::unique_lock or one like it, which owns the mutex afterwards if it is held.
  template <class Guard>
  requires std::is_same_v<typename Guard::mutex_type, Mutex> AwaitAnswer wait(Guard& guard,
                                                                              Deadline deadline) {
    if (!guard.owns_lock()) return AwaitAnswer::not_owner;
    const AwaitAnswer answer = wait(*guard.mutex(), deadline);
    if (!holds_mutex(answer)) static_cast<void>(guard.release());
    return answer;
  }

  // Until `is_so()`, which is called with the mutex held; timed_out: and it still is not so.
  template <class MutexOrGuard, class Predicate>
  AwaitAnswer wait(MutexOrGuard& held, Deadline deadline, Predicate is_so) {
    while (!is_so()) {
      const AwaitAnswer answer = wait(held, deadline);
      if (answer == AwaitAnswer::happened) continue;
      const bool over = answer == AwaitAnswer::timed_out || answer == AwaitAnswer::interrupted;
      return over && is_so() ? AwaitAnswer::happened : answer;
    }
    return AwaitAnswer::happened;
  }
};

}  // namespace kith
