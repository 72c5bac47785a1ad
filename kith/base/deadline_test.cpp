#include "kith/base/deadline.hpp"

#include <chrono>
#include <gtest/gtest.h>

namespace kith {
namespace {

using namespace std::chrono_literals;

TEST(Deadline, NowHasPassedAndHasNothingLeft) {
  EXPECT_TRUE(Deadline::now().has_passed());
  EXPECT_EQ(Deadline::now().remaining(), 0ns);
  EXPECT_FALSE(Deadline::now().is_never());
}

TEST(Deadline, NeverIsAfterEverythingAndDoesNotPass) {
  EXPECT_TRUE(Deadline::never().is_never());
  EXPECT_FALSE(Deadline::never().has_passed());
  EXPECT_GT(Deadline::never(), Deadline::after(24h * 365 * 90));
  EXPECT_GT(Deadline::never(), Deadline::now());
  EXPECT_EQ(Deadline::never().remaining(), std::chrono::nanoseconds::max());
}

TEST(Deadline, AWaitThatIsZeroOrNegativeIsNow) {
  EXPECT_EQ(Deadline::after(0s), Deadline::now());
  EXPECT_EQ(Deadline::after(-1ns), Deadline::now());
  EXPECT_EQ(Deadline::after(std::chrono::hours::min()), Deadline::now());
  EXPECT_EQ(Deadline::after(-0.5s), Deadline::now());
}

TEST(Deadline, AnEnormousWaitIsNeverAndDoesNotOverflow) {
  EXPECT_EQ(Deadline::after(std::chrono::nanoseconds::max()), Deadline::never());
  EXPECT_EQ(Deadline::after(std::chrono::hours::max()), Deadline::never());
  EXPECT_EQ(Deadline::after(std::chrono::duration<double>(1e300)), Deadline::never());
}

TEST(Deadline, AfterCountsFromTheMomentOfTheCall) {
  const auto before = Deadline::Clock::now();
  const Deadline deadline = Deadline::after(1h);
  const auto behind = Deadline::Clock::now();
  EXPECT_GE(deadline, Deadline::at(before + 1h));
  EXPECT_LE(deadline, Deadline::at(behind + 1h));
  EXPECT_FALSE(deadline.has_passed());
  EXPECT_GT(deadline.remaining(), 0ns);
  EXPECT_LE(deadline.remaining(), 1h);
}

TEST(Deadline, APointBeforeNowHasPassed) {
  EXPECT_TRUE(Deadline::at(Deadline::Clock::now()).has_passed());
  EXPECT_TRUE(Deadline::at(Deadline::Clock::now() - 1h).has_passed());
  EXPECT_TRUE(Deadline::at(Deadline::Clock::time_point::min()).has_passed());
  EXPECT_EQ(Deadline::at(Deadline::Clock::now() - 1h).remaining(), 0ns);
}

TEST(Deadline, KeepsTheMonotonicClockOfTheKernel) {
  const auto point = Deadline::Clock::time_point(123'456'789ns);
  EXPECT_EQ(Deadline::at(point).monotonic_ns(), 123'456'789);
}

TEST(Deadline, ASliceIsNeverLaterThanTheDeadlineItself) {
  EXPECT_EQ(Deadline::now().within(1h), Deadline::now());
  EXPECT_FALSE(Deadline::never().within(1h).is_never());
  EXPECT_LT(Deadline::never().within(1h), Deadline::after(2h));
  const Deadline near = Deadline::after(1min);
  EXPECT_EQ(near.within(1h), near);
}

TEST(Deadline, IsOrderedByTime) {
  EXPECT_LT(Deadline::now(), Deadline::after(1s));
  EXPECT_LT(Deadline::after(1s), Deadline::after(1h));
  EXPECT_EQ(Deadline::now(), Deadline::now());
}

TEST(Deadline, IsInterruptibleWhereAskedAndKeepsThatInItsSlices) {
  const Deadline deadline = Deadline::after(1min);
  EXPECT_FALSE(deadline.is_interruptible());
  EXPECT_TRUE(deadline.interruptible().is_interruptible());
  EXPECT_FALSE(deadline.interruptible().interruptible(false).is_interruptible());
  EXPECT_EQ(deadline.interruptible(), deadline) << "it is the same time";
  EXPECT_TRUE(deadline.interruptible().within(1h).is_interruptible());
  EXPECT_TRUE(deadline.interruptible().within(1s).is_interruptible());
  EXPECT_LT(deadline.interruptible().within(1s), deadline);
  EXPECT_FALSE(deadline.within(1s).is_interruptible());
  EXPECT_TRUE(Deadline::never().interruptible().is_never());
}

}  // namespace
}  // namespace kith
