#include "kith/sync/semaphore.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/member/member.hpp"
#include "kith/sync/counting_semaphore.hpp"

#include "tests/support/child.hpp"
#include "tests/support/holding_child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::patience;
using tests::ScratchDirectory;
using tests::soon;
using tests::why_not_refused;

// ---- permits

TEST(Semaphore, LendsAsManyAsThereAre) {
  const ScratchDirectory scratch;
  Semaphore semaphore(scratch.domain(), "permits", 2);
  EXPECT_EQ(semaphore.permits(), 2u);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(semaphore.held(), 2u);
  EXPECT_EQ(semaphore.acquire(Deadline::after(1ms)), LockAnswer::timed_out);
  EXPECT_EQ(semaphore.release(), LockAnswer::released);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(semaphore.release(), LockAnswer::released);
  EXPECT_EQ(semaphore.release(), LockAnswer::released);
  EXPECT_EQ(semaphore.release(), LockAnswer::not_owner);
  EXPECT_EQ(semaphore.held(), 0u);
}

// A child that takes a permit, says what it was told, and keeps it.
Child holding(const Domain& domain, std::uint32_t permits) {
  return tests::HoldingChild([=] { return Semaphore(domain, "permits", permits); }).child;
}

TEST(Semaphore, IsNotGivenBackByAStranger) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child holder = holding(domain, 1);
  ASSERT_EQ(holder.hear(), "acquired");
  Semaphore semaphore(domain, "permits", 1);
  EXPECT_EQ(semaphore.release(), LockAnswer::not_owner);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::timed_out);
  holder.say("release");
  EXPECT_EQ(holder.wait(), 0);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::acquired);
}

TEST(Semaphore, ReturnsThePermitsOfTheDeadOnceAndTellsWhoTakesThem) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Semaphore semaphore(domain, "permits", 2);
  ASSERT_EQ(semaphore.try_acquire(), LockAnswer::acquired);
  Child holder = holding(domain, 2);
  ASSERT_EQ(holder.hear(), "acquired");
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::timed_out);
  holder.kill();
  EXPECT_EQ(semaphore.acquire(patience()), LockAnswer::owner_died);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::timed_out);
  EXPECT_EQ(semaphore.release(), LockAnswer::released);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::acquired);
}

TEST(Semaphore, WakesASleeperWhenAHolderDies) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child holder = holding(domain, 1);
  ASSERT_EQ(holder.hear(), "acquired");
  Child waiter = holding(domain, 1);
  holder.kill();
  EXPECT_EQ(waiter.hear(), "owner_died");
  waiter.say("release");
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Semaphore, IsHealedByAReaperAndStillTells) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Member member = Member::join(domain);
  Child holder = holding(domain, 1);
  ASSERT_EQ(holder.hear(), "acquired");
  holder.kill();
  EXPECT_EQ(member.reap_dead().reaped, 1u);
  Semaphore semaphore(domain, "permits", 1);
  EXPECT_EQ(semaphore.held(), 0u);
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::owner_died);
}

TEST(Semaphore, IsNotTakenFromOneWhoIsStopped) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child holder = holding(domain, 1);
  ASSERT_EQ(holder.hear(), "acquired");
  ASSERT_TRUE(holder.stop());
  Semaphore semaphore(domain, "permits", 1);
  EXPECT_EQ(semaphore.acquire(Deadline::after(300ms)), LockAnswer::timed_out);
}

TEST(Semaphore, ComesBackWhenTheLastHandleOfAProcessCloses) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child holder([domain](Mouth& parent) {
    Semaphore first(domain, "permits", 1);
    {
      Semaphore second(domain, "permits", 1);
      if (second.try_acquire() != LockAnswer::acquired) return 1;
    }
    parent.say("one is left");
    if (!parent.hear(soon())) return 2;
    first.close();
    parent.say("closed");
    return parent.hear(soon()) ? 0 : 3;
  });
  Semaphore semaphore(domain, "permits", 1);
  ASSERT_EQ(holder.hear(), "one is left");
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::timed_out);
  holder.say("close");
  ASSERT_EQ(holder.hear(), "closed");
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::owner_died);
  holder.say("end");
  EXPECT_EQ(holder.wait(), 0);
}

