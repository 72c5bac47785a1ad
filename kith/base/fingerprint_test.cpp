// Method: pairs of types that must agree or differ; and a list of types whose fingerprints are
// written down here, so that every compiler that builds this test must come to the same numbers.
#include "kith/base/fingerprint.hpp"

#include <complex>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>

namespace {

struct Pose {
  double x, y;
  std::int32_t id;
};
struct RenamedPose {
  double left, right;
  std::int32_t number;
};
struct ReorderedPose {
  std::int32_t id;
  double x, y;
};
struct UnsignedPose {
  double x, y;
  std::uint32_t id;
};
struct LongerPose {
  double x, y;
  std::int32_t id;
  std::int32_t added_in_what_was_padding;
};
struct NestedPose {
  struct {
    double x, y;
  } place;
  std::int32_t id;
};
enum class Colour : std::uint8_t { red };
struct Everything {
  bool yes;
  char letter;
  char16_t wide;
  std::byte raw[3];
  Colour colour;
  std::int16_t small;
  std::uint32_t large[2][3];
  float real;
  std::array<std::int8_t, 5> bytes;
  std::pair<char, std::int32_t> pair;
  std::optional<std::int32_t> maybe;
  std::complex<float> phase;
  std::chrono::duration<std::int32_t, std::milli> took;
};
struct Counters {
  alignas(64) std::atomic<std::uint32_t> sent;
  alignas(64) std::atomic<std::uint32_t> received;
};
struct CountersSideBySide {
  alignas(64) std::atomic<std::uint32_t> sent;
  std::atomic<std::uint32_t> received;
  std::byte rest[56];
  alignas(64) std::byte more[64];
};
struct AlignedWithinPadding {
  std::int32_t first;
  char second;
  alignas(2) char third;
};
struct NotAlignedWithinPadding {
  std::int32_t first;
  char second;
  char third;
};
struct MixedAlignment {
  std::int32_t first;
  std::int64_t second;
};
struct TwoWide {
  std::int64_t first, second;
};
struct PairAsStruct {
  char first;
  std::int32_t second;
};
struct Large {
  char text[1 << 20];
  std::array<double, 1'000'000> numbers;
};
class Stated {
  [[maybe_unused]] int hidden_ = 0;
};
class StatedOtherwise {
  [[maybe_unused]] int hidden_ = 0;
};
struct Metres {
  double value;
};
struct Feet {
  double value;
};
struct Bare {
  double value;
};
struct HoldsMetres {
  Metres length;
};
struct HoldsFeet {
  Feet length;
};

}  // namespace

template <>
struct kith::Stamp<Stated> {
  static constexpr std::uint64_t fingerprint = 1;
};
template <>
struct kith::Stamp<StatedOtherwise> {
  static constexpr std::uint64_t fingerprint = 2;
};
template <>
struct kith::Stamp<Metres> {
  static constexpr std::string_view name = "metres";
};
template <>
struct kith::Stamp<Feet> {
  static constexpr std::string_view name = "feet";
};

