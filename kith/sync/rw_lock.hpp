// RwLock: many readers or one writer, among threads of any number of processes, and the death of
// either is nobody else's end.
//
//   RwLock prices("prices");                           // by name, in every program
//   { const std::shared_lock look(prices); ... }       // beside other readers
//   { const std::scoped_lock change(prices); ... }     // alone; throws if a writer died in there
//
//   struct Robot { RwLockCell lock; double x, y; };    // or inside your own region
//   auto robot = Region<Robot>::open_or_create(domain, "robot");
//   RwLock lock(robot, robot->lock);
//   switch (lock.acquire_shared(Deadline::after(1s))) {
//     case LockAnswer::owner_died:                     // alone, to repair it
//       repair(*robot);
//       lock.declare_consistent();
//       lock.downgrade();
//       [[fallthrough]];
//     case LockAnswer::acquired: use(*robot); lock.release(); break;
//     default: ...
//   }
//
// States       free; read by threads; held by one for writing, which first waits until all who read
//              are gone; inconsistent besides, from a writer's death until declare_consistent();
//              retired, for good. The handle: open; closed or moved from (using it is a broken
//              contract).
// Callers      any thread of any process; one handle may be shared by threads. Who reads may read
//              once more; who writes may do neither again. A forked child uses its parent's handle
//              as a process of its own, and holds nothing its parent held. No thread may use a
//              handle while another closes it, nor be cancelled while it waits.
// A peer dies  reading: it does not read any more; nobody is told. Writing: the next one, also if
//              it comes to read, gets it alone and with `owner_died`. Waiting, also for readers to
//              go: nobody is told. SIGKILL, exec, the end of its process or of its thread, and
//              closing the last handle are all one. A stopped holder is alive, and keeps it.
// Fairness     once a writer waits, new readers wait behind it. Among writers as Mutex.
// Limits       a thread reads 10 locks at once, of the 1024 threads with locks that a process had
//              first; more is `limit_reached`.
// Cost         reading: two exchanges on a line of the thread's own, no system call and nothing
//              that other readers write, while nobody writes. Writing: as Mutex, and a look at the
//              lines of all processes that ever opened the lock and still live. 128 bytes.
//
// Not for      what is written as often as it is read, or held for less than 100 ns: a Mutex is as
//              good and simpler. For the newest of a series of values: kith/channel/latest.hpp.
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
#include "kith/sync/internal/repairing_handle.hpp"
#include "kith/sync/internal/rw_lock_state.hpp"
#include "kith/sync/lock_answer.hpp"
#include "kith/sync/rw_lock_facts.hpp"

namespace kith {

// What of a read-write lock lies in shared memory: a member of a struct in a Region. All zero is
// free.
class RwLockCell {
 public:
  RwLockCell() noexcept = default;

 private:
  friend class RwLock;
  internal::RwLockWords words_{};
};

template <>
struct Stamp<RwLockCell> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'7277'6c01;
};

