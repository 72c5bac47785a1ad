#include "kith/member/internal/death_watch.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "kith/member/internal/membership.hpp"
#include "kith/os/file.hpp"
#include "kith/os/futex.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::internal {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;

// A child that is a member, and whose death the kernel announces if it is `watched`.
struct OtherMember {
  explicit OtherMember(const ScratchDirectory& scratch, bool watched)
      : child([domain = scratch.domain(), watched](Mouth& parent) {
          const auto membership = Membership::of(domain);
          if (watched && membership->watch_deaths() == nullptr) return 1;
          parent.say(std::to_string(membership->id().index) + " " +
                     std::to_string(membership->id().incarnation));
          return parent.hear(soon()) ? 0 : 2;
        }) {}
  MemberId id() {
    std::istringstream words(child.hear());
    MemberId id;
    words >> id.index >> id.incarnation;
    return id;
  }
  Child child;
};

// Until the kernel shows the thread asleep.
bool is_asleep_soon(const std::atomic<long>& thread) {
  const Deadline deadline = Deadline::after(20s);
  while (!deadline.has_passed()) {
    std::ifstream facts("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(facts, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end != std::string::npos && line.compare(name_end + 2, 1, "S") == 0) return true;
    std::this_thread::yield();
  }
  return false;
}

// Method: a thread sleeps without an end on a word that nobody changes; only the watch can wake it.
TEST(DeathWatch, WakesWhoSleepsWhenTheMemberIsDead) {
  const ScratchDirectory scratch;
  const auto me = Membership::of(scratch.domain());
  DeathWatch* watch = me->watch_deaths();
  ASSERT_NE(watch, nullptr);
  OtherMember other(scratch, true);
  const MemberId id = other.id();
  DeathWatch::Word word{0};
  std::atomic<long> thread{0};
  std::atomic<bool> woken{false};
  std::optional<Liveness> found;
  {  // more than there are seats, each of which is given back
    std::vector<std::unique_ptr<DeathWatch::Sleep>> others;
    for (int i = 0; i < 100; ++i) {
      others.push_back(std::make_unique<DeathWatch::Sleep>(*watch, word, std::span(&id, 1)));
    }
  }
  std::thread sleeper([&] {
    const DeathWatch::Sleep known(*watch, word, std::span(&id, 1));
    thread = ::syscall(SYS_gettid);
    os::futex_wait(word, 0, Deadline::after(60s));
    found = me->liveness(id);
    woken = true;
  });
  while (thread == 0) std::this_thread::yield();
  EXPECT_TRUE(is_asleep_soon(thread));
  EXPECT_FALSE(woken);
  const Deadline before_it_would_wake_by_itself = Deadline::after(50s);
  other.child.kill();
  sleeper.join();
  EXPECT_FALSE(before_it_would_wake_by_itself.has_passed());
  EXPECT_EQ(found, Liveness::dead) << "woken by the truth, not by the hint";
}

// Method: as above; the watch would look after one who does not die for longer than the sleep.
TEST(DeathWatch, HearsOfOthersWhileOneDoesNotDie) {
  const ScratchDirectory scratch;
  const auto me = Membership::of(scratch.domain());
  OtherMember silent(scratch, false);
  OtherMember other(scratch, true);
  const MemberId silent_one = silent.id();
  const MemberId id = other.id();
  auto table = MappedRegion::observe_members(scratch.domain());
  ASSERT_TRUE(table);
  DeathWatch watch(std::move(*table), scratch.domain().options().members_max, 1h);
  std::thread watcher([&] { static_cast<os::LastWord::Work&>(watch).run(); });
  DeathWatch::Word word{0};
  std::atomic<long> thread{0};
  std::thread sleeper([&] {
    const DeathWatch::Sleep first(watch, word, std::span(&silent_one, 1));
    const DeathWatch::Sleep second(watch, word, std::span(&id, 1));
    thread = ::syscall(SYS_gettid);
    os::futex_wait(word, 0, Deadline::after(60s));
  });
  while (thread == 0) std::this_thread::yield();
  EXPECT_TRUE(is_asleep_soon(thread));
  const Deadline before_it_would_wake_by_itself = Deadline::after(50s);
  other.child.kill();
  sleeper.join();
  EXPECT_FALSE(before_it_would_wake_by_itself.has_passed());
  watch.end();
  watcher.join();
}

// An owner word may be anything; the records behind the last one have no memory.
TEST(DeathWatch, LooksAtNobodyWhomTheTableDoesNotKnow) {
  const ScratchDirectory scratch;
  const auto me = Membership::of(scratch.domain({.members_max = 60'000}));
  auto table = MappedRegion::observe_members(scratch.domain());
  ASSERT_TRUE(table);
  DeathWatch watch(std::move(*table), 60'000);
  std::thread watcher([&] { static_cast<os::LastWord::Work&>(watch).run(); });
  const std::string path = scratch.path() + "/.members";
  const auto allocated = [&] { return os::facts_of_path(path).value.allocated_bytes; };
  const std::uint64_t before = allocated();
  const MemberId nobody{50'000, 7};
  OtherMember other(scratch, true);
  const MemberId id = other.id();
  DeathWatch::Word word{0};
  {
    const DeathWatch::Sleep first(watch, word, std::span(&nobody, 1));
    const DeathWatch::Sleep second(watch, word, std::span(&id, 1));
    other.child.kill();
    os::futex_wait(word, 0, Deadline::after(60s));  // until the watch has looked
  }
  watch.end();
  watcher.join();
  EXPECT_EQ(allocated(), before);
}

TEST(DeathWatch, SavesAskingTheKernelAsLongAsTheMemberLives) {
  const ScratchDirectory scratch;
  const auto me = Membership::of(scratch.domain());
  EXPECT_FALSE(me->may_be_dead(me->id()));
  OtherMember silent(scratch, false);
  OtherMember watched(scratch, true);
  const MemberId silent_one = silent.id();
  const MemberId watched_one = watched.id();
  EXPECT_TRUE(me->may_be_dead(silent_one)) << "nobody would say so if it were";
  EXPECT_EQ(me->liveness(silent_one), Liveness::alive);
  EXPECT_FALSE(me->may_be_dead(watched_one));
  EXPECT_EQ(me->liveness(watched_one), Liveness::alive);
  EXPECT_TRUE(me->may_be_dead({watched_one.index, watched_one.incarnation + 1}));
  watched.child.kill();
  EXPECT_TRUE(me->may_be_dead(watched_one));
  EXPECT_EQ(me->liveness(watched_one), Liveness::dead);
}

TEST(DeathWatch, OfOneWhoLeftSaysThatItMayBeDead) {
  const ScratchDirectory scratch;
  const auto me = Membership::of(scratch.domain());
  OtherMember other(scratch, true);
  const MemberId id = other.id();
  other.child.say("end");
  EXPECT_EQ(other.child.wait(), 0);
  EXPECT_TRUE(me->may_be_dead(id));
  EXPECT_EQ(me->liveness(id), Liveness::dead);
}

}  // namespace
}  // namespace kith::internal
