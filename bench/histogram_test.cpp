#include "bench/histogram.hpp"

#include <gtest/gtest.h>
#include <memory>

namespace kith::bench {
namespace {

TEST(Histogram, GivesZeroForNothing) {
  const auto times = std::make_unique<Histogram>();
  EXPECT_EQ(times->count(), 0u);
  EXPECT_EQ(times->percentile_ns(0.5), 0);
  EXPECT_EQ(times->max_ns(), 0);
  EXPECT_EQ(times->mean_ns(), 0);
}

TEST(Histogram, FindsPercentilesOfKnownTimes) {
  const auto times = std::make_unique<Histogram>();
  for (int ns = 1; ns <= 1000; ++ns) times->record(ns);
  EXPECT_EQ(times->count(), 1000u);
  EXPECT_NEAR(times->percentile_ns(0.5), 500, 500 * 0.003);
  EXPECT_NEAR(times->percentile_ns(0.9), 900, 900 * 0.003);
  EXPECT_NEAR(times->percentile_ns(0.99), 990, 990 * 0.003);
  EXPECT_EQ(times->max_ns(), 1000);
  EXPECT_NEAR(times->mean_ns(), 500.5, 1e-9);
}

TEST(Histogram, ErrsByLessThanAPermilleFromAPicosecondToAnHour) {
  for (double ns = 0.6; ns < 3.6e12; ns *= 1.37) {
    const auto times = std::make_unique<Histogram>();
    times->record(ns);
    times->record(ns * 2);  // so that the maximum does not cap the middle of the bucket
    EXPECT_NEAR(times->percentile_ns(0.5), ns, ns * 0.0025) << ns;
  }
}

TEST(Histogram, TheLargestPercentileIsNeverAboveTheMaximum) {
  const auto times = std::make_unique<Histogram>();
  for (int i = 0; i < 10; ++i) times->record(1234.567);
  EXPECT_LE(times->percentile_ns(0.5), times->max_ns());
  EXPECT_LE(times->percentile_ns(1), times->max_ns());
}

TEST(Histogram, TakesNegativeAndHugeTimesWithoutHarm) {
  const auto times = std::make_unique<Histogram>();
  times->record(-5);
  times->record(1e300);
  EXPECT_EQ(times->count(), 2u);
  EXPECT_EQ(times->percentile_ns(0.5), 0);
}

TEST(Histogram, IsEmptyAgainAfterClear) {
  const auto times = std::make_unique<Histogram>();
  times->record(7);
  times->clear();
  EXPECT_EQ(times->count(), 0u);
  EXPECT_EQ(times->max_ns(), 0);
}

TEST(Histogram, OfTwoTogetherTellsBoth) {
  Histogram one;
  Histogram other;
  for (int i = 1; i <= 100; ++i) {
    (i % 2 == 0 ? one : other).record(i);
  }
  one.add(other);
  EXPECT_EQ(one.count(), 100u);
  EXPECT_EQ(one.max_ns(), 100);
  EXPECT_NEAR(one.percentile_ns(0.5), 50, 0.5);
  EXPECT_NEAR(one.mean_ns(), 50.5, 1e-9);
}

}  // namespace
}  // namespace kith::bench
