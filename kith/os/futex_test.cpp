#include "kith/os/futex.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <new>
#include <string>

#include "kith/os/mapping.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"
#include "tests/support/without_call.hpp"

namespace kith::os {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;

// A word that forked children share.
struct SharedWord {
  Mapping page;
  std::atomic<std::uint32_t>* word = nullptr;

  SharedWord() {
    const ScratchDirectory directory;
    const auto file = create_unnamed(directory.open());
    static_cast<void>(set_size(file.value, page_size()));
    page = std::move(Mapping::of_file(file.value, page_size(), Access::read_write).value);
    word = new (page.data()) std::atomic<std::uint32_t>(0);
  }
};

// A child that sleeps on the word until its value differs from `value`.
int sleep_until_changed(const std::atomic<std::uint32_t>& word, std::uint32_t value,
                        Mouth& parent) {
  parent.say("s");
  // acquire: as a real waiter would read it.
  while (word.load(std::memory_order_acquire) == value) {
    futex_wait(word, value, Deadline::never());
  }
  return 0;
}

// Waits until the kernel shows the process asleep, so that a wake meets a sleeper.
bool is_asleep_soon(pid_t pid) {
  const Deadline deadline = Deadline::after(20s);
  while (!deadline.has_passed()) {
    std::ifstream facts("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(facts, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end != std::string::npos && line.compare(name_end + 2, 1, "S") == 0) return true;
    pause_for(1ms, deadline);
  }
  return false;
}

TEST(Futex, AddingOneWakesASleeperInAnotherProcess) {
  const SharedWord shared;
  Child child([&](Mouth& parent) { return sleep_until_changed(*shared.word, 0, parent); });
  ASSERT_EQ(child.hear(), "s");
  ASSERT_TRUE(is_asleep_soon(child.pid()));
  futex_add_one_and_wake_all(*shared.word);
  EXPECT_EQ(child.wait(), 0);
  // relaxed: the child has ended, nobody else writes.
  EXPECT_EQ(shared.word->load(std::memory_order_relaxed), 1U);
}

TEST(Futex, AddingOneWakesAllSleepersAndWrapsAround) {
  const SharedWord shared;
  constexpr std::uint32_t kLast = 0xffff'ffff;
  // relaxed: before any child exists.
  shared.word->store(kLast, std::memory_order_relaxed);
  const auto role = [&](Mouth& parent) { return sleep_until_changed(*shared.word, kLast, parent); };
  Child first(role);
  Child second(role);
  Child third(role);
  for (Child* child : {&first, &second, &third}) {
    ASSERT_EQ(child->hear(), "s");
    ASSERT_TRUE(is_asleep_soon(child->pid()));
  }
  futex_add_one_and_wake_all(*shared.word);
  for (Child* child : {&first, &second, &third}) EXPECT_EQ(child->wait(), 0);
  // relaxed: the children have ended.
  EXPECT_EQ(shared.word->load(std::memory_order_relaxed), 0U);
}

TEST(Futex, AddingOneWithNobodyAsleepOnlyAdds) {
  const SharedWord shared;
  for (int i = 0; i < 3; ++i) futex_add_one_and_wake_all(*shared.word);
  // relaxed: one process.
  EXPECT_EQ(shared.word->load(std::memory_order_relaxed), 3U);
}

TEST(Futex, WakingReachesASleeperInAnotherProcessWithoutAChangeOfTheWord) {
  const SharedWord shared;
  Child child([&](Mouth& parent) {
    parent.say("s");
    futex_wait(*shared.word, 0, Deadline::never());
    parent.say("w");
    return 0;
  });
  ASSERT_EQ(child.hear(), "s");
  ASSERT_TRUE(is_asleep_soon(child.pid()));
  futex_wake_all(*shared.word);
  EXPECT_EQ(child.hear(), "w");
  EXPECT_EQ(child.wait(), 0);
}

// A return is the answer: a wait that hung would be ended by the watchdog of Child.
TEST(Futex, DoesNotSleepOnAnotherValueNorPastTheDeadline) {
  const SharedWord shared;
  Child child([&] {
    futex_wait(*shared.word, 1, Deadline::never());
    futex_wait(*shared.word, 0, Deadline::now());
    const Deadline soon = Deadline::after(10ms);
    while (!soon.has_passed()) futex_wait(*shared.word, 0, soon);
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

// ---- several words

// Sleeps on both until one of them is no longer 0.
int sleep_on_two(const std::atomic<std::uint32_t>& one, const std::atomic<std::uint32_t>& other,
                 Mouth& parent) {
  parent.say("s");
  const ExpectedWord words[] = {{one, 0}, {other, 0}};
  // acquire: as a real waiter would read them.
  while (one.load(std::memory_order_acquire) == 0 && other.load(std::memory_order_acquire) == 0) {
    futex_wait_any(words, Deadline::never());
  }
  return 0;
}

TEST(Futex, SleepsOnSeveralWordsUntilOneChanges) {
  for (const bool first : {true, false}) {
    const SharedWord one;
    const SharedWord other;
    Child child([&](Mouth& parent) { return sleep_on_two(*one.word, *other.word, parent); });
    ASSERT_EQ(child.hear(), "s");
    ASSERT_TRUE(is_asleep_soon(child.pid()));
    futex_add_one_and_wake_all(first ? *one.word : *other.word);
    EXPECT_EQ(child.wait(), 0);
  }
}

TEST(Futex, SeesThatOneOfSeveralWordsChangesWhereTheKernelKnowsOneOnly) {
  for (const int error : {ENOSYS, EPERM}) {
    for (const bool first : {true, false}) {
      const SharedWord one;
      const SharedWord other;
      Child child([&](Mouth& parent) {
        if (!tests::refuse_call(tests::kFutexWaitv, error)) return tests::kRefused;
        return sleep_on_two(*one.word, *other.word, parent);
      });
      if (child.hear() != "s") GTEST_SKIP() << "no filter of system calls here";
      ASSERT_TRUE(is_asleep_soon(child.pid()));
      futex_add_one_and_wake_all(first ? *one.word : *other.word);
      EXPECT_EQ(child.wait(), 0);
    }
  }
}

TEST(Futex, DoesNotSleepOnSeveralWordsOfWhichOneHasChangedNorPastTheDeadline) {
  for (const bool knows_one_only : {false, true}) {
    Child child([&] {
      if (knows_one_only && !tests::refuse_call(tests::kFutexWaitv, ENOSYS)) return 0;
      const std::atomic<std::uint32_t> one(0);
      const std::atomic<std::uint64_t> other(std::uint64_t{7} << 32);
      const ExpectedWord changed[] = {{one, 0}, {other, 1}};
      futex_wait_any(changed, Deadline::never());
      const ExpectedWord same[] = {{one, 0}, {other, 0}};  // the lower half
      futex_wait_any(same, Deadline::now());
      const Deadline soon = Deadline::after(10ms);
      while (!soon.has_passed()) futex_wait_any(same, soon);
      return 0;
    });
    EXPECT_EQ(child.wait(), 0);
  }
}

// ---- signals

void handle(int) {}

// How the child's sleep ended that the signal came into.
std::string slept_through_signal(int flags, Slept (*sleep)(const SharedWord&)) {
  const SharedWord shared;
  Child child([&](Mouth& parent) {
    struct sigaction action {};
    action.sa_handler = &handle;
    action.sa_flags = flags;
    if (::sigaction(SIGUSR1, &action, nullptr) != 0) return 1;
    parent.say("s");
    const Slept slept = sleep(shared);
    parent.say(slept == Slept::interrupted ? "interrupted" : "over");
    return 0;
  });
  if (child.hear() != "s" || !is_asleep_soon(child.pid())) return "not asleep";
  child.signal(SIGUSR1);
  return child.hear();
}

TEST(Futex, SaysThatASignalWasHandled) {
  const auto on_one = [](const SharedWord& shared) {
    return futex_wait(*shared.word, 0, Deadline::after(60s));
  };
  EXPECT_EQ(slept_through_signal(0, on_one), "interrupted");
  EXPECT_EQ(slept_through_signal(SA_RESTART, on_one), "interrupted");
  const auto on_two = [](const SharedWord& shared) {
    const ExpectedWord words[] = {{*shared.word, 0}, {*shared.word, 0}};
    return futex_wait_any(words, Deadline::after(60s));
  };
  EXPECT_EQ(slept_through_signal(0, on_two), "interrupted");
  const auto on_none = [](const SharedWord&) { return pause_for(60s, Deadline::never()); };
  EXPECT_EQ(slept_through_signal(0, on_none), "interrupted");
}

TEST(Pause, IsNoLongerThanTheDeadline) {
  Child child([] {
    pause_for(24h, Deadline::now());
    pause_for(24h, Deadline::after(1ms));
    pause_for(1ms, Deadline::never());
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace kith::os
