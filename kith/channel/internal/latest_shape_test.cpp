// The shape of a channel: what its five numbers say about places, and which numbers are refused.
#include "kith/channel/internal/latest_shape.hpp"

#include <gtest/gtest.h>
#include <random>

namespace kith::internal {
namespace {

using Part = LatestShape::Part;

LatestShape shape_of(std::uint32_t readers, std::uint64_t payload, std::uint32_t spares,
                     std::uint32_t guests) {
  return {readers, payload, false, spares, guests};
}

RegionFacts facts_of(const LatestShape& shape, Part part) {
  RegionFacts facts;
  facts.geometry = shape.geometry();
  facts.content_size = part == Part::own    ? shape.content_size()
                       : part == Part::data ? shape.data_size()
                                            : shape.seats_size();
  if (part != Part::own) facts.geometry[7] = 4711;
  return facts;
}

TEST(LatestShape, PutsEverythingIntoOneFileWithoutGuests) {
  const LatestShape shape = shape_of(16, 64, 3, 0);
  EXPECT_EQ(shape.slots(), 16u + 3 + 2);
  EXPECT_EQ(shape.slot_stride(), 128u);
  EXPECT_EQ(shape.slot_offset(0), 1280u + 16 * 256);
  EXPECT_EQ(shape.content_size(), shape.slot_offset(shape.slots()));
}

TEST(LatestShape, PutsTheSlotsBesideTheNewestWordForGuests) {
  const LatestShape shape = shape_of(16, 65, 0, 4);
  EXPECT_EQ(shape.slots(), 16u + 4 + 2);
  EXPECT_EQ(shape.slot_stride(), 256u);
  EXPECT_EQ(shape.slot_offset(0), 128u);
  EXPECT_EQ(shape.content_size(), 1280u + 16 * 256);
  EXPECT_EQ(shape.data_size(), 128u + 22 * 256);
  EXPECT_EQ(shape.seats_size(), 128u + 4 * 256);
}

TEST(LatestShape, ReadsBackWhatItWrote) {
  for (const std::uint32_t guests : {0u, 1u, 1000u}) {
    const LatestShape shape = shape_of(1000, 1 << 20, 1000, guests);
    for (const Part part : {Part::own, Part::data, Part::seats}) {
      const auto again = LatestShape::from(facts_of(shape, part), part);
      ASSERT_EQ(again.has_value(), part == Part::own || guests > 0);
      EXPECT_EQ(again.value_or(shape).geometry(), shape.geometry());
    }
  }
}

TEST(LatestShape, RefusesNumbersThatDoNotFitTogether) {
  const LatestShape shape = shape_of(16, 64, 3, 4);
  const auto refused = [&](Part part, const auto& change) {
    RegionFacts facts = facts_of(shape, part);
    change(facts);
    return !LatestShape::from(facts, part);
  };
  for (const Part part : {Part::own, Part::data, Part::seats}) {
    EXPECT_FALSE(refused(part, [](RegionFacts&) {}));
    // Each number alone, set to what it cannot be.
    const std::pair<std::size_t, std::uint64_t> wrong[] = {
        {0, 0},    {0, 1001}, {1, 0}, {1, kLatestPayloadMax + 1},      {2, 2}, {3, 1001},
        {4, 1001}, {5, 1},    {6, 1}, {0, std::uint64_t{1} << 32 | 16}};
    for (const auto& entry : wrong) {
      const auto change = [&](RegionFacts& facts) { facts.geometry[entry.first] = entry.second; };
      EXPECT_TRUE(refused(part, change)) << entry.first << " = " << entry.second;
    }
    EXPECT_TRUE(refused(part, [](RegionFacts& facts) { ++facts.content_size; }));
    EXPECT_TRUE(refused(part, [](RegionFacts& facts) { --facts.content_size; }));
    // A file passed off as another part.
    EXPECT_TRUE(refused(part, [](RegionFacts& facts) { facts.geometry[7] ^= 4711; }));
  }
}

// Whatever is accepted lies within its content, and no sum wraps.
TEST(LatestShape, ThatIsAcceptedFitsItsContent) {
  std::mt19937_64 random(20261121);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    RegionFacts facts;
    for (std::size_t word = 0; word < 5; ++word) {
      const std::uint64_t small = random() % 1002;
      facts.geometry[word] =
          random() % 8 == 0 ? random() >> random() % 64 : small % (word == 2 ? 2 : 1002);
    }
    const Part part = static_cast<Part>(random() % 3);
    facts.geometry[7] = part == Part::own ? 0 : 1;
    const LatestShape claimed{static_cast<std::uint32_t>(facts.geometry[0]), facts.geometry[1],
                              facts.geometry[2] == 1, static_cast<std::uint32_t>(facts.geometry[3]),
                              static_cast<std::uint32_t>(facts.geometry[4])};
    facts.content_size = facts_of(claimed, part).content_size;
    const auto shape = LatestShape::from(facts, part);
    if (!shape) continue;
    ++accepted;
    EXPECT_LE(shape->readers_max, kLatestReadersMax);
    EXPECT_LE(shape->guests_max, kLatestReadersMax);
    const std::uint64_t last = shape->slot_offset(shape->slots() - 1);
    EXPECT_GE(shape->slot_offset(shape->slots()), last + sizeof(LatestSlot) + shape->payload_max);
    EXPECT_LT(last, std::uint64_t{1} << 55);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace kith::internal
