#include "tests/hostile/wait_operations.hpp"

#include <chrono>
#include <memory>

#include "kith/sync/wait_any.hpp"

namespace kith::hostile {
namespace {

using namespace std::chrono_literals;
using Byte = std::uint8_t;

Deadline deadline_of(Byte argument) {
  return argument % 2 == 0 ? Deadline::now() : Deadline::after(100us);
}

AwaitAnswer valid(AwaitAnswer answer) {
  require(to_string(answer) != "?", "an answer of a wait is none");
  return answer;
}
LockAnswer valid(LockAnswer answer) {
  require(to_string(answer) != "?", "an answer of a semaphore is none");
  require(answer != LockAnswer::would_deadlock && answer != LockAnswer::retired,
          "a semaphore answers what it cannot");
  return answer;
}

void use(Semaphore& permits, Byte argument, Books& books) {
  const LockAnswer answer = valid(permits.acquire(deadline_of(argument)));
  if (holds(answer)) ++books.locks;
  if (answer == LockAnswer::damaged) ++books.damaged;
  require(permits.held() <= permits.permits(), "more are held than there are");
  require(!holds(valid(permits.release())), "release answers what it cannot");
}

void use(Barrier& step, Byte argument, Books& books) {
  const AwaitAnswer answer = valid(step.arrive_and_wait(deadline_of(argument)));
  require(answer != AwaitAnswer::owner_died, "a barrier answers what it cannot");
  if (answer == AwaitAnswer::happened || answer == AwaitAnswer::party_died) ++books.locks;
  (void)step.phase();
  if (argument > 200) step.leave();
}

void use_several(Waiters& all, Byte argument, Books& books) {
  const AnyAnswer any =
      wait_any(deadline_of(argument), all.signals, all.automatic, all.permits, all.lock);
  require(to_string(any.answer) != "?", "an answer of a wait for several is none");
  require(any.index < 4 || any.index == AnyAnswer::kNone, "an object answers that was not asked");
  require(holds(any.answer) == (any.took(0) || any.took(1) || any.took(2) || any.took(3)),
          "it was taken, and nobody says what");
  if (any.took(2)) ++books.locks;
  if (any.answer == LockAnswer::damaged) ++books.damaged;
  if (any.took(3)) (void)all.lock.release();
  if (any.took(2)) (void)all.permits.release();
}

}  // namespace

void open_waits(Actors& actors, Byte) {
  actors.waiters.reset();
  const auto region = Region<Waits>::open(actors.domain(), kObject);
  actors.waiters = std::make_unique<Waiters>(region);
}

void use_events(Actors& actors, Byte argument) {
  if (!actors.waiters) return;
  for (Event* event : {&actors.waiters->manual, &actors.waiters->automatic}) {
    (void)valid(event->wait(deadline_of(argument)));
    event->set();
    (void)valid(event->wait(Deadline::now()));
    (void)event->reset();
    (void)event->is_set();
  }
}

void use_signals(Actors& actors, Byte argument) {
  if (!actors.waiters) return;
  CountingSemaphore& signals = actors.waiters->signals;
  (void)valid(signals.release(1u + argument % 4u));
  (void)valid(signals.acquire(deadline_of(argument)));
  use_several(*actors.waiters, argument, actors.books());
  require(signals.count() <= CountingSemaphore::kCountMax, "it counts beyond its limit");
}

void use_condition(Actors& actors, Byte argument) {
  if (!actors.waiters) return;
  Mutex& lock = actors.waiters->lock;
  Condition& changed = actors.waiters->changed;
  if (!holds(lock.acquire(deadline_of(argument)))) return;
  changed.notify_one();
  const AwaitAnswer answer = valid(changed.wait(lock, deadline_of(argument)));
  require(answer != AwaitAnswer::party_died, "a condition answers what it cannot");
  changed.notify_all();
  (void)lock.release();
}

void open_permits(Actors& actors, Byte) {
  actors.permits.reset();
  actors.permits = std::make_unique<Semaphore>(actors.domain(), kObject, kPermits);
}

void use_permits(Actors& actors, Byte argument) {
  if (actors.waiters) use(actors.waiters->permits, argument, actors.books());
  if (actors.permits) use(*actors.permits, argument, actors.books());
}

void use_barrier(Actors& actors, Byte argument) {
  if (actors.waiters) use(actors.waiters->step, argument, actors.books());
  for (const auto& party : actors.parties) {
    if (party) use(*party, argument, actors.books());
  }
}

void close_waits(Actors& actors, Byte) {
  actors.waiters.reset();
  actors.permits.reset();
}

}  // namespace kith::hostile
