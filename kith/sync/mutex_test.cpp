#include "kith/sync/mutex.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

#include "kith/base/error.hpp"

#include "tests/support/child.hpp"
#include "tests/support/holding_child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::errc_of;
using tests::HoldingChild;
using tests::Mouth;
using tests::patience;
using tests::ScratchDirectory;
using tests::soon;

HoldingChild holding(const Domain& domain) {
  return HoldingChild([domain] { return Mutex(domain, "lock"); });
}

// ---- alone

TEST(Mutex, IsTakenAndGivenBack) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(mutex.check(), LockAnswer::acquired);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(mutex.check(), LockAnswer::not_owner);
  EXPECT_FALSE(mutex.facts().held);
}

TEST(Mutex, ServesTheStandardGuards) {
  const ScratchDirectory scratch;
  Mutex first(scratch.domain(), "first");
  Mutex second(scratch.domain(), "second");
  {
    const std::scoped_lock both(first, second);
    EXPECT_TRUE(first.facts().held && second.facts().held);
  }
  {
    std::unique_lock guard(first, 1h);
    EXPECT_TRUE(guard.owns_lock());
    guard.unlock();
    EXPECT_TRUE(guard.try_lock_until(Deadline::Clock::now() + 1h));
  }
  EXPECT_FALSE(first.facts().held || second.facts().held);
}

TEST(Mutex, TakenTwiceByOneThreadWouldDeadlock) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  Mutex same(scratch.domain(), "lock");
  const std::scoped_lock guard(mutex);
  EXPECT_EQ(mutex.acquire(Deadline::never()), LockAnswer::would_deadlock);
  EXPECT_EQ(same.acquire(Deadline::never()), LockAnswer::would_deadlock);
  EXPECT_EQ(errc_of([&] { same.lock(); }), Errc::would_deadlock);
  EXPECT_EQ(errc_of([&] { static_cast<void>(same.try_lock()); }), Errc::would_deadlock);
}

TEST(Mutex, RecursiveIsGivenBackAsOftenAsItWasTaken) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock", {.recursive = true});
  Mutex same(scratch.domain(), "lock", {.recursive = true});
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(same.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(mutex.facts().recursions, 2u);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(mutex.check(), LockAnswer::acquired);
  EXPECT_EQ(same.release(), LockAnswer::released);
  EXPECT_EQ(mutex.check(), LockAnswer::not_owner);
}

TEST(Mutex, AStrangersReleaseChangesNothing) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.release(), LockAnswer::not_owner);
  EXPECT_EQ(errc_of([&] { mutex.unlock(); }), Errc::not_owner);
  const std::scoped_lock guard(mutex);
  LockAnswer released{}, declared{}, retired{};
  std::thread([&] {
    released = mutex.release();
    declared = mutex.declare_consistent();
    retired = mutex.retire();
  }).join();
  EXPECT_EQ(released, LockAnswer::not_owner);
  EXPECT_EQ(declared, LockAnswer::not_owner);
  EXPECT_EQ(retired, LockAnswer::not_owner);
  EXPECT_EQ(mutex.check(), LockAnswer::acquired);
}

TEST(Mutex, RetiredIsNobodysForGood) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(mutex.retire(), LockAnswer::retired);
  EXPECT_EQ(mutex.acquire(Deadline::never()), LockAnswer::retired);
  EXPECT_EQ(mutex.release(), LockAnswer::retired);
  EXPECT_TRUE(mutex.facts().retired);
  try {
    mutex.lock();
    FAIL() << "a retired mutex was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::retired);
    EXPECT_NE(std::string(error.what()).find("kith rm"), std::string::npos) << error.what();
  }
}

// ---- threads and processes

