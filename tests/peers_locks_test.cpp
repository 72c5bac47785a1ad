// What befalls the locks of others when somebody dies, or errs, and what befalls ours: each test is
// a row of the table in docs/locks.md, "Beside others". None of theirs is needed here.
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/region/truncation.hpp"
#include "kith/sync/mutex.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Findings;
using tests::in_own_process;
using tests::Mouth;
using tests::patience;
using tests::ScratchDirectory;
using tests::soon;
using tests::Verdict;
using tests::why_not_refused;

// A child that does `deed` with the mutex, tells what it was answered, and stays.
Child child_that(const Domain& domain, LockAnswer (*deed)(Mutex&)) {
  return Child([domain, deed](Mouth& parent) {
    Mutex mutex(domain, "lock");
    parent.say(std::string(to_string(deed(mutex))));
    return parent.hear(soon()) ? 0 : 1;
  });
}
LockAnswer acquire(Mutex& mutex) {
  return mutex.acquire(patience());
}
LockAnswer release(Mutex& mutex) {
  return mutex.release();
}
LockAnswer acquire_for_ever(Mutex& mutex) {
  return mutex.acquire(Deadline::never());
}

std::string repaired(Mutex& mutex) {
  if (mutex.declare_consistent() != LockAnswer::owner_died) return "there was nothing to repair";
  if (mutex.release() != LockAnswer::released) return "it cannot be given back";
  if (mutex.acquire(patience()) != LockAnswer::acquired) return "it is not as new";
  return mutex.release() == LockAnswer::released ? "" : "it cannot be given back again";
}

// ---- deaths

TEST(PeersLocks, OwnerKilledAndTheNextOneHasIt) {
  const ScratchDirectory scratch;
  Child owner = child_that(scratch.domain(), acquire);
  ASSERT_EQ(owner.hear(), "acquired");
  owner.kill();
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
  EXPECT_EQ(repaired(mutex), "");
}

TEST(PeersLocks, OwnerKilledWithTheMutexInsideASegment) {
  const ScratchDirectory scratch;
  auto segment = Region<MutexCell>::create(scratch.domain(), "segment");
  Mutex mutex(segment, *segment);
  Child owner([domain = scratch.domain()](Mouth& parent) {
    auto same = Region<MutexCell>::open(domain, "segment");
    Mutex mine(same, *same);
    parent.say(std::string(to_string(mine.acquire(patience()))));
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(owner.hear(), "acquired");
  owner.kill();
  EXPECT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
  EXPECT_EQ(repaired(mutex), "") << "there is a way back";
}

TEST(PeersLocks, OwnerKilledAgainAndAgain) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  for (int round = 0; round < 20; ++round) {
    Child owner = child_that(scratch.domain(), acquire);
    ASSERT_EQ(owner.hear(), "acquired");
    owner.kill();
    ASSERT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
    ASSERT_EQ(repaired(mutex), "");
  }
}

TEST(PeersLocks, WaitWithADeadlineOverADeadOwner) {
  const ScratchDirectory scratch;
  Child owner = child_that(scratch.domain(), acquire);
  ASSERT_EQ(owner.hear(), "acquired");
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_FALSE(mutex.try_lock_for(5ms)) << "it lives";
  owner.kill();
  EXPECT_EQ(mutex.acquire(Deadline::after(1h)), LockAnswer::owner_died);
}

TEST(PeersLocks, OwnerKilledUnderThoseWhoWaitWithoutADeadline) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  Child owner = child_that(scratch.domain(), acquire);
  ASSERT_EQ(owner.hear(), "acquired");
  std::vector<Child> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([domain = scratch.domain()] {
      Mutex mine(domain, "lock");
      const LockAnswer answer = mine.acquire(Deadline::never());
      return answer == LockAnswer::owner_died && mine.release() == LockAnswer::released ? 0 : 1;
    });
  }
  while (!mutex.facts().has_waiters) std::this_thread::yield();
  owner.kill();
  for (Child& waiter : waiters) EXPECT_EQ(waiter.wait(), 0) << "nobody has repaired it";
}

