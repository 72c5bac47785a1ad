#include "kith/sync/event.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "kith/base/error.hpp"

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
using tests::why_not_refused;

constexpr EventOptions kAutomatic{.reset = EventReset::automatic};

TEST(Event, LetsEverybodyByOnceItIsSet) {
  const ScratchDirectory scratch;
  Event event(scratch.domain(), "event");
  EXPECT_FALSE(event.is_set());
  EXPECT_EQ(event.wait(Deadline::now()), AwaitAnswer::timed_out);
  event.set();
  EXPECT_EQ(event.wait(Deadline::now()), AwaitAnswer::happened);
  EXPECT_EQ(event.wait(Deadline::now()), AwaitAnswer::happened);
  EXPECT_TRUE(event.reset());
  EXPECT_FALSE(event.reset());
  EXPECT_EQ(event.wait(Deadline::after(1ms)), AwaitAnswer::timed_out);
}

TEST(Event, ThatIsAutomaticLetsOneByForEachTimeItIsSet) {
  const ScratchDirectory scratch;
  Event event(scratch.domain(), "event", kAutomatic);
  event.set();
  event.set();  // it was
  EXPECT_EQ(event.wait(Deadline::now()), AwaitAnswer::happened);
  EXPECT_EQ(event.wait(Deadline::now()), AwaitAnswer::timed_out);
}

TEST(Event, WakesWhoSleepsInOtherProcesses) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const auto wait = [&] {
    Event event(domain, "event");
    return event.wait(patience()) == AwaitAnswer::happened ? 0 : 1;
  };
  Child first(wait);
  Child second(wait);
  Event event(domain, "event");
  event.set();
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
}

TEST(Event, ThatIsAutomaticLetsAsManyByAsItWasSet) {
  constexpr int kTimes = 200;
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  std::atomic<int> let_by{0};
  Event event(domain, "event", kAutomatic);
  Event answer(domain, "answer", kAutomatic);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        if (event.wait(patience()) != AwaitAnswer::happened) return;
        if (let_by.fetch_add(1, std::memory_order_relaxed) >= kTimes) return;
        answer.set();
      }
    });
  }
  for (int i = 0; i < kTimes; ++i) {
    event.set();
    ASSERT_EQ(answer.wait(patience()), AwaitAnswer::happened);
  }
  EXPECT_EQ(let_by.load(std::memory_order_relaxed), kTimes);
  EXPECT_FALSE(event.is_set());
  // Each of them leaves for one more, which the next set() must not come before.
  for (int i = 0; i < 3; ++i) {
    while (event.is_set()) std::this_thread::yield();
    event.set();
  }
  for (auto& thread : threads) thread.join();
}

TEST(Event, OutlivesOneWhoWaits) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child waiter([domain](Mouth& parent) {
    Event event(domain, "event", kAutomatic);
    parent.say("waits");
    return event.wait(Deadline::never()) == AwaitAnswer::happened ? 0 : 1;
  });
  ASSERT_EQ(waiter.hear(), "waits");
  waiter.kill();
  Event event(domain, "event", kAutomatic);
  event.set();
  EXPECT_EQ(event.wait(patience()), AwaitAnswer::happened);
}

TEST(Event, LiesInARegionToo) {
  struct Shared {
    EventCell go;
    EventCell done;
  };
  const ScratchDirectory scratch;
  auto region = Region<Shared>::create(scratch.domain(), "shared");
  Event go(region, region->go, kAutomatic);
  Event done(region, region->done);
  std::thread other([&] {
    Event mine(region, region->go, kAutomatic);
    if (mine.wait(patience()) == AwaitAnswer::happened) done.set();
  });
  go.set();
  EXPECT_EQ(done.wait(patience()), AwaitAnswer::happened);
  other.join();
  EXPECT_FALSE(go.is_set());
  EXPECT_EQ(go.attached(), 0u);
}

TEST(Event, IsResetInOneWayByAll) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Event manual(domain, "event");
  EXPECT_EQ(why_not_refused([&] { const Event other(domain, "event", kAutomatic); },
                            Errc::wrong_type, {"'event'", "resets itself"}),
            "");
  EXPECT_EQ(manual.attached(), 1u);
}

TEST(Event, ThatIsRemovedTellsWhoWaits) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child waiter([domain](Mouth& parent) {
    Event event(domain, "event");
    parent.say("waits");
    return event.wait(Deadline::never()) == AwaitAnswer::orphaned ? 0 : 1;
  });
  ASSERT_EQ(waiter.hear(), "waits");
  EXPECT_EQ(remove_object(domain, "event", Force::yes), Removal::removed);
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Event, OfAParentIsUsedByItsChild) {
  const ScratchDirectory scratch;
  Event event(scratch.domain(), "event");
  Child child([&] {
    event.set();
    return event.attached() == 1 || event.attached() == 2 ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(event.wait(patience()), AwaitAnswer::happened);
}

}  // namespace
}  // namespace kith
