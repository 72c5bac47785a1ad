#include "kith/inspect/locks.hpp"

#include <algorithm>
#include <cstddef>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "kith/inspect/object.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/barrier.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/guarded.hpp"
#include "kith/sync/guarded_bytes.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/once.hpp"
#include "kith/sync/rw_lock.hpp"
#include "kith/sync/semaphore.hpp"
#include "kith/sync/wait_any.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;

// Takes one lock and says so; when told, waits for the other.
Child taker(const Domain& domain, const std::string& first, const std::string& second) {
  return Child([=](Mouth& parent) {
    Mutex one(domain, first);
    Mutex other(domain, second);
    if (one.acquire(Deadline::now()) != LockAnswer::acquired) return 1;
    parent.say("has it");
    if (!parent.hear(soon())) return 2;
    return other.acquire(Deadline::never()) == LockAnswer::owner_died ? 0 : 3;
  });
}

TEST(Locks, OfAnEmptyOrMissingDomainAreNone) {
  const ScratchDirectory scratch;
  EXPECT_TRUE(list_locks(scratch.domain()).empty());
  EXPECT_TRUE(list_locks(Domain::at(scratch.path() + "/nowhere")).empty());
}

TEST(Locks, SayWhoHoldsThem) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  auto locks = list_locks(scratch.domain());
  ASSERT_EQ(locks.size(), 1u);
  EXPECT_EQ(locks[0].object, "lock");
  EXPECT_TRUE(locks[0].named);
  EXPECT_FALSE(locks[0].mutex.facts.held);
  ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  locks = list_locks(scratch.domain());
  EXPECT_TRUE(locks[0].mutex.facts.held);
  EXPECT_EQ(locks[0].mutex.pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(locks[0].mutex.liveness, Liveness::alive);
  EXPECT_TRUE(locks[0].waiting.empty());
  const auto view = object_view(scratch.domain(), "lock");
  ASSERT_TRUE(view && view->mutex);
  EXPECT_EQ(view->mutex->pid, static_cast<std::uint32_t>(::getpid()));
  ASSERT_EQ(view->attached.size(), 1u);
}

TEST(Locks, SayWhoHoldsWhatHasOneInside) {
  const ScratchDirectory scratch;
  GuardedBytes bytes(scratch.domain(), "bytes", 8);
  const Once once(scratch.domain(), "once");
  Guarded<std::uint64_t> value(scratch.domain(), "value");
  const HeldBytes held = bytes.acquire(Deadline::now());
  std::vector<LockView> locks;
  const auto look = [&](std::uint64_t&) { locks = list_locks(scratch.domain()); };
  ASSERT_EQ(value.change(look, Deadline::now()), GuardedAnswer::committed);
  ASSERT_EQ(locks.size(), 3u);
  EXPECT_EQ(locks[0].object, "bytes");
  EXPECT_TRUE(locks[0].mutex.facts.held);
  EXPECT_FALSE(locks[1].mutex.facts.held);
  EXPECT_EQ(locks[2].mutex.pid, static_cast<std::uint32_t>(::getpid()));
  const auto view = object_view(scratch.domain(), "bytes");
  ASSERT_TRUE(view && view->mutex);
  EXPECT_EQ(view->mutex->pid, static_cast<std::uint32_t>(::getpid()));
}

TEST(Locks, OfTheDeadAreInNobodysWay) {
  const ScratchDirectory scratch;
  Child holder = taker(scratch.domain(), "lock", "other");
  ASSERT_EQ(holder.hear(), "has it");
  const pid_t pid = holder.pid();
  holder.kill();
  const auto locks = list_locks(scratch.domain());
  ASSERT_EQ(locks.size(), 2u);
  EXPECT_TRUE(locks[0].mutex.facts.held);
  EXPECT_EQ(locks[0].mutex.pid, static_cast<std::uint32_t>(pid));
  EXPECT_EQ(locks[0].mutex.liveness, Liveness::dead);
  EXPECT_TRUE(find_deadlocks(locks).empty());
}