TEST(PeersLocks, WaiterKilledAndNobodyElseHangs) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(mutex.acquire(patience()), LockAnswer::acquired);
    Child killed = child_that(scratch.domain(), acquire_for_ever);
    while (!mutex.facts().has_waiters) std::this_thread::yield();
    Child next = child_that(scratch.domain(), acquire_for_ever);
    killed.kill();
    ASSERT_EQ(mutex.release(), LockAnswer::released);
    ASSERT_EQ(next.hear(), "acquired");
    next.kill();
    ASSERT_EQ(mutex.acquire(patience()), LockAnswer::owner_died);
    ASSERT_EQ(repaired(mutex), "");
  }
}

// Killed at every instruction of it by ./prove.sh, "mutex: open or create"; here, for a moment.
TEST(PeersLocks, CreatorKilledAndTheNextOneOpensOrCreates) {
  const ScratchDirectory scratch;
  for (int round = 0; round < 20; ++round) {
    Child creator([domain = scratch.domain(), round](Mouth& parent) -> int {
      parent.say("creating");
      for (int i = 0;; ++i) Mutex(domain, "lock" + std::to_string(round) + std::to_string(i));
    });
    ASSERT_EQ(creator.hear(), "creating");
    creator.kill();
    const std::string name = "lock" + std::to_string(round);
    for (const char* end : {"0", "1", "2"}) {
      Mutex mutex(scratch.domain(), name + end);
      ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
    }
  }
}

TEST(PeersLocks, StoppedOwnerIsAlive) {
  const ScratchDirectory scratch;
  Child owner = child_that(scratch.domain(), acquire);
  ASSERT_EQ(owner.hear(), "acquired");
  ASSERT_TRUE(owner.stop());
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(Deadline::after(250ms)), LockAnswer::timed_out);
  owner.signal(SIGCONT);
}

// ---- mistakes

TEST(PeersLocks, UnlockByAStrangerIsRefused) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  Child stranger = child_that(scratch.domain(), release);
  EXPECT_EQ(stranger.hear(), "not_owner");
  std::thread([&] { EXPECT_EQ(mutex.release(), LockAnswer::not_owner); }).join();
  EXPECT_EQ(mutex.check(), LockAnswer::acquired);
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(mutex.release(), LockAnswer::not_owner) << "and twice is once too often";
}

