// Waits that a signal ends where that was asked for, and goes unnoticed where it was not.
#include <atomic>
#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/sync/barrier.hpp"
#include "kith/sync/condition.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
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

std::atomic<bool> handled{false};  // lock-free, so a handler may
void handle(int) {
  handled.store(true, std::memory_order_relaxed);
}

bool handle_signals(int flags) {
  struct sigaction action {};
  action.sa_handler = &handle;
  action.sa_flags = flags;
  return ::sigaction(SIGUSR1, &action, nullptr) == 0;
}

// What nobody gets who waits, as long as it lives.
struct Kept {
  explicit Kept(const Domain& domain)
      : mutex(domain, "mutex"),
        permits(domain, "permits", 1),
        written(domain, "written"),
        read(domain, "read"),
        buffer(domain, "buffer", 16),
        value(domain, "value") {
    EXPECT_TRUE(holds(mutex.try_acquire()));
    EXPECT_TRUE(holds(permits.try_acquire()));
    EXPECT_TRUE(holds(written.try_acquire()));
    EXPECT_TRUE(holds(read.try_acquire_shared()));
  }

  Mutex mutex;
  Semaphore permits;
  RwLock written;
  RwLock read;
  GuardedBytes buffer;
  HeldBytes bytes = buffer.try_acquire();
  LatestWriter<int> value;
};

using Wait = std::function<std::string(const Domain&, Deadline)>;
struct Case {
  const char* name;
  Wait wait;
};

std::string text(LockAnswer answer) {
  return std::string(to_string(answer));
}
std::string text(AwaitAnswer answer) {
  return std::string(to_string(answer));
}

std::vector<Case> waits() {
  return {
      {"mutex", [](const Domain& d, Deadline end) { return text(Mutex(d, "mutex").acquire(end)); }},
      {"semaphore",
       [](const Domain& d, Deadline end) { return text(Semaphore(d, "permits", 1).acquire(end)); }},
      {"counting semaphore",
       [](const Domain& d, Deadline end) {
         return text(CountingSemaphore(d, "count").acquire(end));
       }},
      {"event", [](const Domain& d, Deadline end) { return text(Event(d, "event").wait(end)); }},
      {"barrier", [](const Domain& d,
                     Deadline end) { return text(Barrier(d, "barrier", 2).arrive_and_wait(end)); }},
      {"condition",
       [](const Domain& d, Deadline end) {
         Mutex mutex(d, "own");
         if (!holds(mutex.try_acquire())) return std::string("not held");
         const AwaitAnswer answer =
             Condition(d, "condition").wait(mutex, end, [] { return false; });
         return text(answer) + (holds(mutex.check()) ? "" : ", and the mutex is lost");
       }},
      {"reader", [](const Domain& d,
                    Deadline end) { return text(RwLock(d, "written").acquire_shared(end)); }},
      {"writer, while another writes",
       [](const Domain& d, Deadline end) { return text(RwLock(d, "written").acquire(end)); }},
      {"writer, while another reads",
       [](const Domain& d, Deadline end) {
         const std::string answer = text(RwLock(d, "read").acquire(end));
         // It has opened the gate again.
         return holds(RwLock(d, "read").try_acquire_shared()) ? answer : "nobody can read";
       }},
      {"guarded bytes",
       [](const Domain& d, Deadline end) {
         return text(GuardedBytes(d, "buffer", 16).acquire(end).answer());
       }},
      {"newer value",
       [](const Domain& d, Deadline end) -> std::string {
         LatestReader<int> reader(d, "value");
         const WaitAnswer answer = reader.wait_newer(end);
         if (answer == WaitAnswer::interrupted) return "interrupted";
         return answer == WaitAnswer::timed_out ? "timed_out" : "another answer";
       }},
  };
}

Case several() {
  return {"several objects", [](const Domain& d, Deadline end) {
            Mutex mutex(d, "mutex");
            Event event(d, "event");
            const AnyAnswer any = wait_any(end, mutex, event);
            return text(any.answer) + (any.index == AnyAnswer::kNone ? "" : ", of one");
          }};
}

