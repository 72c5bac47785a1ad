#include "kith/sync/wait_any.hpp"

#include <cerrno>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/semaphore.hpp"

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"
#include "tests/support/without_call.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;
using tests::why_not_refused;

Deadline patience() {
  return Deadline::after(30s);
}

constexpr EventOptions kAutomatic{.reset = EventReset::automatic};
constexpr AnyAnswer kTimedOut{AnyAnswer::kNone, LockAnswer::timed_out};

constexpr AnyAnswer took(std::size_t index) {
  return {index, LockAnswer::acquired};
}

std::string text_of(const AnyAnswer& any) {
  const std::string index = any.index == AnyAnswer::kNone ? "none" : std::to_string(any.index);
  return index + " " + std::string(to_string(any.answer));
}

// One of each kind that can be waited for.
struct Four {
  explicit Four(const Domain& domain)
      : stop(domain, "stop", kAutomatic),
        jobs(domain, "jobs", 1),
        signals(domain, "signals"),
        printer(domain, "printer") {}

  Event stop;
  Semaphore jobs;
  CountingSemaphore signals;
  Mutex printer;

  AnyAnswer wait(Deadline deadline) { return wait_any(deadline, stop, jobs, signals, printer); }
};

TEST(WaitAny, TakesTheFirstThatCanBeHadAndNothingElse) {
  const ScratchDirectory scratch;
  Four four(scratch.domain());
  four.stop.set();
  ASSERT_EQ(four.signals.release(), LockAnswer::released);
  EXPECT_EQ(four.wait(Deadline::now()), took(0));
  EXPECT_FALSE(four.stop.is_set());
  EXPECT_EQ(four.jobs.held(), 0u);
  EXPECT_EQ(four.wait(Deadline::now()), took(1));
  EXPECT_EQ(four.jobs.held(), 1u);
  EXPECT_EQ(four.wait(Deadline::now()), took(2));
  EXPECT_EQ(four.signals.count(), 0u);
  EXPECT_EQ(four.printer.check(), LockAnswer::not_owner);
  EXPECT_EQ(four.wait(Deadline::now()), took(3));
  EXPECT_EQ(four.printer.check(), LockAnswer::acquired);
  EXPECT_EQ(four.printer.release(), LockAnswer::released);
  EXPECT_EQ(four.jobs.release(), LockAnswer::released);
  EXPECT_TRUE(four.wait(patience()).took(1));
}

TEST(WaitAny, TimesOutWhereNothingIsToBeHad) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child holder([&](Mouth& parent) {
    Four four(domain);
    const bool held = holds(four.jobs.try_acquire()) && holds(four.printer.try_acquire());
    parent.say(held ? "held" : "not held");
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "held");
  Four four(domain);
  EXPECT_EQ(four.wait(Deadline::now()), kTimedOut);
  EXPECT_EQ(four.wait(Deadline::after(5ms)), kTimedOut);
  EXPECT_EQ(four.wait(Deadline::after(250ms)), kTimedOut) << "over more than one slice";
  holder.say("end");
  EXPECT_EQ(holder.wait(), 0);
}

TEST(WaitAny, WakesForWhicheverComes) {
  for (std::size_t which = 0; which < 4; ++which) {
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain();
    Four four(domain);
    ASSERT_EQ(four.jobs.try_acquire(), LockAnswer::acquired);
    ASSERT_EQ(four.printer.try_acquire(), LockAnswer::acquired);
    Child waiter([&](Mouth& parent) {
      Four own(domain);
      parent.say("waiting");
      parent.say(text_of(own.wait(patience())));
      return 0;
    });
    ASSERT_EQ(waiter.hear(), "waiting");
    if (which == 0) four.stop.set();
    if (which == 1) static_cast<void>(four.jobs.release());
    if (which == 2) static_cast<void>(four.signals.release());
    if (which == 3) static_cast<void>(four.printer.release());
    EXPECT_EQ(waiter.hear(), std::to_string(which) + " acquired");
    EXPECT_EQ(waiter.wait(), 0);
  }
}

TEST(WaitAny, IsToldThatAHolderDied) {
  for (const bool of_mutex : {false, true}) {
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain();
    Four four(domain);
    if (of_mutex) {
      ASSERT_EQ(four.jobs.try_acquire(), LockAnswer::acquired);
    }
    const auto hold = [&](bool first) {
      return [&domain, first](Mouth& parent) {
        Four own(domain);
        const LockAnswer answer = first ? own.printer.try_acquire() : own.jobs.try_acquire();
        parent.say(std::string(to_string(answer)));
        return parent.hear(soon()) ? 0 : 1;
      };
    };
    Child of_printer(hold(true));
    ASSERT_EQ(of_printer.hear(), "acquired");
    Child of_jobs(hold(false));
    ASSERT_EQ(of_jobs.hear(), of_mutex ? "timed_out" : "acquired");
    Child waiter([&](Mouth& parent) {
      Four own(domain);
      parent.say("waiting");
      const AnyAnswer any = own.wait(patience());
      parent.say(text_of(any));
      if (any.took(1)) static_cast<void>(own.jobs.release());
      return 0;
    });
    ASSERT_EQ(waiter.hear(), "waiting");
    (of_mutex ? of_printer : of_jobs).kill();
    EXPECT_EQ(waiter.hear(), of_mutex ? "3 owner_died" : "1 owner_died");
    EXPECT_EQ(waiter.wait(), 0);
  }
}