TEST(PeersLocks, RemovedInUseMakesNoTwoOwners) {
  const ScratchDirectory scratch;
  Mutex mutex(scratch.domain(), "lock");
  ASSERT_EQ(mutex.acquire(Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(remove_object(scratch.domain(), "lock"), Removal::in_use);
  ASSERT_EQ(remove_object(scratch.domain(), "lock", Force::yes), Removal::removed);
  EXPECT_TRUE(mutex.is_orphaned()) << "by force there may be two, and each can know";
  Mutex newer(scratch.domain(), "lock");
  EXPECT_FALSE(newer.is_orphaned());
}

TEST(PeersLocks, ClosedWhileHeldHarmsNoOtherLock) {
  const ScratchDirectory scratch;
  Mutex other(scratch.domain(), "other");
  ASSERT_EQ(other.acquire(Deadline::now()), LockAnswer::acquired);
  {
    Mutex held(scratch.domain(), "lock");
    ASSERT_EQ(held.acquire(Deadline::now()), LockAnswer::acquired);
  }
  EXPECT_EQ(other.release(), LockAnswer::released);
  EXPECT_EQ(other.acquire(Deadline::now()), LockAnswer::acquired);
  Mutex again(scratch.domain(), "lock");
  EXPECT_EQ(again.acquire(Deadline::now()), LockAnswer::owner_died);
}

TEST(PeersLocks, ClosedWhileWaitedForWakesThoseWhoWait) {
  const ScratchDirectory scratch;
  Mutex held(scratch.domain(), "lock");
  ASSERT_EQ(held.acquire(Deadline::now()), LockAnswer::acquired);
  Child waiter = child_that(scratch.domain(), acquire_for_ever);
  while (!held.facts().has_waiters) std::this_thread::yield();
  held.close();
  EXPECT_EQ(waiter.hear(), "owner_died");
}

TEST(PeersLocks, DeadlinesOfAllKindsEnd) {
  const ScratchDirectory scratch;
  Child owner([domain = scratch.domain()](Mouth& parent) {
    Mutex mine(domain, "lock");
    parent.say(std::string(to_string(mine.acquire(patience()))));
    return parent.hear(soon()) && mine.release() == LockAnswer::released ? 0 : 1;
  });
  ASSERT_EQ(owner.hear(), "acquired");
  Mutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.acquire(Deadline::after(-1h)), LockAnswer::timed_out);
  EXPECT_EQ(mutex.acquire(Deadline::at(Deadline::Clock::time_point::min())), LockAnswer::timed_out);
  EXPECT_FALSE(mutex.try_lock_for(std::chrono::hours::min()));
  EXPECT_FALSE(mutex.try_lock_for(-1.5s));
  owner.say("end");
  // The longest there are wait, and do not turn into the shortest.
  EXPECT_TRUE(mutex.try_lock_for(std::chrono::hours::max()));
  EXPECT_EQ(mutex.release(), LockAnswer::released);
  EXPECT_EQ(mutex.acquire(Deadline::at(Deadline::Clock::time_point::max())), LockAnswer::acquired);
}

TEST(PeersLocks, BytesOfSomethingElseAreRefused) {
  const ScratchDirectory scratch;
  tests::put_bytes(scratch.in("lock"), std::string(40, '\0'));
  EXPECT_EQ(why_not_refused([&] { Mutex(scratch.domain(), "lock"); }, Errc::not_ours, {"'lock'"}),
            "");
}

// ---- memory that is lost

// The word lies in pages that are gone; another handle, opened before, is told as well.
TEST(PeersLocks, FileCutShortIsDamaged) {
  const Verdict verdict = in_own_process([](Findings& find) {
    guard_truncation();
    const ScratchDirectory scratch;
    Mutex held(scratch.domain(), "lock");
    Mutex free(scratch.domain(), "free");
    find.that(held.acquire(Deadline::now()) == LockAnswer::acquired, "it is held");
    for (const char* name : {"lock", "free"}) {
      find.that(::truncate(scratch.in(name).c_str(), 0) == 0, "it is cut short");
    }
    find.that(free.acquire(Deadline::now()) == LockAnswer::damaged, "acquire says so");
    find.that(free.acquire(Deadline::never()) == LockAnswer::damaged, "and does not wait");
    find.nothing(why_not_refused([&] { free.lock(); }, Errc::damaged, {"'free'", "cut short"}),
                 "lock says so");
    find.that(held.release() != LockAnswer::released, "what is lost cannot be given back");
  });
  EXPECT_EQ(verdict.failures, "");
}

TEST(PeersLocks, FileCutShortUnderAWaiterIsDamaged) {
  const Verdict verdict = in_own_process([](Findings& find) {
    guard_truncation();
    const ScratchDirectory scratch;
    Child owner = child_that(scratch.domain(), acquire);
    find.that(owner.hear() == "acquired", "it is held");
    Mutex mutex(scratch.domain(), "lock");
    std::thread waiter([&] {
      find.that(mutex.acquire(Deadline::never()) == LockAnswer::damaged, "the waiter is told");
    });
    while (!mutex.facts().has_waiters) std::this_thread::yield();
    find.that(::truncate(scratch.in("lock").c_str(), 0) == 0, "it is cut short");
    waiter.join();
  });
  EXPECT_EQ(verdict.failures, "");
}

}  // namespace
}  // namespace kith
