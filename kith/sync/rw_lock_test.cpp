#include "kith/sync/rw_lock.hpp"

#include <atomic>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <thread>
#include <unistd.h>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/member/internal/reader_table.hpp"

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

enum class As { reader, writer };

HoldingChild reading(const Domain& domain) {
  return HoldingChild([domain] { return RwLock(domain, "lock"); },
                      [](RwLock& lock) { return lock.acquire_shared(patience()); });
}
HoldingChild writing(const Domain& domain) {
  return HoldingChild([domain] { return RwLock(domain, "lock"); });
}

// One that dies writing.
void die_writing(const Domain& domain) {
  HoldingChild writer = writing(domain);
  EXPECT_TRUE(writer.holds());
  writer.child.kill();
}

LockAnswer in_a_thread(const std::function<LockAnswer()>& deed) {
  LockAnswer answer{};
  std::thread([&] { answer = deed(); }).join();
  return answer;
}

// ---- alone

TEST(RwLock, IsReadByManyAndWrittenByOne) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
  EXPECT_TRUE(lock.is_shared());
  EXPECT_EQ(in_a_thread([&] {
              const LockAnswer answer = lock.try_acquire_shared();
              EXPECT_EQ(lock.release(), LockAnswer::released);
              return answer;
            }),
            LockAnswer::acquired);
  EXPECT_EQ(in_a_thread([&] { return lock.try_acquire(); }), LockAnswer::timed_out);
  EXPECT_EQ(lock.facts().readers, 1u);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(lock.facts().readers, 0u);
  EXPECT_EQ(lock.try_acquire(), LockAnswer::acquired);
  EXPECT_TRUE(lock.facts().held);
  EXPECT_EQ(lock.check(), LockAnswer::acquired);
  EXPECT_EQ(in_a_thread([&] { return lock.try_acquire_shared(); }), LockAnswer::timed_out);
  EXPECT_EQ(in_a_thread([&] { return lock.try_acquire(); }), LockAnswer::timed_out);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_FALSE(lock.facts().held);
}

TEST(RwLock, ServesTheStandardGuards) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  {
    const std::shared_lock guard(lock);
    EXPECT_TRUE(lock.is_shared());
  }
  {
    std::shared_lock guard(lock, 1h);
    EXPECT_TRUE(guard.owns_lock());
    guard.unlock();
    EXPECT_TRUE(guard.try_lock_until(Deadline::Clock::now() + 1h));
  }
  {
    std::unique_lock guard(lock, 1h);
    EXPECT_TRUE(guard.owns_lock());
    guard.unlock();
    EXPECT_TRUE(guard.try_lock());
  }
  const std::scoped_lock guard(lock);
  EXPECT_EQ(lock.check(), LockAnswer::acquired);
}

TEST(RwLock, WrongUseIsAnsweredAndChangesNothing) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  RwLock same(scratch.domain(), "lock");
  EXPECT_EQ(lock.release(), LockAnswer::not_owner);
  EXPECT_EQ(lock.upgrade(Deadline::never()), LockAnswer::not_owner);
  EXPECT_EQ(lock.downgrade(), LockAnswer::not_owner);
  EXPECT_EQ(errc_of([&] { lock.unlock_shared(); }), Errc::not_owner);
  {
    const std::shared_lock reads(lock);
    EXPECT_EQ(same.acquire(Deadline::never()), LockAnswer::would_deadlock);
    EXPECT_EQ(errc_of([&] { lock.lock(); }), Errc::would_deadlock);
    EXPECT_EQ(errc_of([&] { lock.unlock(); }), Errc::not_owner);
    EXPECT_EQ(in_a_thread([&] { return lock.release(); }), LockAnswer::not_owner);
    EXPECT_EQ(lock.retire(), LockAnswer::not_owner);
    EXPECT_TRUE(same.is_shared());
  }
  const std::scoped_lock writes(lock);
  EXPECT_EQ(same.acquire_shared(Deadline::never()), LockAnswer::would_deadlock);
  EXPECT_EQ(same.acquire(Deadline::never()), LockAnswer::would_deadlock);
  EXPECT_EQ(errc_of([&] { lock.unlock_shared(); }), Errc::not_owner);
  EXPECT_EQ(in_a_thread([&] { return lock.release(); }), LockAnswer::not_owner);
  EXPECT_EQ(in_a_thread([&] { return lock.downgrade(); }), LockAnswer::not_owner);
  EXPECT_EQ(lock.check(), LockAnswer::acquired);
}

