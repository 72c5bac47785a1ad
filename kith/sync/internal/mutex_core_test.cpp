#include "kith/sync/internal/mutex_core.hpp"

#include <gtest/gtest.h>

namespace kith::internal {
namespace {

class AllLive final : public LockWitness {
 public:
  bool may_be_dead(MemberId) const noexcept override { return false; }
  Liveness liveness(MemberId) const noexcept override { return Liveness::alive; }
  os::Slept asleep(const RealAtomics::Word<std::uint64_t>&, std::span<const MemberId>,
                   Deadline deadline, Sleeper& sleeper) const noexcept override {
    return sleeper.until(deadline);
  }
  LockAnswer memory() const noexcept override { return LockAnswer::acquired; }
};

constexpr std::uint64_t kMe = MutexWord::of(owner_word({4, 7}), 2);
constexpr std::uint64_t kOther = MutexWord::of(owner_word({5, 7}), 1);

TEST(MutexWord, HoldsProcessThreadAndFlagsApart) {
  const std::uint64_t word = kMe | MutexWord::kWaiters | MutexWord::kInconsistent;
  EXPECT_TRUE(MutexWord::is_held(word));
  EXPECT_EQ(MutexWord::holder(word), kMe);
  EXPECT_EQ(MutexWord::thread(word), 2u);
  EXPECT_EQ(owner_of(word), (MemberId{4, 7}));
  EXPECT_FALSE(MutexWord::is_held(MutexWord::kRetired));
}

// Who starved may have given up, or be dead: nobody takes its mark away but who comes next.
TEST(MutexCore, KeptForNobodyIsTakenByWhoTries) {
  MutexWords words{};
  words.word.store(MutexWord::kStarving, std::memory_order_relaxed);
  const AllLive witness;
  EXPECT_EQ(MutexCore(words).acquire(kMe, false, witness, Deadline::now()), LockAnswer::acquired);
  EXPECT_EQ(words.word.load(std::memory_order_relaxed), kMe);
}

TEST(MutexCore, KeptForSomebodyIsLeftAloneForAMoment) {
  MutexWords words{};
  words.word.store(MutexWord::kStarving, std::memory_order_relaxed);
  const AllLive witness;
  // It sleeps once, and takes it when nobody has come.
  EXPECT_EQ(MutexCore(words).acquire(kMe, false, witness, Deadline::never()), LockAnswer::acquired);
  EXPECT_NE(words.word.load(std::memory_order_relaxed) & MutexWord::kWaiters, 0u);
}

TEST(MutexCore, WhoGivesUpLeavesAMarkForThoseWhoSleep) {
  MutexWords words{};
  words.word.store(kOther, std::memory_order_relaxed);
  const AllLive witness;
  EXPECT_EQ(
      MutexCore(words).acquire(kMe, false, witness, Deadline::after(std::chrono::milliseconds(2))),
      LockAnswer::timed_out);
  EXPECT_EQ(words.word.load(std::memory_order_relaxed), kOther | MutexWord::kWaiters);
}

// One who does not wait must not look, and that it is retired is said at once.
TEST(MutexCore, TryingDoesNotSpin) {
  MutexWords words{};
  words.word.store(kOther, std::memory_order_relaxed);
  MutexPatience patience;
  patience.looks = 12;
  MutexCore core(words, patience);
  const AllLive witness;
  EXPECT_EQ(core.acquire(kMe, false, witness, Deadline::now()), LockAnswer::timed_out);
  EXPECT_EQ(core.looks_allowed(), 12u) << "none was in vain";
  words.word.store(MutexWord::kRetired, std::memory_order_relaxed);
  EXPECT_EQ(core.acquire(kMe, false, witness, Deadline::never()), LockAnswer::retired);
}

TEST(MutexCore, LooksInVainAreFewerTheNextTime) {
  MutexWords words{};
  words.word.store(kOther, std::memory_order_relaxed);
  MutexPatience patience;
  patience.looks = 12;
  MutexCore core(words, patience);
  const AllLive witness;
  const auto soon = [] { return Deadline::after(std::chrono::milliseconds(2)); };
  EXPECT_EQ(core.acquire(kMe, false, witness, soon()), LockAnswer::timed_out);
  EXPECT_EQ(core.looks_allowed(), 9u);
}

}  // namespace
}  // namespace kith::internal
