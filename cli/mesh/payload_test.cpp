// Payloads of the mesh: filled, looked at, and torn in every way that one byte can show.
#include "cli/mesh/payload.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace kith::mesh {
namespace {

std::vector<std::byte> payload(std::size_t size, std::uint32_t writer, std::uint64_t count) {
  std::vector<std::byte> bytes(size, std::byte{0xee});
  fill_payload(bytes, writer, count);
  return bytes;
}

const std::size_t kSizes[] = {8, 9, 15, 16, 17, 23, 24, 25, 64, 1000, 4096};

TEST(Payload, TellsItsCountAtEverySize) {
  for (const std::size_t size : kSizes) {
    for (const std::uint64_t count : {std::uint64_t{1}, std::uint64_t{77}, kCountMax}) {
      const PayloadSeen seen = look_at_payload(payload(size, 3, count), 3);
      EXPECT_TRUE(seen.whole) << size << " bytes";
      EXPECT_EQ(seen.count, count) << size << " bytes";
    }
  }
}

TEST(Payload, OfAnotherWriterIsNotWhole) {
  for (const std::size_t size : kSizes) {
    EXPECT_FALSE(look_at_payload(payload(size, 3, 5), 4).whole) << size << " bytes";
  }
}

TEST(Payload, WithOneByteOfAnotherValueIsNotWhole) {
  for (const std::size_t size : kSizes) {
    const auto other = payload(size, 3, 6);
    for (std::size_t at = 0; at < size; ++at) {
      auto torn = payload(size, 3, 5);
      if (torn[at] == other[at]) continue;  // the tear that changes nothing
      torn[at] = other[at];
      EXPECT_FALSE(look_at_payload(torn, 3).whole) << "byte " << at << " of " << size;
    }
  }
}

TEST(Payload, CutAnywhereBetweenTwoValuesIsNotWhole) {
  for (const std::size_t size : kSizes) {
    const auto older = payload(size, 0, 41);
    const auto newer = payload(size, 0, 42);
    for (std::size_t cut = 1; cut < size; ++cut) {
      std::vector<std::byte> torn(newer);
      std::copy(older.begin() + static_cast<std::ptrdiff_t>(cut), older.end(),
                torn.begin() + static_cast<std::ptrdiff_t>(cut));
      if (torn == newer || torn == older) continue;
      EXPECT_FALSE(look_at_payload(torn, 0).whole) << "cut at " << cut << " of " << size;
    }
  }
}

TEST(Payload, OfZerosIsNotWhole) {
  for (const std::size_t size : kSizes) {
    EXPECT_FALSE(look_at_payload(std::vector<std::byte>(size), 0).whole) << size << " bytes";
  }
}

TEST(Payload, ThatIsTooShortIsNotWhole) {
  EXPECT_FALSE(look_at_payload(std::vector<std::byte>(7), 0).whole);
  EXPECT_FALSE(look_at_payload({}, 0).whole);
}

}  // namespace
}  // namespace kith::mesh