TEST(RwLock, IsReadAgainByWhoReadsIt) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  RwLock same(scratch.domain(), "lock");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
  EXPECT_EQ(lock.upgrade(Deadline::never()), LockAnswer::would_deadlock) << "it waited for itself";
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(in_a_thread([&] { return lock.try_acquire(); }), LockAnswer::timed_out);
    EXPECT_EQ(same.release(), LockAnswer::released);
  }
  EXPECT_EQ(lock.release(), LockAnswer::not_owner);
  EXPECT_EQ(in_a_thread([&] { return lock.try_acquire(); }), LockAnswer::acquired);
}

TEST(RwLock, ReadsSoManyLocksAtOnceAndNotOneMore) {
  const ScratchDirectory scratch;
  std::vector<std::unique_ptr<RwLock>> locks;
  for (std::size_t i = 0; i < internal::kReaderCells; ++i) {
    locks.push_back(std::make_unique<RwLock>(scratch.domain(), "lock" + std::to_string(i)));
    EXPECT_EQ(locks.back()->try_acquire_shared(), LockAnswer::acquired);
  }
  RwLock more(scratch.domain(), "more");
  EXPECT_EQ(more.acquire_shared(Deadline::never()), LockAnswer::limit_reached);
  EXPECT_EQ(errc_of([&] { more.lock_shared(); }), Errc::limit_reached);
  EXPECT_EQ(more.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(more.downgrade(), LockAnswer::limit_reached);
  EXPECT_EQ(more.check(), LockAnswer::acquired);
  EXPECT_EQ(locks.front()->release(), LockAnswer::released);
  EXPECT_EQ(more.downgrade(), LockAnswer::acquired);
  EXPECT_EQ(more.release(), LockAnswer::released);
  EXPECT_EQ(locks.front()->try_acquire_shared(), LockAnswer::acquired);
  for (const auto& lock : locks) EXPECT_EQ(lock->release(), LockAnswer::released);
}

TEST(RwLock, UpgradesAndDowngrades) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
  EXPECT_EQ(lock.upgrade(Deadline::now()), LockAnswer::acquired);
  EXPECT_FALSE(lock.is_shared());
  EXPECT_EQ(lock.check(), LockAnswer::acquired);
  EXPECT_EQ(lock.downgrade(), LockAnswer::acquired);
  EXPECT_TRUE(lock.is_shared());
  EXPECT_EQ(lock.check(), LockAnswer::not_owner);
  HoldingChild other = reading(scratch.domain());
  ASSERT_TRUE(other.holds());
  EXPECT_EQ(lock.upgrade(Deadline::after(1ms)), LockAnswer::timed_out);
  EXPECT_TRUE(lock.is_shared());
  other.child.say("let go");
  EXPECT_EQ(lock.upgrade(patience()), LockAnswer::acquired);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(lock.release(), LockAnswer::not_owner);
  EXPECT_EQ(other.child.wait(), 0);
}

TEST(RwLock, TheSecondToUpgradeIsToldThatTheFirstWaitsForIt) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
  Child first([domain = scratch.domain()] {
    RwLock same(domain, "lock");
    if (same.acquire_shared(patience()) != LockAnswer::acquired) return 1;
    return same.upgrade(patience()) == LockAnswer::acquired ? 0 : 2;
  });
  while (!lock.facts().draining) std::this_thread::yield();
  EXPECT_EQ(lock.upgrade(Deadline::never()), LockAnswer::would_deadlock);
  EXPECT_TRUE(lock.is_shared());
  EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired) << "who reads may read once more";
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(first.wait(), 0);
}