// Waits in a child that handles signals, which come until it has an answer.
std::string answer_to_signals(const Case& one, int flags, const std::function<Deadline()>& until) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Kept kept(domain);
  Child child([&](Mouth& parent) {
    if (!handle_signals(flags)) return 1;
    parent.say("ready");
    std::string answer;
    // What ended before the first signal came says nothing.
    do {
      answer = one.wait(domain, until());
    } while (!handled.load(std::memory_order_relaxed) && answer == "timed_out");
    parent.say(answer);
    return 0;
  });
  if (child.hear() != "ready") return "not ready";
  const Deadline patience = Deadline::after(30s);
  std::string word;
  while (word.empty() && !patience.has_passed()) {
    child.signal(SIGUSR1);
    word = child.hear_until(testkit::within(2ms));
  }
  return word;
}

TEST(Interrupted, EveryWaitEndsWhereThatIsAskedFor) {
  const auto until = [] { return Deadline::after(60s).interruptible(); };
  for (const Case& one : waits()) {
    EXPECT_EQ(answer_to_signals(one, 0, until), "interrupted") << one.name;
    EXPECT_EQ(answer_to_signals(one, SA_RESTART, until), "interrupted") << one.name;
  }
  EXPECT_EQ(answer_to_signals(several(), 0, until), "interrupted");
}

TEST(Interrupted, EveryWaitEndsAlsoWithoutADeadline) {
  const auto until = [] { return Deadline::never().interruptible(); };
  for (const Case& one : waits()) {
    EXPECT_EQ(answer_to_signals(one, SA_RESTART, until), "interrupted") << one.name;
  }
  EXPECT_EQ(answer_to_signals(several(), 0, until), "interrupted");
}

TEST(Interrupted, NoWaitEndsWhereThatIsNotAskedFor) {
  const auto until = [] { return Deadline::after(30ms); };
  std::vector<Case> all = waits();
  all.push_back(several());
  for (const Case& one : all) {
    EXPECT_EQ(answer_to_signals(one, 0, until), "timed_out") << one.name;
  }
}

// Also if the signal comes over and over again.
TEST(Interrupted, WhatCanBeHadIsHadAllTheSame) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Mutex mutex(domain, "mutex");
  Child child([&](Mouth& parent) {
    if (!handle_signals(0)) return 1;
    parent.say("ready");
    while (!handled.load(std::memory_order_relaxed)) {
    }
    Mutex own(domain, "mutex");
    Event event(domain, "event", {.reset = EventReset::automatic});
    event.set();
    const Deadline until = Deadline::after(60s).interruptible();
    parent.say(text(own.acquire(until)));
    parent.say(text(event.wait(until)));
    event.set();
    parent.say(text(wait_any(until, own, event).answer));
    return 0;
  });
  ASSERT_EQ(child.hear(), "ready");
  child.signal(SIGUSR1);
  EXPECT_EQ(child.hear(), "acquired");
  EXPECT_EQ(child.hear(), "happened");
  EXPECT_EQ(child.hear(), "acquired");
  EXPECT_EQ(child.wait(), 0);
}

TEST(Interrupted, NobodyLosesAWakeByIt) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const auto take_turns = [&domain](bool interruptible) {
    return [&domain, interruptible](Mouth& parent) {
      if (!handle_signals(0)) return 1;
      parent.say("ready");
      Mutex mutex(domain, "mutex");
      Semaphore permits(domain, "permits", 1);
      for (int i = 0; i < 2000; ++i) {
        const Deadline end = Deadline::after(60s).interruptible(interruptible);
        const AnyAnswer any = wait_any(end, mutex, permits);
        if (any.took(0) && mutex.release() != LockAnswer::released) return 2;
        if (any.took(1) && permits.release() != LockAnswer::released) return 3;
        if (holds(any.answer)) continue;
        if (!interruptible || any.answer != LockAnswer::interrupted) return 4;
      }
      parent.say("done");
      return 0;
    };
  };
  Child children[] = {Child(take_turns(true)), Child(take_turns(true)), Child(take_turns(false))};
  for (Child& child : children) ASSERT_EQ(child.hear(), "ready");
  for (Child& child : children) {
    const Deadline patience = Deadline::after(30s);
    std::string word;
    while (word.empty() && !patience.has_passed()) {
      for (const Child& one : children) one.signal(SIGUSR1);  // whoever has ended is not reaped yet
      word = child.hear_until(testkit::within(1ms));
    }
    EXPECT_EQ(word, "done");
  }
  for (Child& child : children) EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace kith
