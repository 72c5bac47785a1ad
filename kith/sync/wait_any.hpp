// wait_any: waiting for several objects at once, until one of them can be had.
//
//   Event stop("stop"); Semaphore jobs("jobs", 4); Mutex printer("printer");
//   const AnyAnswer any = wait_any(Deadline::after(1s), stop, jobs, printer);
//   if (any.took(0)) return;                 // the event has happened
//   if (any.took(1)) ...; jobs.release();    // any.answer: owner_died, if its last holder died
//
// Who knows WaitForMultipleObjects, Go's select or asyncio.wait(FIRST_COMPLETED) knows it.
//
// States       one object is taken, exactly as its own wait() or acquire() would: an automatic
//              event is unset, a permit or a signal is taken, a mutex is held. It is the first, in
//              the order of the arguments, that can be had when the thread looks. The others stay
//              as they were. Events, semaphores of both kinds and mutexes can be waited for, in any
//              mix, each more than once. A barrier or a condition cannot: to wait for it is to do
//              something, to arrive or to let a mutex go, which could not be taken back. Nor can a
//              RwLock: its writer closes the gate to readers while it waits for them to leave.
// Callers      any thread, as for each of the objects; at most 64 of them.
// A peer dies  a holder: its mutex or permit comes with `owner_died`. One who waits: nobody else
//              loses a wake; nor does anybody if this thread is woken for one object and takes
//              another: it passes the wake on.
// Cost         each object is looked at once before anybody is told that somebody waits, and then
//              as in its own wait; one system call for a sleep (futex_waitv, Linux 5.16). No
//              allocation; 16 KiB of stack. Before 5.16, a sleeper looks at all words once in a
//              millisecond, and may hear of a holder's death a tenth of a second late; as may who
//              waits where threads of its process wait for more than 64 holders in all.
//
// A starving mutex keeps itself for its waiter (kith/sync/mutex.hpp) for a millisecond, also where
// that one takes another object meanwhile. Tools show what is waited for first, in each domain, and
// take it for no part of a deadlock. A signal handler that was installed with SA_RESTART does not
// end a wait for several objects, even if the deadline is interruptible: the kernel goes on with
// it. A mutex that is answered `damaged` is held all the same, until its handle closes.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>

#include "kith/base/deadline.hpp"
#include "kith/sync/lock_answer.hpp"
#include "kith/sync/waitable.hpp"

namespace kith {

inline constexpr std::size_t kWaitablesMax = 64;

struct AnyAnswer {
  static constexpr std::size_t kNone = ~std::size_t{0};

  // Of the object that answered, among the arguments; kNone: none did, and the wait is over.
  std::size_t index = kNone;
  // What its own wait would have answered; of an event that has happened, acquired. Anything but
  // acquired and owner_died: nothing was taken. Without an object: timed_out, interrupted.
  LockAnswer answer = LockAnswer::timed_out;

  [[nodiscard]] constexpr bool took(std::size_t which) const noexcept {
    return index == which && holds(answer);
  }
  friend constexpr bool operator==(const AnyAnswer&, const AnyAnswer&) noexcept = default;
};

namespace internal {
// Of 1 to kWaitablesMax.
[[nodiscard]] AnyAnswer wait_any_of(Deadline deadline, std::span<const Waitable> objects) noexcept;
}  // namespace internal

// One that cannot be had answers for all only while no other can: would_deadlock (a mutex that the
// caller holds), retired, orphaned, damaged, forked, limit_reached; the first of them does.
template <class... Objects>
requires(std::convertible_to<Objects&, Waitable>&&...) AnyAnswer
    wait_any(Deadline deadline, Objects&... objects)
noexcept {
  static_assert(sizeof...(objects) > 0, "waiting for nothing would never end");
  static_assert(sizeof...(objects) <= kWaitablesMax, "more objects than can be waited for at once");
  const std::array<Waitable, sizeof...(objects)> all{static_cast<Waitable>(objects)...};
  return internal::wait_any_of(deadline, all);
}

// For a number of them that is known when the program runs. None is a broken contract; more than
// kWaitablesMax: throws Error, invalid_argument.
[[nodiscard]] AnyAnswer wait_any(Deadline deadline, std::span<const Waitable> objects);

}  // namespace kith