TEST(RwLock, LiesInARegionToo) {
  struct Robot {
    RwLockCell lock;
    double x;
  };
  const ScratchDirectory scratch;
  auto robot = Region<Robot>::open_or_create(scratch.domain(), "robot");
  RwLock lock(robot, robot->lock);
  RwLock same(robot, robot->lock);
  {
    const std::shared_lock reads(lock);
    EXPECT_TRUE(same.is_shared());
    EXPECT_EQ(in_a_thread([&] { return same.try_acquire(); }), LockAnswer::timed_out);
  }
  EXPECT_EQ(same.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  const RwLockCell elsewhere;
  EXPECT_EQ(errc_of([&] { RwLock(robot, elsewhere); }), Errc::invalid_argument);
}

TEST(RwLock, TwoThatLieSideBySideAreTwo) {
  struct Two {
    RwLockCell first, second;
  };
  const ScratchDirectory scratch;
  auto two = Region<Two>::open_or_create(scratch.domain(), "two");
  RwLock first(two, two->first);
  RwLock second(two, two->second);
  const std::shared_lock reads(first);
  EXPECT_FALSE(second.is_shared());
  EXPECT_EQ(second.try_acquire(), LockAnswer::acquired);
  EXPECT_EQ(second.release(), LockAnswer::released);
}

// ---- processes

TEST(RwLock, KeepsReadersAndWritersApart) {
  struct Pair {
    std::atomic<std::uint64_t> first, second;
  };
  const ScratchDirectory scratch;
  constexpr int kTimes = 3000;
  auto pair = Region<Pair>::create(scratch.domain(), "pair");
  const auto work = [domain = scratch.domain()] {
    RwLock lock(domain, "lock");
    auto both = Region<Pair>::open(domain, "pair");
    for (int i = 0; i < kTimes; ++i) {
      if (i % 4 == 0) {
        const std::scoped_lock writes(lock);
        // In two steps, between which they differ.
        const std::uint64_t before = both->first.load(std::memory_order_relaxed);
        both->first.store(before + 1, std::memory_order_relaxed);
        both->second.store(before + 1, std::memory_order_relaxed);
      } else {
        const std::shared_lock reads(lock);
        const std::uint64_t first = both->first.load(std::memory_order_relaxed);
        if (both->second.load(std::memory_order_relaxed) != first) return 1;
      }
    }
    return 0;
  };
  Child first(work);
  Child second(work);
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back([&] { failed += work(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(pair->first.load(std::memory_order_relaxed), 4u * kTimes / 4);
}

TEST(RwLock, NewReadersWaitBehindAWriter) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  const std::shared_lock reads(lock);
  HoldingChild writer = writing(scratch.domain());
  while (!lock.facts().draining) std::this_thread::yield();
  EXPECT_EQ(in_a_thread([&] { return lock.acquire_shared(Deadline::after(1ms)); }),
            LockAnswer::timed_out);
}

TEST(RwLock, AWriterOutOfTimeLetsReadersIn) {
  const ScratchDirectory scratch;
  HoldingChild reader = reading(scratch.domain());
  ASSERT_TRUE(reader.holds());
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(lock.acquire(Deadline::now()), LockAnswer::timed_out);
  EXPECT_EQ(lock.acquire(Deadline::after(-1s)), LockAnswer::timed_out);
  EXPECT_EQ(lock.acquire(Deadline::after(5ms)), LockAnswer::timed_out);
  EXPECT_FALSE(lock.try_lock_for(1ms));
  EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
  EXPECT_EQ(lock.facts().readers, 2u);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  reader.child.say("let go");
  EXPECT_EQ(lock.acquire(patience()), LockAnswer::acquired);
  EXPECT_EQ(reader.child.wait(), 0);
}

// ---- deaths

TEST(RwLock, ADeadReaderIsNotWaitedFor) {
  const ScratchDirectory scratch;
  HoldingChild reader = reading(scratch.domain());
  ASSERT_TRUE(reader.holds());
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(lock.try_acquire(), LockAnswer::timed_out);
  reader.child.kill();
  EXPECT_EQ(lock.acquire(patience()), LockAnswer::acquired);
}

TEST(RwLock, AWriterThatSleepsHearsOfAReadersDeath) {
  const ScratchDirectory scratch;
  HoldingChild reader = reading(scratch.domain());
  ASSERT_TRUE(reader.holds());
  HoldingChild writer = writing(scratch.domain());
  RwLock lock(scratch.domain(), "lock");
  while (!lock.facts().draining) std::this_thread::yield();
  reader.child.kill();
  EXPECT_TRUE(writer.holds());
}

TEST(RwLock, ADeadWriterIsToldToWhoeverComesNext) {
  for (const bool reads : {true, false}) {
    const ScratchDirectory scratch;
    die_writing(scratch.domain());
    RwLock lock(scratch.domain(), "lock");
    const auto take = [&] {
      return reads ? lock.acquire_shared(patience()) : lock.acquire(patience());
    };
    EXPECT_EQ(take(), LockAnswer::owner_died);
    EXPECT_TRUE(lock.facts().held) << "to repair it, alone";
    EXPECT_EQ(lock.downgrade(), LockAnswer::owner_died) << "readers would see it torn";
    EXPECT_EQ(lock.release(), LockAnswer::released);
    EXPECT_TRUE(lock.facts().inconsistent);
    EXPECT_EQ(take(), LockAnswer::owner_died) << "nobody repaired it";
    EXPECT_EQ(lock.declare_consistent(), LockAnswer::owner_died);
    EXPECT_EQ(lock.downgrade(), LockAnswer::acquired);
    EXPECT_TRUE(lock.is_shared());
    EXPECT_EQ(in_a_thread([&] { return lock.try_acquire_shared(); }), LockAnswer::acquired);
    EXPECT_EQ(lock.release(), LockAnswer::released);
    EXPECT_EQ(take(), LockAnswer::acquired);
  }
}

TEST(RwLock, AWriterThatDiesBeforeItIsInIsNotTold) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
  {
    HoldingChild writer = writing(scratch.domain());
    while (!lock.facts().draining) std::this_thread::yield();
    writer.child.kill();
  }
  EXPECT_EQ(in_a_thread([&] { return lock.acquire_shared(patience()); }), LockAnswer::acquired);
  EXPECT_EQ(lock.upgrade(patience()), LockAnswer::acquired);
  EXPECT_EQ(lock.release(), LockAnswer::released);
}

TEST(RwLock, GuardsOverADeadWriterThrowOrRepair) {
  const ScratchDirectory scratch;
  die_writing(scratch.domain());
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(errc_of([&] { lock.lock_shared(); }), Errc::owner_died);
  EXPECT_EQ(errc_of([&] { lock.lock(); }), Errc::owner_died);
  EXPECT_FALSE(lock.is_shared());
  EXPECT_EQ(lock.check(), LockAnswer::not_owner);
  RwLock throwing(scratch.domain(), "lock", {},
                  []() -> bool { throw std::runtime_error("not today"); });
  EXPECT_THROW(throwing.lock_shared(), std::runtime_error);
  EXPECT_EQ(throwing.check(), LockAnswer::not_owner);
  int repairs = 0;
  RwLock repairing(scratch.domain(), "lock", {}, [&] { return ++repairs > 0; });
  {
    const std::shared_lock reads(repairing);
    EXPECT_TRUE(lock.is_shared());
    EXPECT_EQ(in_a_thread([&] { return lock.try_acquire_shared(); }), LockAnswer::acquired);
  }
  const std::scoped_lock writes(repairing);
  EXPECT_EQ(repairs, 1) << "it was whole";
}

TEST(RwLock, ThatCannotBeRepairedIsRetired) {
  const ScratchDirectory scratch;
  die_writing(scratch.domain());
  RwLock lock(scratch.domain(), "lock", {}, [] { return false; });
  EXPECT_EQ(errc_of([&] { lock.lock_shared(); }), Errc::retired);
  EXPECT_EQ(lock.acquire_shared(Deadline::never()), LockAnswer::retired);
  EXPECT_EQ(lock.acquire(Deadline::never()), LockAnswer::retired);
  EXPECT_TRUE(lock.facts().retired);
}

TEST(RwLock, AThreadThatEndsGivesUpWhatItHas) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(in_a_thread([&] {
              EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
              return lock.try_acquire_shared();
            }),
            LockAnswer::acquired);
  EXPECT_EQ(lock.try_acquire(), LockAnswer::acquired) << "who reads no more is not waited for";
  EXPECT_EQ(lock.release(), LockAnswer::released);
  // And its number, with its line, may be another thread's by now.
  EXPECT_EQ(in_a_thread([&] { return lock.release(); }), LockAnswer::not_owner);
  EXPECT_EQ(in_a_thread([&] { return lock.try_acquire(); }), LockAnswer::acquired);
  EXPECT_EQ(lock.acquire_shared(patience()), LockAnswer::owner_died);
}

TEST(RwLock, ClosingTheLastHandleGivesItUp) {
  const ScratchDirectory scratch;
  RwLock kept(scratch.domain(), "lock");
  {
    RwLock closed(scratch.domain(), "lock");
    EXPECT_EQ(closed.try_acquire_shared(), LockAnswer::acquired);
  }
  EXPECT_TRUE(kept.is_shared()) << "another handle can give it back";
  Child writer([domain = scratch.domain()](Mouth& parent) {
    RwLock lock(domain, "lock");
    parent.say("ready");
    return lock.acquire(patience()) == LockAnswer::acquired ? 0 : 1;
  });
  EXPECT_EQ(writer.hear(), "ready");
  kept.close();
  EXPECT_EQ(writer.wait(), 0);
}

// What used to happen: the second time it took another cell, and only one of the two was given up.
TEST(RwLock, ReadTwiceBesideAnotherIsGivenUpWhole) {
  const ScratchDirectory scratch;
  RwLock other(scratch.domain(), "other");
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(in_a_thread([&] {
              EXPECT_EQ(other.try_acquire_shared(), LockAnswer::acquired);
              EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
              EXPECT_EQ(other.release(), LockAnswer::released);
              EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
              EXPECT_EQ(lock.upgrade(Deadline::now()), LockAnswer::would_deadlock);
              return LockAnswer::acquired;
            }),
            LockAnswer::acquired);
  EXPECT_EQ(lock.try_acquire(), LockAnswer::acquired) << "who reads no more is not waited for";
}

// The mutex inside is given back while one sleeps on it: its holder had only come to read.
class BusyMutex final : public internal::LockWitness {
 public:
  explicit BusyMutex(internal::RwLockWords& words) : words_(words) {}

  [[nodiscard]] bool may_be_dead(MemberId) const noexcept override { return false; }
  [[nodiscard]] Liveness liveness(MemberId) const noexcept override { return Liveness::alive; }
  os::Slept asleep(const RealAtomics::Word<std::uint64_t>&, std::span<const MemberId>, Deadline,
                   internal::Sleeper&) const noexcept override {
    words_.mutex.word.store(0, std::memory_order_relaxed);
    return os::Slept::over;
  }
  [[nodiscard]] LockAnswer memory() const noexcept override { return LockAnswer::acquired; }

 private:
  internal::RwLockWords& words_;
};

// What used to happen: would_deadlock, where nobody waited for it.
TEST(RwLock, UpgradesBesideOneWhoIsGoneInAMoment) {
  constexpr std::uint64_t kKey = 7;
  internal::RwLockWords words{};
  internal::ReaderLine line{};
  const RealAtomics::Word<std::uint32_t> ready{0};
  const internal::ReaderTable table(nullptr, ready, 0, nullptr, 0);
  internal::RwLockCore core(words, kKey);
  ASSERT_TRUE(core.enter_quick(line));
  const auto me = internal::MutexWord::of(internal::owner_word({1, 1}), 1);
  const auto other = internal::MutexWord::of(internal::owner_word({2, 1}), 1);
  const BusyMutex witness(words);
  words.mutex.word = other;
  EXPECT_EQ(core.upgrade(me, line, table, witness, Deadline::now()), LockAnswer::timed_out);
  words.gate = internal::kGateClosing;
  EXPECT_EQ(core.upgrade(me, line, table, witness, patience()), LockAnswer::would_deadlock);
  words.gate = internal::kGateOpen;
  words.mutex.word = other;
  EXPECT_EQ(core.upgrade(me, line, table, witness, patience()), LockAnswer::acquired);
}

TEST(RwLock, AForkedChildHoldsNothingAndTakesNothingAway) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  EXPECT_EQ(lock.try_acquire_shared(), LockAnswer::acquired);
  {
    Child child([&] {
      if (lock.is_shared() || lock.release() != LockAnswer::not_owner) return 1;
      if (lock.try_acquire() != LockAnswer::timed_out) return 2;  // the parent reads
      if (lock.try_acquire_shared() != LockAnswer::acquired) return 3;
      if (lock.release() != LockAnswer::released) return 4;
      lock.close();
      return 0;
    });
    EXPECT_EQ(child.wait(), 0);
  }
  EXPECT_TRUE(lock.is_shared());
  EXPECT_EQ(in_a_thread([&] { return lock.try_acquire(); }), LockAnswer::timed_out);
  EXPECT_EQ(lock.release(), LockAnswer::released);
}

TEST(RwLock, APlaceThatIsTakenAnewReadsNothing) {
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain(), "lock");
  for (int i = 0; i < 3; ++i) {
    HoldingChild reader = reading(scratch.domain());
    ASSERT_TRUE(reader.holds());
    reader.child.kill();
    EXPECT_EQ(reader.child.wait(), -SIGKILL);
    // Who joins next gives the dead one's place back, and sits there.
    Child next([domain = scratch.domain()] {
      RwLock same(domain, "lock");
      return !same.is_shared() && same.try_acquire() == LockAnswer::acquired &&
                     same.release() == LockAnswer::released
                 ? 0
                 : 1;
    });
    EXPECT_EQ(next.wait(), 0);
  }
  EXPECT_EQ(lock.try_acquire(), LockAnswer::acquired);
}

}  // namespace
}  // namespace kith
