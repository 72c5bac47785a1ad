#include "kith/sync/internal/any_wait.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "kith/sync/internal/event_core.hpp"
#include "kith/sync/internal/mutex_core.hpp"

namespace kith::internal {
namespace {

// Everybody lives; and something happens when one is about to sleep.
class Witness final : public LockWitness {
 public:
  std::function<void()> happens = [] {};
  mutable int sleeps = 0;

  bool may_be_dead(MemberId) const noexcept override { return false; }
  Liveness liveness(MemberId) const noexcept override { return Liveness::alive; }
  os::Slept asleep(const RealAtomics::Word<std::uint64_t>&, std::span<const MemberId>,
                   Deadline deadline, Sleeper& sleeper) const noexcept override {
    ++sleeps;
    happens();
    return sleeper.until(deadline);
  }
  LockAnswer memory() const noexcept override { return LockAnswer::acquired; }
};

constexpr std::uint64_t kMe = MutexWord::of(owner_word({4, 7}), 2);
constexpr std::uint64_t kOther = MutexWord::of(owner_word({5, 7}), 1);
constexpr std::uint64_t kAnnouncement = 2;  // of an event count

std::uint64_t announcements(const EventWords& words) {
  return words.announced.load(std::memory_order_relaxed) >> 1 & 0x7fff'ffff;
}

// As set() by one whose wake reached the thread that sleeps, and nobody else.
void set_and_wake_us(EventWords& words) {
  words.set.store(1, std::memory_order_relaxed);
  words.announced.fetch_add(kAnnouncement, std::memory_order_relaxed);
}

TEST(AnyWait, PassesOnAWakeThatItDoesNotUse) {
  EventWords first{};
  EventWords second{};
  EventCore one(first, EventReset::automatic, {});
  EventCore other(second, EventReset::automatic, {});
  Witness witness;
  witness.happens = [&] {
    if (witness.sleeps > 1) return;
    set_and_wake_us(first);
    set_and_wake_us(second);
  };
  StepsPlace places[2];
  WaitSteps* const steps[] = {&places[0].begin(witness, one.waiting()),
                              &places[1].begin(witness, other.waiting())};
  EXPECT_EQ(AnyWait(steps, Deadline::never()).run(), (AnyAnswer{0, LockAnswer::acquired}));
  EXPECT_TRUE(other.is_set());
  EXPECT_EQ(announcements(first), 1u);
  EXPECT_EQ(announcements(second), 2u) << "the wake was kept";
}

TEST(AnyWait, OwesNobodyAWakeForWhatItHasLookedAt) {
  EventWords first{};
  EventWords second{};
  EventCore one(first, EventReset::automatic, {});
  EventCore other(second, EventReset::automatic, {});
  Witness witness;
  witness.happens = [&] {
    // Announced, and taken by another before we look.
    if (witness.sleeps == 1) second.announced.fetch_add(kAnnouncement, std::memory_order_relaxed);
    if (witness.sleeps == 3) set_and_wake_us(first);
  };
  StepsPlace places[2];
  WaitSteps* const steps[] = {&places[0].begin(witness, one.waiting()),
                              &places[1].begin(witness, other.waiting())};
  EXPECT_EQ(AnyWait(steps, Deadline::never()).run(), (AnyAnswer{0, LockAnswer::acquired}));
  EXPECT_EQ(announcements(second), 1u);
}

TEST(AnyWait, LeavesAMarkForThoseWhoSleepOnAMutexThatItDoesNotTake) {
  EventWords event{};
  MutexWords mutex{};
  mutex.word.store(kOther, std::memory_order_relaxed);
  EventCore one(event, EventReset::automatic, {});
  MutexCore other(mutex);
  Witness witness;
  witness.happens = [&] {
    if (witness.sleeps > 1) return;
    set_and_wake_us(event);
    // Released with a wake, which was ours, and taken by a third, who knows of nobody asleep.
    mutex.word.store(kOther, std::memory_order_relaxed);
  };
  StepsPlace places[2];
  WaitSteps* const steps[] = {
      &places[0].begin(witness, one.waiting()),
      &places[1].begin(witness, MutexCore::Waiting(other, kMe, false, witness))};
  EXPECT_EQ(AnyWait(steps, Deadline::never()).run(), (AnyAnswer{0, LockAnswer::acquired}));
  EXPECT_EQ(mutex.word.load(std::memory_order_relaxed), kOther | MutexWord::kWaiters);
}

TEST(AnyWait, LooksOnceBeforeItSaysThatItWaits) {
  EventWords event{};
  MutexWords mutex{};
  mutex.word.store(kOther, std::memory_order_relaxed);
  event.set.store(1, std::memory_order_relaxed);
  EventCore one(event, EventReset::automatic, {});
  MutexCore other(mutex);
  const Witness witness;
  StepsPlace places[2];
  WaitSteps* const steps[] = {
      &places[0].begin(witness, MutexCore::Waiting(other, kMe, false, witness)),
      &places[1].begin(witness, one.waiting())};
  EXPECT_EQ(AnyWait(steps, Deadline::never()).run(), (AnyAnswer{1, LockAnswer::acquired}));
  EXPECT_EQ(mutex.word.load(std::memory_order_relaxed), kOther);
  EXPECT_EQ(event.announced.load(std::memory_order_relaxed), 0u);
  EXPECT_EQ(witness.sleeps, 0);
}

// For whom a mutex is kept may not come: then it is taken all the same.
TEST(AnyWait, TakesWhatIsKeptForNobody) {
  EventWords event{};
  MutexWords mutex{};
  mutex.word.store(MutexWord::kStarving, std::memory_order_relaxed);
  EventCore one(event, EventReset::automatic, {});
  MutexCore other(mutex);
  const Witness witness;
  StepsPlace places[2];
  WaitSteps* const steps[] = {
      &places[0].begin(witness, one.waiting()),
      &places[1].begin(witness, MutexCore::Waiting(other, kMe, false, witness))};
  EXPECT_EQ(AnyWait(steps, Deadline::never()).run(), (AnyAnswer{1, LockAnswer::acquired}));
}

}  // namespace
}  // namespace kith::internal