TEST(Locks, InACircleAreADeadlock) {
  const ScratchDirectory scratch;
  Child first = taker(scratch.domain(), "a", "b");
  Child second = taker(scratch.domain(), "b", "a");
  ASSERT_EQ(first.hear(), "has it");
  ASSERT_EQ(second.hear(), "has it");
  EXPECT_TRUE(find_deadlocks(list_locks(scratch.domain())).empty());
  first.say("go on");
  second.say("go on");
  std::vector<LockView> locks;
  std::vector<Deadlock> deadlocks;
  const Deadline patience = Deadline::after(30s);
  while (deadlocks.empty() && !patience.has_passed()) {
    locks = list_locks(scratch.domain());
    deadlocks = find_deadlocks(locks);
  }
  ASSERT_EQ(deadlocks.size(), 1u);
  ASSERT_EQ(deadlocks[0].users.size(), 2u);
  const auto pids =
      std::pair(static_cast<std::uint32_t>(first.pid()), static_cast<std::uint32_t>(second.pid()));
  for (std::size_t i = 0; i < 2; ++i) {
    const LockUser& user = deadlocks[0].users[i];
    const std::string& waits_for = locks[deadlocks[0].locks[i]].object;
    EXPECT_EQ(waits_for, user.pid == pids.first ? "b" : "a");
  }
  // Whoever ends it by killing one is told by the other that its holder died.
  first.kill();
  EXPECT_EQ(second.wait(), 0);
}

// One waits for another lock or an event, and may get the event.
TEST(Locks, WaitedForBesideOthersAreNoDeadlock) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child first([&](Mouth& parent) {
    Mutex a(domain, "a");
    Mutex b(domain, "b");
    Event stop(domain, "stop");
    if (!holds(a.try_acquire())) return 1;
    parent.say("has it");
    if (!parent.hear(soon())) return 2;
    return wait_any(Deadline::after(30s), b, stop).took(1) ? 0 : 3;
  });
  Child second = taker(domain, "b", "a");
  ASSERT_EQ(first.hear(), "has it");
  ASSERT_EQ(second.hear(), "has it");
  first.say("go on");
  second.say("go on");
  std::size_t waiting = 0;
  const Deadline patience = Deadline::after(30s);
  while (waiting < 2 && !patience.has_passed()) {
    const std::vector<LockView> locks = list_locks(domain);
    EXPECT_TRUE(find_deadlocks(locks).empty());
    waiting = 0;
    for (const LockView& lock : locks) {
      for (const WaitingUser& one : lock.waiting) {
        ++waiting;
        EXPECT_EQ(one.has_others, lock.object == "b");
      }
    }
  }
  EXPECT_EQ(waiting, 2u) << "both are seen";
  Event(domain, "stop").set();
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
}

TEST(Locks, OfOtherKindsSayHowTheyStand) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Event event(domain, "event");
  event.set();
  CountingSemaphore signals(domain, "signals");
  ASSERT_EQ(signals.release(5), LockAnswer::released);
  Semaphore permits(domain, "permits", 3);
  Child holder([domain](Mouth& parent) {
    Semaphore mine(domain, "permits", 3);
    parent.say(std::string(to_string(mine.try_acquire())));
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "acquired");
  ASSERT_EQ(permits.try_acquire(), LockAnswer::acquired);
  const Barrier barrier(domain, "step", 2);
  const auto pid = static_cast<std::uint32_t>(holder.pid());
  holder.kill();
  const auto locks = list_locks(domain);
  ASSERT_EQ(locks.size(), 4u);
  EXPECT_EQ(locks[0].state.text, "set");
  EXPECT_EQ(locks[1].state.text, "2 of 3 permits held");
  EXPECT_EQ(locks[2].state.text, "5 counted");
  EXPECT_EQ(locks[3].state.text, "phase 0, 0 of 2 parties arrived");
  EXPECT_EQ(locks[3].state.holders.size(), 1u);
  const auto view = object_view(domain, "permits");
  ASSERT_TRUE(view && view->lock);
  const auto& holders = view->lock->holders;
  ASSERT_EQ(holders.size(), 2u);
  const auto dead = std::find_if(holders.begin(), holders.end(),
                                 [&](const LockHolder& one) { return one.pid == pid; });
  ASSERT_NE(dead, holders.end());
  EXPECT_EQ(dead->liveness, Liveness::dead);
}