// Of a named one, decided by its creator.
struct RwLockOptions {
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class RwLock : public internal::RepairingHandle<internal::RwLockState,
                                                &internal::RwLockState::release_exclusive> {
  using Handle =
      internal::RepairingHandle<internal::RwLockState, &internal::RwLockState::release_exclusive>;

 public:
  // A lock by itself, in the standard domain; opened, or created. Throws Error.
  explicit RwLock(const std::string& name, RwLockOptions options = {})
      : RwLock(Domain::standard(), name, options) {}
  RwLock(const Domain& domain, const std::string& name, RwLockOptions options = {})
      : Handle(internal::RwLockState::open(domain, name, options)) {}
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own: it may
  // outlive the region's. Throws invalid_argument if the cell lies elsewhere, orphaned if the
  // region has lost its name.
  RwLock(const RegionHandle& region, const RwLockCell& cell)
      : Handle(internal::RwLockState::open(region.mapped(), cell.words_)) {}

  // With what is to be done when a writer died: `repair` is called with the lock held for writing,
  // by who came to read as well, and says whether all is well again. If it returns false, the lock
  // is retired; if it throws, it is left to the next one as it is.
  template <class Function>
  RwLock(const Domain& domain, const std::string& name, RwLockOptions options, Function repair)
      : RwLock(domain, name, options) {
    repair_by(std::move(repair));
  }
  template <class Function>
  RwLock(const RegionHandle& region, const RwLockCell& cell, Function repair)
      : RwLock(region, cell) {
    repair_by(std::move(repair));
  }

  // ---- our verbs answer, and never throw

  // For reading. acquired; owner_died: held for writing, because a writer died; or why not:
  // timed_out, would_deadlock (this thread writes), retired, limit_reached, orphaned ...
  LockAnswer acquire_shared(Deadline deadline) noexcept { return state().acquire_shared(deadline); }
  LockAnswer try_acquire_shared() noexcept { return state().acquire_shared(Deadline::now()); }
  // For writing. As Mutex; would_deadlock: this thread reads or writes already.
  LockAnswer acquire(Deadline deadline) noexcept { return state().acquire(deadline); }
  LockAnswer try_acquire() noexcept { return state().acquire(Deadline::now()); }
  // Whichever this thread has. released; not_owner and nothing is changed; retired.
  LockAnswer release() noexcept { return state().release(); }

  // From reading to writing, with nobody writing in between: acquired, once the other readers are
  // gone. Else it still reads: timed_out; would_deadlock: another one is about to write, and waits
  // for it, or it reads more than once; not_owner; retired.
  LockAnswer upgrade(Deadline deadline) noexcept { return state().upgrade(deadline); }
  // From writing to reading, likewise: acquired. Else it still writes: owner_died: what it guards
  // has to be declared consistent first; limit_reached; not_owner.
  LockAnswer downgrade() noexcept { return state().downgrade(); }

  // By its writer, once what it guards is whole. owner_died: now it is; acquired: it was.
  LockAnswer declare_consistent() noexcept { return state().declare_consistent(); }
  // By its writer, if that cannot be made whole: nobody gets it any more.
  LockAnswer retire() noexcept { return state().retire(); }
  // acquired or owner_died if the calling thread holds it for writing, else not_owner or retired.
  [[nodiscard]] LockAnswer check() noexcept { return state().check(); }
  // The calling thread reads it.
  [[nodiscard]] bool is_shared() noexcept { return state().is_shared(); }

  // ---- the standard's verbs, for its guards; they speak by Error

  // Waits as long as others hold it and live. Throws owner_died over a dead writer, unless this
  // handle can repair, and then does not hold it; would_deadlock, retired, orphaned ...
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
  // Throws not_owner, also to who reads; nothing is changed then.
  void unlock() { settle_release(state().release_exclusive()); }

  // Likewise for reading. Over a dead writer, the repair is made while writing, and then read.
  void lock_shared() { settle_shared(state().acquire_shared(Deadline::never())); }
  [[nodiscard]] bool try_lock_shared() {
    return settle_shared(state().acquire_shared(Deadline::now()));
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_shared_for(std::chrono::duration<Rep, Period> wait) {
    return settle_shared(state().acquire_shared(Deadline::after(wait)));
  }
  template <class Duration>
  [[nodiscard]] bool try_lock_shared_until(std::chrono::time_point<Deadline::Clock, Duration> end) {
    return settle_shared(state().acquire_shared(Deadline::at(end)));
  }
  // Throws not_owner, also to who writes; nothing is changed then.
  void unlock_shared() { settle_release(state().release_shared()); }

  // Looks at the lines of all processes that opened it: for people.
  [[nodiscard]] RwLockFacts facts() const { return state().facts(); }

 private:
  bool settle_shared(LockAnswer answer) {
    if (answer == LockAnswer::acquired) [[likely]]
      return true;
    return settle_shared_slowly(answer);
  }
  bool settle_shared_slowly(LockAnswer answer);
};

}  // namespace kith