namespace kith {
namespace {

TEST(Fingerprint, IsTheSameUnderEveryName) {
  EXPECT_EQ(fingerprint<Pose>(), fingerprint<RenamedPose>());
  EXPECT_EQ(fingerprint<Pose>(), fingerprint<const Pose>());
  EXPECT_EQ(fingerprint<Colour>(), fingerprint<std::uint8_t>());
}

TEST(Fingerprint, ChangesWithOrderTypeNumberAndNestingOfFields) {
  EXPECT_NE(fingerprint<Pose>(), fingerprint<ReorderedPose>());
  EXPECT_NE(fingerprint<Pose>(), fingerprint<UnsignedPose>());
  EXPECT_NE(fingerprint<Pose>(), fingerprint<LongerPose>());
  EXPECT_NE(fingerprint<Pose>(), fingerprint<NestedPose>());
}

TEST(Fingerprint, TellsLeavesOfOneSizeApart) {
  EXPECT_NE(fingerprint<std::int32_t>(), fingerprint<std::uint32_t>());
  EXPECT_NE(fingerprint<std::int32_t>(), fingerprint<float>());
  EXPECT_NE(fingerprint<std::int32_t>(), fingerprint<char32_t>());
  EXPECT_NE(fingerprint<char>(), fingerprint<bool>());
  EXPECT_NE(fingerprint<char>(), fingerprint<std::int8_t>());
  EXPECT_NE(fingerprint<int>(), fingerprint<std::atomic<int>>());
}

TEST(Fingerprint, NamesIntegersByTheirBits) {
  EXPECT_EQ(fingerprint<std::int64_t>(), fingerprint<long long>());
  EXPECT_EQ((fingerprint<std::conditional_t<sizeof(long) == 8, std::int64_t, std::int32_t>>()),
            fingerprint<long>());
  EXPECT_EQ(fingerprint<std::byte>(), fingerprint<std::uint8_t>());
}

TEST(Fingerprint, ChangesWithTheExtentOfAnArray) {
  EXPECT_NE(fingerprint<int[3]>(), fingerprint<int[4]>());
  EXPECT_NE(fingerprint<int[1]>(), fingerprint<int>());
  EXPECT_NE((fingerprint<int[2][3]>()), (fingerprint<int[3][2]>()));
  EXPECT_NE((fingerprint<int[2][3]>()), fingerprint<int[6]>());
  EXPECT_EQ((fingerprint<std::array<int, 3>>()), fingerprint<int[3]>());
  EXPECT_NE(fingerprint<std::bitset<60>>(), fingerprint<std::bitset<61>>());
}

TEST(Fingerprint, SeesAlignasWhereTheSizeDoesNotShowIt) {
  static_assert(sizeof(AlignedWithinPadding) == sizeof(NotAlignedWithinPadding));
  static_assert(sizeof(Counters) == 128 && sizeof(CountersSideBySide) == 128);
  EXPECT_NE(fingerprint<Counters>(), fingerprint<CountersSideBySide>());
  EXPECT_EQ(internal::kFieldOffsets<AlignedWithinPadding>[2], 6u);
  EXPECT_NE(fingerprint<AlignedWithinPadding>(), fingerprint<NotAlignedWithinPadding>());
}

TEST(Fingerprint, KnowsTheUnitsOfTime) {
  EXPECT_NE(fingerprint<std::chrono::seconds>(), fingerprint<std::chrono::milliseconds>());
  EXPECT_NE(fingerprint<std::chrono::steady_clock::time_point>(),
            fingerprint<std::chrono::system_clock::time_point>());
}

TEST(Fingerprint, TakesAPairForTheStructItIs) {
  EXPECT_EQ((fingerprint<std::pair<char, std::int32_t>>()), fingerprint<PairAsStruct>());
}

TEST(Fingerprint, HoldsWhatTheAuthorStates) {
  EXPECT_NE(fingerprint<Stated>(), fingerprint<StatedOtherwise>());
  EXPECT_NE(fingerprint<Stated>(), fingerprint<Stated[2]>());
}

TEST(Fingerprint, LetsADeclaredNameDecide) {
  EXPECT_NE(fingerprint<Metres>(), fingerprint<Feet>());
  EXPECT_NE(fingerprint<Metres>(), fingerprint<Bare>());
  EXPECT_NE(fingerprint<HoldsMetres>(), fingerprint<HoldsFeet>());
}

TEST(Fingerprint, IsWrittenDownForEveryCompiler) {
  EXPECT_EQ(fingerprint<bool>(), 0xaa28'ac63'55e7'50e5);
  EXPECT_EQ(fingerprint<std::int32_t>(), 0x6c81'91f2'7151'ac62);
  EXPECT_EQ(fingerprint<std::uint64_t>(), 0x5f24'4928'a33d'3b89);
  EXPECT_EQ(fingerprint<double>(), 0xd23d'4e71'91c2'd6bd);
  EXPECT_EQ(fingerprint<std::atomic<std::int32_t>>(), 0x20f8'6454'5c7d'f5c8);
  EXPECT_EQ(fingerprint<TwoWide[4]>(), 0x28f1'42e5'912e'5040);
  EXPECT_EQ(fingerprint<Everything>(), 0x7c6a'f224'd4ef'29aa);
  EXPECT_EQ(fingerprint<Counters>(), 0x10f7'0c85'14e6'd12a);
  EXPECT_EQ(fingerprint<AlignedWithinPadding>(), 0x4f71'bd3c'5c07'b3c7);
  EXPECT_EQ(fingerprint<TwoWide>(), 0x58ec'2913'4e3b'bdd2);
  EXPECT_EQ(fingerprint<Large>(), 0x8d8d'708d'4aa8'74d5);
  EXPECT_EQ(fingerprint<Stated>(), 0xe0d6'faf1'7cf1'2bcf);
  EXPECT_EQ(fingerprint<HoldsMetres>(), 0xf760'9401'0de3'9493);
}

// On 32-bit x86 an int64_t in a struct is aligned to 4 bytes; elsewhere to 8.
TEST(Fingerprint, FollowsTheAlignmentOfTheMachine) {
  const std::uint64_t packed_by_fours = 0xd26e'b27a'57c4'284e;
  const std::uint64_t aligned_to_eight = 0x1d2c'91ce'f1ed'01de;
  EXPECT_EQ(fingerprint<MixedAlignment>(),
            sizeof(MixedAlignment) == 12 ? packed_by_fours : aligned_to_eight);
}

TEST(TypeName, IsShortAndReadable) {
  EXPECT_EQ(type_name<std::int64_t>(), "int64_t");
  EXPECT_EQ(type_name<const unsigned>(), "uint32_t");
  EXPECT_EQ(type_name<bool>(), "bool");
  EXPECT_EQ(type_name<double>(), "double");
  EXPECT_EQ(type_name<std::atomic<int>>(), "std::atomic<int>");
  EXPECT_EQ((type_name<std::array<double, 3>>()), "std::array<double, 3>");
  EXPECT_TRUE(std::string(type_name<Pose>()).ends_with("::Pose"));
}

TEST(TypeName, IsTheDeclaredOneIfThereIsOne) {
  EXPECT_EQ(type_name<Metres>(), "metres");
}

}  // namespace
}  // namespace kith