TEST(Semaphore, OfAParentIsNotHeldByItsChild) {
  const ScratchDirectory scratch;
  Semaphore semaphore(scratch.domain(), "permits", 1);
  ASSERT_EQ(semaphore.try_acquire(), LockAnswer::acquired);
  Child child([&] {
    if (semaphore.release() != LockAnswer::not_owner) return 1;
    return semaphore.try_acquire() == LockAnswer::timed_out ? 0 : 2;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(semaphore.release(), LockAnswer::released);
}

TEST(Semaphore, ComesBackFromAChildThatInheritedAHandleToo) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Semaphore semaphore(domain, "permits", 1);
  Child child([&](Mouth& parent) {
    {
      Semaphore mine(domain, "permits", 1);
      if (mine.try_acquire() != LockAnswer::acquired) return 1;
    }
    parent.say("closed");
    return parent.hear(soon()) ? 0 : 2;
  });
  ASSERT_EQ(child.hear(), "closed");
  EXPECT_EQ(semaphore.try_acquire(), LockAnswer::owner_died);
  child.say("end");
  EXPECT_EQ(child.wait(), 0);
}

TEST(Semaphore, LetsNoMoreInThanItHasPermits) {
  const ScratchDirectory scratch;
  struct Shared {
    SemaphoreCell<2> permits;
    std::atomic<int> inside;
    std::atomic<int> most;
  };
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  const auto work = [&] {
    Semaphore semaphore(region, region->permits);
    for (int i = 0; i < 2000; ++i) {
      if (!holds(semaphore.acquire(patience()))) return 1;
      const int now = region->inside.fetch_add(1, std::memory_order_relaxed) + 1;
      int most = region->most.load(std::memory_order_relaxed);
      while (now > most && !region->most.compare_exchange_weak(most, now, std::memory_order_relaxed,
                                                               std::memory_order_relaxed)) {
      }
      region->inside.fetch_sub(1, std::memory_order_relaxed);
      if (semaphore.release() != LockAnswer::released) return 2;
    }
    return 0;
  };
  Child first(work);
  Child second(work);
  Child third(work);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(third.wait(), 0);
  EXPECT_LE(region->most.load(std::memory_order_relaxed), 2);
  EXPECT_GE(region->most.load(std::memory_order_relaxed), 1);
}

TEST(Semaphore, HasOneNumberOfPermits) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Semaphore semaphore(domain, "permits", 2);
  EXPECT_EQ(why_not_refused([&] { const Semaphore other(domain, "permits", 3); }, Errc::wrong_type,
                            {"'permits'", "3 permits", "2"}),
            "");
  EXPECT_EQ(why_not_refused([&] { const Semaphore other(domain, "none", 0); },
                            Errc::invalid_argument, {"'none'", "1 to 4096 permits"}),
            "");
}

// ---- signals

TEST(CountingSemaphore, CountsWhatIsReleased) {
  const ScratchDirectory scratch;
  CountingSemaphore signals(scratch.domain(), "signals");
  EXPECT_EQ(signals.try_acquire(), LockAnswer::timed_out);
  EXPECT_EQ(signals.release(3), LockAnswer::released);
  EXPECT_EQ(signals.count(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(signals.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(signals.acquire(Deadline::after(1ms)), LockAnswer::timed_out);
}

TEST(CountingSemaphore, HandsEverySignalToOne) {
  constexpr int kSignals = 3000;
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const auto take = [domain](Mouth& parent) {
    CountingSemaphore signals(domain, "signals");
    int taken = 0;
    while (holds(signals.acquire(patience()))) {
      if (++taken == kSignals / 2) break;
    }
    parent.say(std::to_string(taken));
    return 0;
  };
  Child first(take);
  Child second(take);
  CountingSemaphore signals(domain, "signals");
  for (int i = 0; i < kSignals; ++i) ASSERT_EQ(signals.release(), LockAnswer::released);
  EXPECT_EQ(first.hear(), std::to_string(kSignals / 2));
  EXPECT_EQ(second.hear(), std::to_string(kSignals / 2));
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(signals.count(), 0u);
}

TEST(CountingSemaphore, DoesNotCountBeyondItsLimit) {
  const ScratchDirectory scratch;
  struct Shared {
    CountingSemaphoreCell signals;
  };
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  CountingSemaphore signals(region, region->signals);
  auto* count = reinterpret_cast<std::uint64_t*>(&region->signals);
  *count = CountingSemaphore::kCountMax;
  EXPECT_EQ(signals.release(), LockAnswer::limit_reached);
  *count = ~std::uint64_t{0};
  EXPECT_EQ(signals.count(), CountingSemaphore::kCountMax);
  EXPECT_EQ(signals.release(), LockAnswer::limit_reached);
  EXPECT_EQ(signals.try_acquire(), LockAnswer::acquired);
}

}  // namespace
}  // namespace kith