TEST(Mutex, LetsOneInAtATime) {
  const ScratchDirectory scratch;
  constexpr int kTimes = 20'000;
  auto shared = Region<std::atomic<std::uint64_t>>::create(scratch.domain(), "count");
  const auto add = [domain = scratch.domain()] {
    Mutex mutex(domain, "lock");
    auto count = Region<std::atomic<std::uint64_t>>::open(domain, "count");
    for (int i = 0; i < kTimes; ++i) {
      const std::scoped_lock guard(mutex);
      // In two steps, which somebody else in between would spoil.
      const std::uint64_t before = count->load(std::memory_order_relaxed);
      count->store(before + 1, std::memory_order_relaxed);
    }
    return 0;
  };
  Child first(add);
  Child second(add);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back(add);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(shared->load(std::memory_order_relaxed), 4u * kTimes);
}

TEST(Mutex, WaitsNoLongerThanItsDeadline) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::timed_out);
  EXPECT_EQ(mutex.acquire(Deadline::after(-1s)), LockAnswer::timed_out);
  EXPECT_EQ(mutex.acquire(Deadline::after(5ms)), LockAnswer::timed_out);
  EXPECT_FALSE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock_for(5ms));
  EXPECT_GT(mutex.facts().waited_ns, 0);
  EXPECT_EQ(mutex.check(), LockAnswer::not_owner);
  holder.child.say("let go");
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::acquired);
  EXPECT_EQ(holder.child.wait(), 0);
}

// ---- deaths

TEST(Mutex, TellsItsNextHolderOfADeath) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  holder.child.kill();
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
  EXPECT_EQ(mutex.check(), LockAnswer::owner_died);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_TRUE(mutex.facts().inconsistent);
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died) << "nobody repaired it";
  EXPECT_EQ(mutex.declare_consistent(), LockAnswer::owner_died);
  EXPECT_EQ(mutex.check(), LockAnswer::acquired);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::acquired);
}

TEST(Mutex, WakesWhoSleepsWhenItsHolderDies) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  Child waiter([domain = scratch.domain()](Mouth& parent) {
    Mutex mutex(domain, "lock");
    parent.say("ready");
    return mutex.acquire(Deadline::never()) == LockAnswer::owner_died ? 0 : 1;
  });
  EXPECT_EQ(waiter.hear(), "ready");
  Mutex mutex(scratch.domain(), "lock");
  while (!mutex.facts().has_waiters) std::this_thread::yield();
  holder.child.kill();
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Mutex, LockOverADeadHolderThrowsAndHoldsNothing) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  holder.child.kill();
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(errc_of([&] { mutex.lock(); }), Errc::owner_died);
  EXPECT_EQ(mutex.check(), LockAnswer::not_owner);
  EXPECT_EQ(errc_of([&] { static_cast<void>(mutex.try_lock()); }), Errc::owner_died);
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
}

TEST(Mutex, RepairsWhereItCan) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  holder.child.kill();
  int repairs = 0;
  Mutex throwing(scratch.domain(), "lock", {}, [&]() -> bool {
    ++repairs;
    throw std::runtime_error("not today");
  });
  EXPECT_THROW(throwing.lock(), std::runtime_error);
  EXPECT_EQ(throwing.check(), LockAnswer::not_owner);
  Mutex repairing(scratch.domain(), "lock", {}, [&] { return ++repairs > 0; });
  repairing.lock();
  EXPECT_EQ(repairs, 2);
  EXPECT_EQ(repairing.check(), LockAnswer::acquired);
  repairing.unlock();
  repairing.lock();
  EXPECT_EQ(repairs, 2) << "it was whole";
  repairing.unlock();
}

TEST(Mutex, ARepairMayDeclareItConsistentItself) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  holder.child.kill();
  Mutex inner(scratch.domain(), "lock");
  Mutex mutex(scratch.domain(), "lock", {},
              [&] { return inner.declare_consistent() == LockAnswer::owner_died; });
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_EQ(mutex.check(), LockAnswer::acquired);
  mutex.unlock();
}

TEST(Mutex, ThatCannotBeRepairedIsRetired) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  holder.child.kill();
  Mutex mutex(scratch.domain(), "lock", {}, [] { return false; });
  EXPECT_EQ(errc_of([&] { mutex.lock(); }), Errc::retired);
  EXPECT_EQ(mutex.acquire(Deadline::never()), LockAnswer::retired);
}

