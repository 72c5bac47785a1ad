#include "kith/sync/shared_mutex.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <mutex>
#include <optional>
#include <vector>

#include "kith/region/region.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

TEST(SharedMutex, IsCreatedOrOpenedByAnyProcessAtTheSameMoment) {
  const ScratchDirectory scratch;
  constexpr int kProcesses = 4;
  constexpr int kTimes = 200;
  const auto counter = Region<std::atomic<std::uint64_t>>::create(scratch.domain(), "count");
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(std::make_unique<Child>([domain = scratch.domain()] {
      auto count = Region<std::atomic<std::uint64_t>>::open(domain, "count");
      // Each time anew: the last one out removes it while another comes.
      for (int round = 0; round < kTimes; ++round) {
        SharedMutex mutex(domain, "lock");
        const std::scoped_lock guard(mutex);
        const std::uint64_t before = count->load(std::memory_order_relaxed);
        count->store(before + 1, std::memory_order_relaxed);
      }
      return 0;
    }));
  }
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
  EXPECT_EQ(counter->load(std::memory_order_relaxed), std::uint64_t{kProcesses} * kTimes);
  EXPECT_EQ(remove_object(scratch.domain(), "lock"), Removal::not_found);
}

TEST(SharedMutex, KnowsHowManyProcessesAreAttached) {
  const ScratchDirectory scratch;
  SharedMutex mutex(scratch.domain(), "lock");
  const SharedMutex again(scratch.domain(), "lock");
  EXPECT_EQ(mutex.attached(), 1u);
  std::optional<Child> other([domain = scratch.domain()](Mouth& parent) {
    const SharedMutex mine(domain, "lock");
    parent.say(std::to_string(mine.attached()));
    return parent.hear(soon()) ? 0 : 1;
  });
  EXPECT_EQ(other->hear(), "2");
  EXPECT_EQ(mutex.attached(), 2u);
  other->kill();
  EXPECT_EQ(mutex.attached(), 1u);
}

TEST(SharedMutex, KnowsSinceWhen) {
  const ScratchDirectory scratch;
  const std::int64_t before = now_ms();
  const SharedMutex mutex(scratch.domain(), "lock");
  const std::int64_t after = now_ms();
  const SharedMutex again(scratch.domain(), "lock");
  EXPECT_GE(mutex.created_ms(), before);
  EXPECT_LE(mutex.created_ms(), after);
  EXPECT_EQ(again.created_ms(), mutex.created_ms());
}

TEST(SharedMutex, LastOneOutRemovesIt) {
  const ScratchDirectory scratch;
  SharedMutex first(scratch.domain(), "lock");
  SharedMutex second(scratch.domain(), "lock");
  first.release();
  EXPECT_FALSE(first);
  EXPECT_FALSE(second.is_orphaned());
  second.release();
  EXPECT_TRUE(scratch.is_empty());
}

TEST(SharedMutex, StaysIfItsCreatorSaysSo) {
  const ScratchDirectory scratch;
  const SharedMutexOptions options{.lifetime = Lifetime::until_removed};
  { const SharedMutex mutex(scratch.domain(), "lock", options); }
  EXPECT_EQ(remove_object(scratch.domain(), "lock"), Removal::removed);
}

TEST(SharedMutex, LeftBehindByTheKilledIsTakenUp) {
  const ScratchDirectory scratch;
  Child holder([domain = scratch.domain()](Mouth& parent) {
    SharedMutex mutex(domain, "lock");
    mutex.lock();
    parent.say("holds it");
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "holds it");
  holder.kill();
  SharedMutex mutex(scratch.domain(), "lock");
  EXPECT_EQ(mutex.attached(), 1u);
  EXPECT_EQ(mutex.acquire(Deadline::after(30s)), LockAnswer::owner_died);
}

TEST(SharedMutex, OlderThanItMayBeIsReplacedUnlessSomebodyUsesIt) {
  const ScratchDirectory scratch;
  const SharedMutexOptions stays{.lifetime = Lifetime::until_removed};
  std::optional<SharedMutex> first(std::in_place, scratch.domain(), "lock", stays);
  // Negative: whatever is there is too old, however coarse the clock is.
  SharedMutexOptions impatient = stays;
  impatient.age_max = -1h;
  { const SharedMutex second(scratch.domain(), "lock", impatient); }
  EXPECT_FALSE(first->is_orphaned()) << "somebody living is attached";
  ASSERT_TRUE(first->try_lock());
  ASSERT_EQ(first->acquire(Deadline::now()), LockAnswer::would_deadlock);
  first->unlock();
  first.reset();
  {
    auto* leaked = new SharedMutex(scratch.domain(), "lock", stays);
    leaked->lock();
    leaked->release();  // and so its next holder would be told of a death
    delete leaked;
  }
  SharedMutex fresh(scratch.domain(), "lock", impatient);
  EXPECT_EQ(fresh.acquire(Deadline::now()), LockAnswer::acquired);
}

}  // namespace
}  // namespace kith