TEST(WaitAny, IsToldOfADeathAtOnceAlsoWithoutWaiting) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child holder([&](Mouth& parent) {
    Mutex printer(domain, "printer");
    parent.say(std::string(to_string(printer.try_acquire())));
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "acquired");
  Event stop(domain, "stop");
  Mutex printer(domain, "printer");
  holder.kill();
  const AnyAnswer any = wait_any(patience(), stop, printer);
  EXPECT_EQ(any, (AnyAnswer{1, LockAnswer::owner_died}));
  EXPECT_EQ(printer.declare_consistent(), LockAnswer::owner_died);
  EXPECT_EQ(printer.release(), LockAnswer::released);
}

TEST(WaitAny, SaysWhoCannotBeHadOnlyIfNoOtherCan) {
  const ScratchDirectory scratch;
  Event stop(scratch.domain(), "stop", kAutomatic);
  Mutex held(scratch.domain(), "held");
  ASSERT_EQ(held.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(wait_any(patience(), stop, held), (AnyAnswer{1, LockAnswer::would_deadlock}));
  stop.set();
  EXPECT_EQ(wait_any(patience(), held, stop), took(1));
  EXPECT_EQ(held.check(), LockAnswer::acquired);
  EXPECT_EQ(held.retire(), LockAnswer::retired);
  EXPECT_EQ(wait_any(patience(), stop, held), (AnyAnswer{1, LockAnswer::retired}));
}

TEST(WaitAny, TakesARecursiveMutexOnceMore) {
  const ScratchDirectory scratch;
  Event stop(scratch.domain(), "stop");
  Mutex held(scratch.domain(), "held", {.recursive = true});
  ASSERT_EQ(held.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(wait_any(patience(), stop, held), took(1));
  EXPECT_EQ(held.release(), LockAnswer::released);
  EXPECT_EQ(held.release(), LockAnswer::released);
  EXPECT_EQ(held.release(), LockAnswer::not_owner);
}

TEST(WaitAny, TakesTheSameObjectTwice) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Event stop(domain, "stop", kAutomatic);
  Mutex printer(domain, "printer");
  ASSERT_EQ(printer.try_acquire(), LockAnswer::acquired);
  Child waiter([&](Mouth& parent) {
    Event own(domain, "stop", kAutomatic);
    Mutex other(domain, "printer");
    EXPECT_EQ(wait_any(Deadline::after(1ms), own, other, own, other), kTimedOut);
    parent.say("waiting");
    parent.say(text_of(wait_any(patience(), own, other, own, other)));
    parent.say(text_of(wait_any(patience(), own, other, own, other)));
    return other.release() == LockAnswer::released ? 0 : 1;
  });
  ASSERT_EQ(waiter.hear(), "waiting");
  stop.set();
  EXPECT_EQ(waiter.hear(), "0 acquired");
  EXPECT_EQ(printer.release(), LockAnswer::released);
  EXPECT_EQ(waiter.hear(), "1 acquired");
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(WaitAny, OfANumberThatIsKnownWhenTheProgramRuns) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  std::vector<Event> events;
  std::vector<Waitable> all;
  for (std::size_t i = 0; i < kWaitablesMax; ++i) {
    events.emplace_back(domain, "event-" + std::to_string(i), kAutomatic);
  }
  for (Event& event : events) all.emplace_back(event);
  EXPECT_EQ(wait_any(Deadline::after(1ms), all), kTimedOut);
  for (const std::size_t which : {std::size_t{0}, std::size_t{17}, kWaitablesMax - 1}) {
    Child setter([&] {
      Event(domain, "event-" + std::to_string(which), kAutomatic).set();
      return 0;
    });
    EXPECT_EQ(wait_any(patience(), all), took(which));
    EXPECT_EQ(setter.wait(), 0);
  }
  all.push_back(all.front());
  EXPECT_EQ(why_not_refused([&] { static_cast<void>(wait_any(patience(), all)); },
                            Errc::invalid_argument, {"wait_any", "64 objects", "65"}),
            "");
}

TEST(WaitAnyDeathTest, OfNothingIsABrokenContract) {
  EXPECT_DEATH(static_cast<void>(wait_any(patience(), std::span<const Waitable>())),
               "waiting for nothing");
}

TEST(WaitAny, SaysWhichObjectWasRemoved) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Event stop(domain, "stop");
  Event start(domain, "start");
  ASSERT_EQ(remove_object(domain, "start", Force::yes), Removal::removed);
  EXPECT_EQ(wait_any(patience(), stop, start), (AnyAnswer{1, LockAnswer::orphaned}));
}