TEST(Mutex, AThreadThatEndsHoldingItIsADeadHolder) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  LockAnswer in_thread{};
  std::thread([&] { in_thread = mutex.acquire(Deadline::now()); }).join();
  EXPECT_EQ(in_thread, LockAnswer::acquired);
  EXPECT_EQ(mutex.acquire(Deadline::never()), LockAnswer::owner_died);
  // And its number may be another thread's by now.
  std::thread([&] { in_thread = mutex.release(); }).join();
  EXPECT_EQ(in_thread, LockAnswer::not_owner);
}

TEST(Mutex, ClosingTheLastHandleWhileHoldingItIsADeath) {
  const ScratchDirectory scratch;
  Mutex kept(scratch.domain(), "lock");
  {
    Mutex closed(scratch.domain(), "lock");
    EXPECT_EQ(closed.acquire(Deadline::now()), LockAnswer::acquired);
  }
  EXPECT_EQ(kept.check(), LockAnswer::acquired) << "another handle can give it back";
  Child next([domain = scratch.domain()](Mouth& parent) {
    Mutex mutex(domain, "lock");
    parent.say("ready");
    return mutex.acquire(Deadline::never()) == LockAnswer::owner_died ? 0 : 1;
  });
  EXPECT_EQ(next.hear(), "ready");
  kept.close();
  EXPECT_EQ(next.wait(), 0);
}

TEST(Mutex, AProcessThatLeavesHoldingItIsADeadHolder) {
  const ScratchDirectory scratch;
  Child leaver([domain = scratch.domain()] {
    auto* leaked = new Mutex(domain, "lock");
    return leaked->acquire(Deadline::now()) == LockAnswer::acquired ? 0 : 1;
  });
  EXPECT_EQ(leaver.wait(), 0);
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
}

TEST(Mutex, ExecWhileHoldingItIsADeath) {
  const ScratchDirectory scratch;
  Child other([domain = scratch.domain()](Mouth& parent) {
    Mutex mutex(domain, "lock");
    parent.say(std::string(to_string(mutex.acquire(Deadline::now()))));
    ::execlp("sleep", "sleep", "1000", nullptr);
    return 1;
  });
  ASSERT_EQ(other.hear(), "acquired");
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
}

TEST(Mutex, AStoppedHolderIsNotRobbed) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  ASSERT_TRUE(holder.child.stop());
  Mutex mutex(scratch.domain(), "lock");
  // Longer than the slices after which a waiter asks whether its holder lives.
  EXPECT_EQ(mutex.acquire(Deadline::after(350ms)), LockAnswer::timed_out);
  holder.child.signal(SIGCONT);
  holder.child.say("let go");
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::acquired);
  EXPECT_EQ(holder.child.wait(), 0);
}

TEST(Mutex, AForkedChildHoldsNothingAndMayWaitLikeAnybody) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  Child child([&mutex](Mouth& parent) {
    if (mutex.check() != LockAnswer::not_owner) return 1;
    if (mutex.release() != LockAnswer::not_owner) return 2;
    if (mutex.acquire(Deadline::now()) != LockAnswer::timed_out) return 3;
    parent.say("tried");
    if (mutex.acquire(patience()) != LockAnswer::acquired) return 4;
    return mutex.release() == LockAnswer::released ? 0 : 5;
  });
  ASSERT_EQ(child.hear(), "tried");
  EXPECT_EQ(mutex.check(), LockAnswer::acquired);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(child.wait(), 0);
}

TEST(Mutex, ThreadsOfAForkedChildAreNotEachOther) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock", {.recursive = true});
  ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);  // so this thread has a number
  ASSERT_EQ(mutex.release(), LockAnswer::released);
  Child child([&mutex] {
    tests::Signal held;
    tests::Signal done;
    std::thread other([&] {
      if (mutex.acquire(Deadline::now()) == LockAnswer::acquired) held.tell();
      static_cast<void>(done.wait());
    });
    const bool other_holds = held.wait();
    const LockAnswer mine = mutex.acquire(Deadline::now());
    const LockAnswer released = mutex.release();
    done.tell();
    other.join();
    return other_holds && mine == LockAnswer::timed_out && released == LockAnswer::not_owner ? 0
                                                                                             : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Mutex, AKilledWaiterTakesNobodysWakeAlong) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  const auto wait = [domain = scratch.domain()](Mouth& parent) {
    Mutex mine(domain, "lock");
    parent.say("ready");
    return mine.acquire(Deadline::never()) == LockAnswer::acquired ? 0 : 1;
  };
  Child first(wait);
  ASSERT_EQ(first.hear(), "ready");
  while (!mutex.facts().has_waiters) std::this_thread::yield();
  Child second(wait);
  ASSERT_EQ(second.hear(), "ready");
  first.kill();
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(second.wait(), 0);
}