TEST(Locks, ForReadingAndWritingSayWhatAWriterDoes) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  const auto state = [&] { return list_locks(scratch.domain()).at(0).state; };
  EXPECT_EQ(state().text, "not written");
  EXPECT_TRUE(state().holders.empty());
  ASSERT_EQ(lock.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(state().text, "held by a writer");
  ASSERT_EQ(state().holders.size(), 1u);
  EXPECT_EQ(state().holders[0].pid, static_cast<std::uint32_t>(::getpid()));
  ASSERT_EQ(lock.downgrade(), LockAnswer::acquired);
  Child writer([domain = scratch.domain()](Mouth& parent) {
    RwLock same(domain, "lock");
    parent.say("waits");
    return same.acquire(Deadline::after(30s)) == LockAnswer::acquired ? 0 : 1;
  });
  EXPECT_EQ(writer.hear(), "waits");
  while (!lock.facts().draining) std::this_thread::yield();
  EXPECT_EQ(state().text, "a writer waits until nobody reads it");
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(writer.wait(), 0);  // its end, while it holds it, is a death
  EXPECT_EQ(lock.try_acquire(), LockAnswer::owner_died);
  EXPECT_EQ(state().text, "held by a writer, inconsistent");
  EXPECT_EQ(lock.retire(), LockAnswer::retired);
  EXPECT_EQ(state().text, "retired");
}

TEST(Locks, SayWhoWaitsForAnEventInsideARegion) {
  struct Shared {
    std::uint64_t number = 0;
    EventCell go;
  };
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Child waiter([&](Mouth& parent) {
    Event go(region, region->go);
    parent.say("waits");
    return go.wait(Deadline::after(30s)) == AwaitAnswer::happened ? 0 : 1;
  });
  ASSERT_EQ(waiter.hear(), "waits");
  std::vector<LockView> locks;
  const Deadline patience = Deadline::after(30s);
  while (locks.empty() && !patience.has_passed()) locks = list_locks(scratch.domain());
  ASSERT_EQ(locks.size(), 1u);
  EXPECT_EQ(locks[0].state.kind, LockKind::event);
  EXPECT_EQ(locks[0].offset, offsetof(Shared, go));
  EXPECT_EQ(locks[0].state.text, "not set");
  EXPECT_FALSE(locks[0].mutex.facts.held);
  Event(region, region->go).set();
  EXPECT_EQ(waiter.wait(), 0);
}

struct Pair {
  std::uint64_t number = 0;
  MutexCell lock;
};

TEST(Locks, InsideARegionAreSeenWhileSomebodyWaits) {
  const ScratchDirectory scratch;
  auto pair = Region<Pair>::create(scratch.domain(), "pair");
  Mutex mutex(pair, pair->lock);
  ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_TRUE(list_locks(scratch.domain()).empty());
  Child waiter([domain = scratch.domain()] {
    auto same = Region<Pair>::open(domain, "pair");
    Mutex mine(same, same->lock);
    return mine.acquire(Deadline::never()) == LockAnswer::acquired ? 0 : 1;
  });
  std::vector<LockView> locks;
  const Deadline patience = Deadline::after(30s);
  while (locks.empty() && !patience.has_passed()) locks = list_locks(scratch.domain());
  ASSERT_EQ(locks.size(), 1u);
  EXPECT_EQ(locks[0].object, "pair");
  EXPECT_FALSE(locks[0].named);
  EXPECT_EQ(locks[0].offset, offsetof(Pair, lock));
  EXPECT_EQ(locks[0].mutex.pid, static_cast<std::uint32_t>(::getpid()));
  ASSERT_EQ(locks[0].waiting.size(), 1u);
  EXPECT_EQ(locks[0].waiting[0].user.pid, static_cast<std::uint32_t>(waiter.pid()));
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(waiter.wait(), 0);
}

}  // namespace
}  // namespace kith