TEST(WaitAny, ByAParentsHandlesIsAsAProcessOfItsOwn) {
  const ScratchDirectory scratch;
  Four four(scratch.domain());
  ASSERT_EQ(four.wait(Deadline::now()), took(1));
  Child child([&] {
    const AnyAnswer printer = four.wait(patience());
    if (!printer.took(3)) return 1;
    // Held by the parent: the child holds nothing of it.
    if (four.wait(Deadline::after(1ms)).index != 3) return 2;
    return four.printer.release() == LockAnswer::released ? 0 : 3;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(four.jobs.release(), LockAnswer::released);
}

TEST(WaitAny, WaitsForObjectsOfSeveralDomainsAndRegions) {
  const ScratchDirectory one;
  const ScratchDirectory other;
  struct Shared {
    EventCell stop;
    MutexCell lock;
  };
  const auto region = Region<Shared>::create(one.domain(), "shared");
  Event stop(region, region->stop);
  Mutex lock(region, region->lock);
  Semaphore jobs(other.domain(), "jobs", 1);
  ASSERT_EQ(lock.try_acquire(), LockAnswer::acquired);
  ASSERT_EQ(jobs.try_acquire(), LockAnswer::acquired);
  Child waiter([&](Mouth& parent) {
    parent.say("waiting");
    for (int i = 0; i < 2; ++i) parent.say(text_of(wait_any(patience(), stop, jobs, lock)));
    return 0;
  });
  ASSERT_EQ(waiter.hear(), "waiting");
  EXPECT_EQ(jobs.release(), LockAnswer::released);
  EXPECT_EQ(waiter.hear(), "1 acquired");
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(waiter.hear(), "2 acquired");
  EXPECT_EQ(waiter.wait(), 0);
}

// ---- many who wait for the same objects

// Takes signals from both, and says at the end how many; until the event.
Child taker(const Domain& domain) {
  return Child([&domain](Mouth& parent) {
    CountingSemaphore left(domain, "left");
    CountingSemaphore right(domain, "right");
    Event stop(domain, "stop");
    std::uint64_t taken = 0;
    for (;;) {
      const AnyAnswer any = wait_any(patience(), left, right, stop);
      if (!holds(any.answer)) return 1;
      if (any.took(2)) break;
      ++taken;
    }
    parent.say(std::to_string(taken));
    return 0;
  });
}

void hand_out(const Domain& domain) {
  constexpr std::uint64_t kSignals = 2000;
  CountingSemaphore left(domain, "left");
  CountingSemaphore right(domain, "right");
  Event stop(domain, "stop");
  Child takers[] = {taker(domain), taker(domain), taker(domain)};
  for (std::uint64_t i = 0; i < kSignals; ++i) {
    ASSERT_EQ((i % 3 == 0 ? left : right).release(), LockAnswer::released);
  }
  const Deadline deadline = patience();
  while (left.count() + right.count() != 0 && !deadline.has_passed()) std::this_thread::yield();
  stop.set();
  std::uint64_t taken = 0;
  for (Child& one : takers) {
    const std::string word = one.hear();
    ASSERT_NE(word, "");
    taken += std::stoull(word);
    EXPECT_EQ(one.wait(), 0);
  }
  EXPECT_EQ(taken, kSignals);
}

TEST(WaitAny, HandsEverySignalToOne) {
  const ScratchDirectory scratch;
  hand_out(scratch.domain());
}

TEST(WaitAny, HandsEverySignalToOneAlsoOnAnOlderKernel) {
  for (const int error : {ENOSYS, EPERM}) {
    const ScratchDirectory scratch;
    Child old([&] {
      if (!tests::refuse_call(tests::kFutexWaitv, error)) return tests::kRefused;
      hand_out(scratch.domain());
      return testing::Test::HasFailure() ? 1 : 0;
    });
    const int status = old.wait();
    if (status == tests::kRefused) GTEST_SKIP() << "no filter of system calls here";
    EXPECT_EQ(status, 0);
  }
}

TEST(WaitAny, LetsOneHoldAMutexAtATime) {
  struct Shared {
    MutexCell locks[2];
    std::uint64_t counts[2];
  };
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  constexpr std::uint64_t kTimes = 2000;
  const auto work = [&] {
    Mutex one(region, region->locks[0]);
    Mutex other(region, region->locks[1]);
    for (std::uint64_t i = 0; i < kTimes; ++i) {
      const AnyAnswer any =
          i % 2 == 0 ? wait_any(patience(), one, other) : wait_any(patience(), other, one);
      if (any.answer != LockAnswer::acquired) return 1;
      const std::size_t which = (any.index + i) % 2;
      region->counts[which] += 1;
      if ((which == 0 ? one : other).release() != LockAnswer::released) return 2;
    }
    return 0;
  };
  Child first(work);
  Child second(work);
  Child third(work);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(third.wait(), 0);
  EXPECT_EQ(region->counts[0] + region->counts[1], 3 * kTimes);
}

}  // namespace
}  // namespace kith
