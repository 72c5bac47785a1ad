#include "kith/sync/condition.hpp"

#include <gtest/gtest.h>
#include <mutex>

#include "kith/sync/shared_mutex.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::patience;
using tests::ScratchDirectory;
using tests::soon;

struct Shared {
  MutexCell lock;
  ConditionCell changed;
  int count = 0;
  int waiting = 0;
};

// Waits until `count` is `wanted`; says "waits" while it holds the mutex.
Child waiting_for(const Region<Shared>& region, int wanted) {
  return Child([&region, wanted](Mouth& parent) {
    Mutex lock(region, region->lock);
    Condition changed(region, region->changed);
    if (lock.acquire(patience()) != LockAnswer::acquired) return 1;
    ++region->waiting;
    parent.say("waits");
    const AwaitAnswer answer =
        changed.wait(lock, patience(), [&] { return region->count >= wanted; });
    parent.say(std::string(to_string(answer)));
    const bool held = lock.check() == LockAnswer::acquired || answer == AwaitAnswer::owner_died;
    return held && holds(lock.declare_consistent()) && lock.release() == LockAnswer::released ? 0
                                                                                              : 2;
  });
}

TEST(Condition, WakesWhoWaitsForWhatWasChanged) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Child waiter = waiting_for(region, 2);
  ASSERT_EQ(waiter.hear(), "waits");
  Mutex lock(region, region->lock);
  Condition changed(region, region->changed);
  for (int i = 0; i < 2; ++i) {
    const std::scoped_lock guard(lock);
    ++region->count;
    changed.notify_one();
  }
  EXPECT_EQ(waiter.hear(), "happened");
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Condition, WakesAllOfThem) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Child first = waiting_for(region, 1);
  Child second = waiting_for(region, 1);
  Child third = waiting_for(region, 1);
  for (Child* child : {&first, &second, &third}) ASSERT_EQ(child->hear(), "waits");
  Mutex lock(region, region->lock);
  Condition changed(region, region->changed);
  {
    const std::scoped_lock guard(lock);
    EXPECT_EQ(region->waiting, 3);
    region->count = 1;
  }
  changed.notify_all();
  for (Child* child : {&first, &second, &third}) {
    EXPECT_EQ(child->hear(), "happened");
    EXPECT_EQ(child->wait(), 0);
  }
}

TEST(Condition, LosesNoWakeToOneWhoWasKilled) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Child victim = waiting_for(region, 1);
  ASSERT_EQ(victim.hear(), "waits");
  Child waiter = waiting_for(region, 1);
  ASSERT_EQ(waiter.hear(), "waits");
  Mutex lock(region, region->lock);
  Condition changed(region, region->changed);
  ASSERT_TRUE(victim.stop());
  ASSERT_TRUE(holds(lock.acquire(patience())));
  region->count = 1;
  changed.notify_one();  // for the stopped one, or for the other
  changed.notify_one();
  EXPECT_EQ(lock.release(), LockAnswer::released);
  victim.kill();
  EXPECT_EQ(waiter.hear(), "happened");
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Condition, TellsWhoWaitsThatAHolderDied) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Child waiter = waiting_for(region, 1);
  ASSERT_EQ(waiter.hear(), "waits");
  Child killed([&](Mouth& parent) {
    auto* lock = new Mutex(region, region->lock);
    Condition changed(region, region->changed);
    if (lock->acquire(patience()) != LockAnswer::acquired) return 1;
    changed.notify_all();
    parent.say("notified");
    return parent.hear(soon()) ? 0 : 2;
  });
  ASSERT_EQ(killed.hear(), "notified");
  killed.kill();
  EXPECT_EQ(waiter.hear(), "owner_died");
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Condition, LetsThoseWhoWaitLookWhenNobodyLivesToNotify) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Child waiter = waiting_for(region, 1);
  ASSERT_EQ(waiter.hear(), "waits");
  Mutex lock(region, region->lock);
  ASSERT_TRUE(holds(lock.acquire(patience())));
  region->count = 1;  // as of one who is killed before it notifies
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(waiter.hear(), "happened");
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Condition, TimesOutWithTheMutexHeld) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Mutex lock(region, region->lock);
  Condition changed(region, region->changed);
  ASSERT_EQ(lock.acquire(patience()), LockAnswer::acquired);
  EXPECT_EQ(changed.wait(lock, Deadline::now()), AwaitAnswer::timed_out);
  EXPECT_EQ(changed.wait(lock, Deadline::after(2ms)), AwaitAnswer::timed_out);
  EXPECT_EQ(changed.wait(lock, Deadline::now(), [] { return false; }), AwaitAnswer::timed_out);
  EXPECT_EQ(changed.wait(lock, Deadline::now(), [] { return true; }), AwaitAnswer::happened);
  EXPECT_EQ(lock.check(), LockAnswer::acquired);
  EXPECT_EQ(lock.release(), LockAnswer::released);
}

