#include "kith/sync/internal/spinning.hpp"

#include <gtest/gtest.h>

namespace kith::internal {
namespace {

std::uint32_t looks_in_vain(Spinning& spinning) {
  std::uint32_t count = 0;
  Spinning::Looks looks;
  EXPECT_FALSE(spinning.until(looks, [&] { return ++count == 0; }));
  EXPECT_FALSE(spinning.until(looks, [&] { return ++count == 0; })) << "they are over";
  return count;
}

TEST(Spinning, LooksAsOftenAsItMayAndThenNoMore) {
  Spinning spinning(12);
  EXPECT_EQ(looks_in_vain(spinning), 12u);
}

TEST(Spinning, LooksLessOftenAfterLooksInVainDownToOnce) {
  Spinning spinning(12);
  std::uint32_t before = looks_in_vain(spinning);
  for (int i = 0; i < 20; ++i) {
    const std::uint32_t now = looks_in_vain(spinning);
    EXPECT_TRUE(now < before || now == 1) << now << " after " << before;
    before = now;
  }
  EXPECT_EQ(spinning.allowed(), 1u);
}

TEST(Spinning, LooksAsOftenAsEverOnceItWasWorthWhile) {
  Spinning spinning(12);
  for (int i = 0; i < 20; ++i) looks_in_vain(spinning);
  Spinning::Looks looks;
  EXPECT_TRUE(spinning.until(looks, [] { return true; }));
  EXPECT_EQ(spinning.allowed(), 12u);
}

TEST(Spinning, OfNoLooksNeverLooks) {
  Spinning spinning(0);
  EXPECT_EQ(looks_in_vain(spinning), 0u);
  EXPECT_EQ(spinning.allowed(), 0u);
}

}  // namespace
}  // namespace kith::internal
