#include "bench/values.hpp"

#include <gtest/gtest.h>

namespace kith::bench {
namespace {

TEST(Values, AreWholeAsTheyComeFromTheirSource) {
  for (const std::size_t bytes : {8u, 64u, 512u, 520u, 4096u, 65'536u}) {
    Source source(bytes);
    for (std::uint64_t number = 1; number < 4; ++number) {
      const auto value = source.next(number);
      EXPECT_EQ(value.size(), bytes);
      EXPECT_EQ(number_of(value), number);
      EXPECT_TRUE(is_whole(value)) << bytes;
    }
  }
}

TEST(Values, AreNotWholeWithAnyByteChanged) {
  Source source(1024);
  const auto value = source.next(77);
  std::vector<std::byte> copy(value.begin(), value.end());
  for (std::byte& byte : copy) {
    byte ^= std::byte{0x10};
    EXPECT_FALSE(is_whole(copy));
    byte ^= std::byte{0x10};
  }
  EXPECT_TRUE(is_whole(copy));
}

TEST(Values, AreNotWholeWhereTwoAreMixed) {
  Source older(4096);
  Source newer(4096);
  const auto before = older.next(5);
  const auto after = newer.next(6);
  for (const std::size_t cut : {512u, 1024u, 3584u}) {  // stamps on both sides of the cut
    std::vector<std::byte> torn(after.begin(), after.begin() + static_cast<long>(cut));
    torn.insert(torn.end(), before.begin() + static_cast<long>(cut), before.end());
    EXPECT_FALSE(is_whole(torn)) << cut;
  }
}

}  // namespace
}  // namespace kith::bench
