#include "kith/os/last_word.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <new>
#include <unistd.h>

#include "kith/os/futex.hpp"
#include "kith/os/mapping.hpp"
#include "kith/os/truncation_guard.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::os {
namespace {

using tests::Child;
using tests::Findings;
using tests::in_own_process;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;
using tests::Verdict;

using Word = RealAtomics::Word<std::uint32_t>;

// A file of one page, mapped; forked children share it.
struct SharedPage {
  Descriptor file;
  Mapping page;

  SharedPage() {
    const ScratchDirectory directory;
    file = std::move(create_unnamed(directory.open()).value);
    static_cast<void>(set_size(file, page_size()));
    page = std::move(Mapping::of_file(file, page_size(), Access::read_write).value);
  }
  [[nodiscard]] Word& word() const { return *reinterpret_cast<Word*>(page.data()); }
  // acquire: as a real waiter would read it.
  [[nodiscard]] std::uint32_t now() const { return word().load(std::memory_order_acquire); }
};

// Stays until it is told to end.
struct Idle final : LastWord::Work {
  std::atomic<bool> told{false};
  void run() override { told.wait(false); }
  void end() {
    told = true;
    told.notify_all();
  }
};

// A child whose last word is given, and who then stays until it is killed or told to do `then`.
Child speaking_child(const SharedPage& shared, std::function<int(LastWord&)> then = {}) {
  return Child([&shared, then = std::move(then)](Mouth& parent) {
    auto given = LastWord::give(shared.word(), std::make_shared<Idle>());
    parent.say(given ? "given" : "refused");
    if (!parent.hear(soon())) return 1;
    const int status = then ? then(given.value) : 0;
    parent.say("done");
    static_cast<void>(parent.hear(soon()));
    return status;
  });
}

TEST(LastWord, OfAKilledProcessWakesOneWhoSleepsOnIt) {
  const SharedPage shared;
  Child speaker = speaking_child(shared);
  ASSERT_EQ(speaker.hear(), "given");
  const std::uint32_t given = shared.now();
  EXPECT_NE(given, 0u);
  EXPECT_FALSE(says_dead(given));
  Child sleeper([&](Mouth& parent) {
    parent.say("ready");
    while (shared.now() == given) futex_wait(shared.word(), given, Deadline::never());
    return says_dead(shared.now()) ? 0 : 1;
  });
  ASSERT_EQ(sleeper.hear(), "ready");
  speaker.kill();
  EXPECT_EQ(sleeper.wait(), 0);
  EXPECT_TRUE(says_dead(shared.now()));
}

TEST(LastWord, IsSpokenWhenItsProcessBecomesAnotherProgram) {
  const SharedPage shared;
  Child speaker = speaking_child(shared, [](LastWord&) {
    ::execlp("sleep", "sleep", "1000", nullptr);
    return 1;
  });
  ASSERT_EQ(speaker.hear(), "given");
  const std::uint32_t given = shared.now();
  speaker.say("go");
  const Deadline deadline = Deadline::after(std::chrono::seconds(30));
  while (shared.now() == given && !deadline.has_passed()) {
    futex_wait(shared.word(), given, deadline);
  }
  EXPECT_TRUE(says_dead(shared.now()));
}

TEST(LastWord, TakenBackIsNotSpoken) {
  const SharedPage shared;
  Child speaker = speaking_child(shared, [](LastWord& word) {
    word.take_back();
    return 0;
  });
  ASSERT_EQ(speaker.hear(), "given");
  speaker.say("go");
  ASSERT_EQ(speaker.hear(), "done");
  EXPECT_EQ(shared.now(), 0u);
  speaker.kill();
  EXPECT_EQ(shared.now(), 0u);
}

TEST(LastWord, IsNotSpokenByAForkedChild) {
  const SharedPage shared;
  Child speaker = speaking_child(shared, [](LastWord& word) {
    Child forked([&word] {
      word.forget();
      return 0;
    });
    return forked.wait();
  });
  ASSERT_EQ(speaker.hear(), "given");
  const std::uint32_t given = shared.now();
  speaker.say("go");
  ASSERT_EQ(speaker.hear(), "done");
  EXPECT_EQ(shared.now(), given);
  speaker.kill();
  EXPECT_TRUE(says_dead(shared.now()));
}

// Of a process that goes on: no more is promised than that the thread is gone.
TEST(LastWord, IsSpokenAtTheEndOfItsThread) {
  const SharedPage shared;
  auto idle = std::make_shared<Idle>();
  auto given = LastWord::give(shared.word(), idle);
  ASSERT_TRUE(given);
  const std::uint32_t word = shared.now();
  idle->end();
  while (shared.now() == word) futex_wait(shared.word(), word, Deadline::never());
  EXPECT_TRUE(says_dead(shared.now()));
  given.value.take_back();
  EXPECT_EQ(shared.now(), 0u);
}

// Reads a page of a file that was cut short.
struct Reading final : LastWord::Work {
  const SharedPage& cut;
  std::atomic<int> found{-1};
  explicit Reading(const SharedPage& page) : cut(page) {}
  void run() override {
    found = static_cast<int>(cut.now());
    found.notify_all();
  }
};

// Signals are blocked in the thread, but for those that it raises itself.
TEST(LastWord, ItsThreadMayReachPagesThatWereLost) {
  const Verdict verdict = in_own_process([](Findings& find) {
    guard_truncation();
    const SharedPage shared;
    const SharedPage cut;
    const GuardedPages guarded(cut.page);
    cut.word().store(7, std::memory_order_relaxed);
    find.that(set_size(cut.file, 0).error == 0, "it is cut short");
    const auto reading = std::make_shared<Reading>(cut);
    const auto given = LastWord::give(shared.word(), reading);
    reading->found.wait(-1);
    find.that(given && reading->found == 0, "what is lost reads as zero");
  });
  EXPECT_EQ(verdict.failures, "");
}

}  // namespace
}  // namespace kith::os