TEST(Condition, KeepsItsDeadlineWhereTheMutexIsKept) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Child keeper([&](Mouth& parent) {
    Mutex lock(region, region->lock);
    for (;;) {
      if (lock.acquire(patience()) != LockAnswer::acquired) return 1;
      if (region->waiting != 0) break;
      if (lock.release() != LockAnswer::released) return 2;
    }
    Condition(region, region->changed).notify_all();
    parent.say("keeps it");
    return parent.hear(soon()) && lock.release() == LockAnswer::released ? 0 : 3;
  });
  Mutex lock(region, region->lock);
  Condition changed(region, region->changed);
  ASSERT_EQ(lock.acquire(patience()), LockAnswer::acquired);
  region->waiting = 1;
  EXPECT_EQ(changed.wait(lock, Deadline::after(2s)), AwaitAnswer::mutex_busy);
  EXPECT_EQ(lock.check(), LockAnswer::not_owner);
  ASSERT_EQ(keeper.hear(), "keeps it");
  keeper.say("let go");
  EXPECT_EQ(keeper.wait(), 0);
}

TEST(Condition, IsWaitedForWithAGuardOfTheStandard) {
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Mutex lock(region, region->lock);
  Condition changed(region, region->changed);
  std::unique_lock guard(lock);
  EXPECT_EQ(changed.wait(guard, Deadline::now()), AwaitAnswer::timed_out);
  EXPECT_TRUE(guard.owns_lock());
  EXPECT_EQ(changed.wait(guard, Deadline::now(), [] { return true; }), AwaitAnswer::happened);
  Child thief([&] {
    Mutex mine(region, region->lock);
    return mine.acquire(patience()) == LockAnswer::acquired && mine.retire() == LockAnswer::retired
               ? 0
               : 1;
  });
  AwaitAnswer answer = AwaitAnswer::happened;
  while (answer == AwaitAnswer::happened) answer = changed.wait(guard, patience());
  EXPECT_EQ(answer, AwaitAnswer::retired);
  EXPECT_FALSE(guard.owns_lock());
  EXPECT_EQ(thief.wait(), 0);
}

TEST(Condition, IsNotWaitedForWithoutItsMutexOrWithItTwice) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Mutex lock(domain, "lock", {.recursive = true});
  Condition changed(domain, "changed");
  EXPECT_EQ(changed.wait(lock, patience()), AwaitAnswer::not_owner);
  ASSERT_EQ(lock.acquire(patience()), LockAnswer::acquired);
  ASSERT_EQ(lock.acquire(patience()), LockAnswer::acquired);
  EXPECT_EQ(changed.wait(lock, patience()), AwaitAnswer::not_owner);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(lock.release(), LockAnswer::released);
}

TEST(Condition, ThatIsRemovedTellsWhoWaitsAndLetsTheMutexGo) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child waiter([domain](Mouth& parent) {
    Mutex lock(domain, "lock");
    Condition changed(domain, "changed");
    if (lock.acquire(patience()) != LockAnswer::acquired) return 1;
    parent.say("waits");
    AwaitAnswer answer{};
    do {
      answer = changed.wait(lock, Deadline::never());
    } while (answer == AwaitAnswer::happened);  // for no reason
    if (answer != AwaitAnswer::orphaned) return 2;
    return lock.check() == LockAnswer::not_owner ? 0 : 3;
  });
  ASSERT_EQ(waiter.hear(), "waits");
  EXPECT_EQ(remove_object(domain, "changed", Force::yes), Removal::removed);
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Condition, GoesWithTheMutexOfASharedMutex) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  SharedMutex lock(domain, "lock");
  Condition changed(domain, "changed");
  const std::scoped_lock guard(lock);
  EXPECT_EQ(changed.wait(lock.mutex(), Deadline::after(1ms)), AwaitAnswer::timed_out);
}

}  // namespace
}  // namespace kith
