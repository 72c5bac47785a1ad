#include "kith/sync/barrier.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/member/member.hpp"

#include "tests/support/child.hpp"
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

// A party that arrives for each word it hears, and says what it was told.
Child party(const Domain& domain, std::uint32_t parties) {
  return Child([domain, parties](Mouth& parent) {
    Barrier barrier(domain, "step", parties);
    parent.say("here");
    while (const auto word = parent.hear(soon())) {
      if (*word == "end") return 0;
      parent.say(std::string(to_string(barrier.arrive_and_wait(patience()))));
    }
    return 1;
  });
}

TEST(Barrier, OfOneIsPassedAtOnce) {
  const ScratchDirectory scratch;
  Barrier barrier(scratch.domain(), "step", 1);
  EXPECT_EQ(barrier.phase(), 0u);
  EXPECT_EQ(barrier.arrive_and_wait(Deadline::now()), AwaitAnswer::happened);
  EXPECT_EQ(barrier.arrive_and_wait(Deadline::now()), AwaitAnswer::happened);
  EXPECT_EQ(barrier.phase(), 2u);
}

TEST(Barrier, WaitsForThoseWhoHaveNotComeYet) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Barrier barrier(domain, "step", 2);
  EXPECT_EQ(barrier.arrive_and_wait(Deadline::after(1ms)), AwaitAnswer::timed_out);
  Child other = party(domain, 2);
  ASSERT_EQ(other.hear(), "here");
  other.say("arrive");
  EXPECT_EQ(barrier.arrive_and_wait(patience()), AwaitAnswer::happened);
  EXPECT_EQ(other.hear(), "happened");
  EXPECT_EQ(barrier.phase(), 1u);
}

TEST(Barrier, KeepsPartiesInStep) {
  constexpr int kSteps = 500;
  const ScratchDirectory scratch;
  struct Shared {
    BarrierCell<3> step;
    std::atomic<int> at[3];
    std::atomic<int> apart;
  };
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  const auto work = [&region](int which) {
    Barrier barrier(region, region->step);
    for (int step = 0; step < kSteps; ++step) {
      region->at[which].store(step, std::memory_order_relaxed);
      if (barrier.arrive_and_wait(patience()) != AwaitAnswer::happened) return 1;
      for (const auto& at : region->at) {
        if (at.load(std::memory_order_relaxed) < step ||
            at.load(std::memory_order_relaxed) > step + 1)
          region->apart.fetch_add(1, std::memory_order_relaxed);
      }
    }
    return 0;
  };
  // Seated before any of them goes on, so that none leaves before another has come.
  Child first([&] { return work(0); });
  Child second([&] { return work(1); });
  Child third([&] { return work(2); });
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(third.wait(), 0);
  EXPECT_EQ(region->apart.load(std::memory_order_relaxed), 0);
}

TEST(Barrier, GoesOnWithoutTheDeadAndSaysSo) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Barrier barrier(domain, "step", 3);
  Child living = party(domain, 3);
  ASSERT_EQ(living.hear(), "here");
  Child dead = party(domain, 3);
  ASSERT_EQ(dead.hear(), "here");
  living.say("arrive");
  EXPECT_EQ(barrier.arrive_and_wait(Deadline::after(1ms)), AwaitAnswer::timed_out);
  dead.kill();
  EXPECT_EQ(barrier.arrive_and_wait(patience()), AwaitAnswer::party_died);
  EXPECT_EQ(living.hear(), "party_died");
  // Until somebody comes in its place.
  Child heir = party(domain, 3);
  ASSERT_EQ(heir.hear(), "here");
  living.say("arrive");
  heir.say("arrive");
  EXPECT_EQ(barrier.arrive_and_wait(patience()), AwaitAnswer::happened);
  EXPECT_EQ(living.hear(), "happened");
  EXPECT_EQ(heir.hear(), "happened");
}

TEST(Barrier, SaysSoToThoseWhoComeAfterAReaper) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Barrier barrier(domain, "step", 2);
  Child dead = party(domain, 2);
  ASSERT_EQ(dead.hear(), "here");
  dead.kill();
  EXPECT_EQ(Member::join(domain).reap_dead().reaped, 1u);
  EXPECT_EQ(barrier.arrive_and_wait(patience()), AwaitAnswer::party_died);
}

TEST(Barrier, WaitsForOneWhoIsStopped) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Barrier barrier(domain, "step", 2);
  Child stopped = party(domain, 2);
  ASSERT_EQ(stopped.hear(), "here");
  ASSERT_TRUE(stopped.stop());
  EXPECT_EQ(barrier.arrive_and_wait(Deadline::after(300ms)), AwaitAnswer::timed_out);
}

TEST(Barrier, DoesNotWaitForThoseWhoLeft) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Barrier barrier(domain, "step", 3);
  {
    const Barrier closes(domain, "step", 3);
    Barrier leaves(domain, "step", 3);
    leaves.leave();
    EXPECT_EQ(leaves.arrive_and_wait(patience()), AwaitAnswer::not_owner);
  }
  EXPECT_EQ(barrier.arrive_and_wait(patience()), AwaitAnswer::happened);
}

TEST(Barrier, BeginsAnewWhenNobodyLives) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  {
    const Barrier first(domain, "step", 2);
    const Barrier second(domain, "step", 2);
  }
  {
    Barrier alone(domain, "step", 2);
    EXPECT_EQ(alone.arrive_and_wait(Deadline::after(1ms)), AwaitAnswer::timed_out);
  }
  Child dead = party(domain, 2);
  ASSERT_EQ(dead.hear(), "here");
  dead.kill();
  Barrier alone(domain, "step", 2);
  EXPECT_EQ(alone.arrive_and_wait(Deadline::after(1ms)), AwaitAnswer::timed_out);
  Barrier other(domain, "step", 2);
  EXPECT_EQ(other.arrive_and_wait(patience()), AwaitAnswer::happened);
  EXPECT_EQ(alone.arrive_and_wait(patience()), AwaitAnswer::happened);
}

TEST(Barrier, CountsNobodyAsArrivedWhoTookASeatOfOneWhoHad) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Barrier waiting(domain, "step", 2);
  {
    Barrier leaves(domain, "step", 2);
    EXPECT_EQ(leaves.arrive_and_wait(Deadline::now()), AwaitAnswer::timed_out);
  }
  const Barrier heir(domain, "step", 2);
  EXPECT_EQ(waiting.arrive_and_wait(Deadline::after(1ms)), AwaitAnswer::timed_out);
}

TEST(Barrier, SeatsNoMoreThanItIsFor) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Barrier barrier(domain, "step", 1);
  EXPECT_EQ(why_not_refused([&] { const Barrier more(domain, "step", 1); }, Errc::limit_reached,
                            {"'step'", "at most 1 parties"}),
            "");
  EXPECT_EQ(why_not_refused([&] { const Barrier more(domain, "step", 2); }, Errc::wrong_type,
                            {"'step'", "2 parties"}),
            "");
  EXPECT_EQ(why_not_refused([&] { const Barrier none(domain, "none", 0); }, Errc::invalid_argument,
                            {"'none'", "1 to 4096 parties"}),
            "");
}

TEST(Barrier, OfAParentIsNotAPartyOfItsChild) {
  const ScratchDirectory scratch;
  Barrier barrier(scratch.domain(), "step", 1);
  Child child(
      [&] { return barrier.arrive_and_wait(Deadline::now()) == AwaitAnswer::not_owner ? 0 : 1; });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(barrier.arrive_and_wait(Deadline::now()), AwaitAnswer::happened);
}

}  // namespace
}  // namespace kith