// ---- where it lies

struct Robot {
  std::uint64_t before = 0;
  MutexCell lock;
  std::uint64_t position = 0;
};

TEST(Mutex, LiesInsideARegion) {
  const ScratchDirectory scratch;
  auto robot = Region<Robot>::create(scratch.domain(), "robot");
  Mutex mutex(robot, robot->lock);
  Child holder([domain = scratch.domain()](Mouth& parent) {
    auto same = Region<Robot>::open(domain, "robot");
    Mutex mine(same, same->lock);
    parent.say(std::string(to_string(mine.acquire(Deadline::now()))));
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "acquired");
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::timed_out);
  holder.kill();
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
}

TEST(Mutex, InsideARegionOutlivesItsHandle) {
  const ScratchDirectory scratch;
  auto robot = Region<Robot>::create(scratch.domain(), "robot");
  Mutex mutex(robot, robot->lock);
  robot.close();
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
}

TEST(Mutex, MustLieInTheRegionThatItIsSaidToLieIn) {
  const ScratchDirectory scratch;
  const auto robot = Region<Robot>::create(scratch.domain(), "robot");
  const auto other = Region<Robot>::create(scratch.domain(), "other");
  const MutexCell nowhere;
  EXPECT_EQ(errc_of([&] { Mutex(robot, nowhere); }), Errc::invalid_argument);
  EXPECT_EQ(errc_of([&] { Mutex(other, robot->lock); }), Errc::invalid_argument);
  ASSERT_EQ(remove_object(scratch.domain(), "robot", Force::yes), Removal::removed);
  EXPECT_EQ(errc_of([&] { Mutex(robot, robot->lock); }), Errc::orphaned);
}

TEST(Mutex, OfAnotherKindIsRefused) {
  const ScratchDirectory scratch;
  const auto robot = Region<Robot>::create(scratch.domain(), "robot");
  EXPECT_EQ(errc_of([&] { Mutex(scratch.domain(), "robot"); }), Errc::wrong_type);
  EXPECT_EQ(errc_of([&] { Mutex(scratch.domain(), "a/b"); }), Errc::invalid_name);
}

TEST(Mutex, UntilLastMemberIsGoneWithTheLastHandle) {
  const ScratchDirectory scratch;
  const MutexOptions options{.lifetime = Lifetime::until_last_member};
  {
    const Mutex first(scratch.domain(), "lock", options);
    { const Mutex second(scratch.domain(), "lock", options); }
    EXPECT_TRUE(std::filesystem::exists(scratch.path() + "/lock"));
  }
  EXPECT_TRUE(scratch.is_empty());
}

TEST(Mutex, RemovedByForceTellsThoseWhoWait) {
  const ScratchDirectory scratch;
  HoldingChild holder = holding(scratch.domain());
  ASSERT_TRUE(holder.holds());
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(remove_object(scratch.domain(), "lock"), Removal::in_use);
  ASSERT_EQ(remove_object(scratch.domain(), "lock", Force::yes), Removal::removed);
  EXPECT_TRUE(mutex.is_orphaned());
  EXPECT_EQ(mutex.acquire(Deadline::never()), LockAnswer::orphaned);
}

TEST(MutexDeathTest, MovedFromIsABrokenContract) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  Mutex moved = std::move(mutex);
  EXPECT_EQ(moved.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_DEATH(static_cast<void>(mutex.try_acquire()), "moved-from");
}

}  // namespace
}  // namespace kith
