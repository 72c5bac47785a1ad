// Mutex: one holder at a time among threads of any number of processes, and its death is told.
//
//   Mutex printer("printer");                          // by name, in every program
//   std::scoped_lock guard(printer);                   // throws if its last holder died in there
//
//   struct Robot { MutexCell lock; double x, y; };     // or inside your own region
//   auto robot = Region<Robot>::open_or_create(domain, "robot");
//   Mutex lock(robot, robot->lock);
//   switch (lock.acquire(Deadline::after(1s))) {
//     case LockAnswer::owner_died: repair(*robot); lock.declare_consistent(); [[fallthrough]];
//     case LockAnswer::acquired: robot->x += 1; lock.release(); break;
//     default: ...
//   }
//
//   Mutex lock(robot, robot->lock, {}, [&] { return repair(*robot); });     // or repair on its own
//
// States       free; held by a thread; inconsistent besides, from a holder's death until
//              declare_consistent(); retired, for good. The handle: open; closed or moved from
//              (using it is a broken contract).
// Callers      any thread of any process; one handle may be shared by threads. A forked child uses
//              its parent's handle as a process of its own, and holds nothing its parent held. No
//              thread may use a handle while another closes it, nor be cancelled while it waits.
// A peer dies  holding it: the next one gets it with `owner_died`; SIGKILL, exec, the end of its
//              process or of its thread, and closing the last handle while holding it are all one.
//              A stopped holder is alive, and keeps it. Waiting: nobody else loses a wake.
// Fairness     whoever comes may take a free one; one who was too late four times is let by.
// Cost         taking and releasing: two exchanges, no system call, while nobody waits. 32 bytes.
//
// The word carries the holder (kith/sync/internal/mutex_word.hpp); whether it lives, the kernel
// says (kith/member). No pointer in shared memory is followed, unlike with robust pthread mutexes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "kith/base/deadline.hpp"
#include "kith/base/shareable.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/internal/mutex_state.hpp"
#include "kith/sync/internal/repairing_handle.hpp"
#include "kith/sync/lock_answer.hpp"
#include "kith/sync/mutex_facts.hpp"
#include "kith/sync/waitable.hpp"

namespace kith {

// What of a mutex lies in shared memory: a member of a struct in a Region. All zero: free.
class MutexCell {
 public:
  MutexCell() noexcept = default;

 private:
  friend class Mutex;
  friend class GuardedBytes;
  internal::MutexWords words_{};
};

template <>
struct Stamp<MutexCell> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'6d74'7801;
};

struct MutexOptions {
  bool recursive = false;  // this handle: its holder may take it again, and gives it back as often
  // Of a named one, decided by its creator.
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class Mutex
    : public internal::RepairingHandle<internal::MutexState, &internal::MutexState::release> {
  using Handle = internal::RepairingHandle<internal::MutexState, &internal::MutexState::release>;

 public:
  // A mutex by itself, in the standard domain; opened, or created. Throws Error.
  explicit Mutex(const std::string& name, MutexOptions options = {})
      : Mutex(Domain::standard(), name, options) {}
  Mutex(const Domain& domain, const std::string& name, MutexOptions options = {})
      : Handle(internal::MutexState::open(domain, name, options)) {}
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own: it may
  // outlive the region's. Throws invalid_argument if the cell lies elsewhere, orphaned if the
  // region has lost its name.
  Mutex(const RegionHandle& region, const MutexCell& cell, MutexOptions options = {})
      : Handle(internal::MutexState::open(region.mapped(), cell.words_, options)) {}

  // With what is to be done when a holder died: `repair` is called with the lock held, and says
  // whether all is well again. If it returns false, the mutex is retired; if it throws, it is left
  // to the next one as it is.
  template <class Function>
  Mutex(const Domain& domain, const std::string& name, MutexOptions options, Function repair)
      : Mutex(domain, name, options) {
    repair_by(std::move(repair));
  }
  template <class Function>
  Mutex(const RegionHandle& region, const MutexCell& cell, MutexOptions options, Function repair)
      : Mutex(region, cell, options) {
    repair_by(std::move(repair));
  }

  // ---- our verbs answer, and never throw

  // acquired, owner_died, or why not: timed_out, interrupted, would_deadlock, retired ...
  LockAnswer acquire(Deadline deadline) noexcept { return state().acquire(deadline); }
  LockAnswer try_acquire() noexcept { return state().acquire(Deadline::now()); }
  // released; not_owner and nothing is changed; retired.
  LockAnswer release() noexcept { return state().release(); }
  // By its holder, once what it guards is whole. owner_died: now it is; acquired: it was.
  LockAnswer declare_consistent() noexcept { return state().declare_consistent(); }
  // By its holder, if that cannot be made whole: nobody gets it any more.
  LockAnswer retire() noexcept { return state().retire(); }
  // acquired or owner_died if the calling thread holds it, else not_owner or retired.
  [[nodiscard]] LockAnswer check() noexcept { return state().check(); }

  // ---- the standard's verbs, for its guards; they speak by Error

  // Waits as long as its holder lives. Throws owner_died over a dead holder, unless this handle can
  // repair, and then does not hold it; would_deadlock, retired, orphaned ...
  void lock() { settle(state().acquire(Deadline::never())); }
  [[nodiscard]] bool try_lock() { return settle(state().acquire(Deadline::now())); }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> wait) {
    return settle(state().acquire(Deadline::after(wait)));
  }
  template <class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Deadline::Clock, Duration> end) {
    return settle(state().acquire(Deadline::at(end)));
  }
  // Throws not_owner; nothing is changed then.
  void unlock() { settle_release(state().release()); }

  // For wait_any(), which calls no repair function: it answers as acquire() does.
  operator Waitable() & noexcept { return Waitable(state()); }

  [[nodiscard]] MutexFacts facts() const { return state().facts(); }
};

}  // namespace kith
