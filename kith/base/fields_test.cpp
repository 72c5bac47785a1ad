// Method: types of known make-up; everything is decided at compile time, so a failure would already
// stop the build, and the checks run once more so that the report counts them.
#include "kith/base/fields.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>

namespace kith::internal {
namespace {

struct Nothing {};
struct Pair {
  char small;
  double big;
};
struct Nested {
  Pair pairs[3];
  std::array<int, 5> numbers;
  Nothing nothing;
  int matrix[2][3];
};
struct Aligned {
  char first;
  alignas(4) char second;
  alignas(64) std::atomic<int> third;
  const int fourth;
};
struct Flags {
  int plain;
  unsigned narrow : 3;
};
struct OnlyFlag {
  int narrow : 3;
};
struct ConstReference {
  int before;
  const int& reference;
};
struct Reference {
  int& reference;
};
struct Derived : Pair {
  int own;
};
struct Huge {
  char text[1 << 20];
  std::array<double, 1'000'000> numbers;
};
struct SharesPlaces {
  int number;
  [[no_unique_address]] Nothing nothing;
};
struct HasText {
  std::string text;
  int number;
};

#define EIGHT(n) int n##0, n##1, n##2, n##3, n##4, n##5, n##6, n##7
struct SixtyFour {
  EIGHT(a);
  EIGHT(b);
  EIGHT(c);
  EIGHT(d);
  EIGHT(e);
  EIGHT(f);
  EIGHT(g);
  EIGHT(h);
};
struct SixtyFive {
  EIGHT(a);
  EIGHT(b);
  EIGHT(c);
  EIGHT(d);
  EIGHT(e);
  EIGHT(f);
  EIGHT(g);
  EIGHT(h);
  int one_too_many;
};
#undef EIGHT

TEST(Fields, AreCountedWhateverTheyAre) {
  EXPECT_EQ(kFieldCount<Nothing>, 0u);
  EXPECT_EQ(kFieldCount<Pair>, 2u);
  EXPECT_EQ(kFieldCount<Nested>, 4u);
  EXPECT_EQ(kFieldCount<Aligned>, 4u);
  EXPECT_EQ(kFieldCount<Huge>, 2u);
  EXPECT_EQ(kFieldCount<HasText>, 2u);
  EXPECT_EQ(kFieldCount<ConstReference>, 2u);
}

TEST(Fields, AreCountedUpToTheLimitAndKnownToBeMoreAboveIt) {
  EXPECT_EQ(kFieldCount<SixtyFour>, 64u);
  EXPECT_EQ(kFieldCount<SixtyFive>, 65u);
  EXPECT_EQ(kFieldOffsets<SixtyFour>[63], 63 * sizeof(int));
}

TEST(Fields, ThatBracesCannotMakeAreNotCounted) {
  EXPECT_EQ(kFieldCount<Reference>, kUncountable);
}

TEST(Fields, KeepTheirDeclaredTypes) {
  EXPECT_TRUE((std::is_same_v<FieldTypes<Pair>, TypeList<char, double>>));
  EXPECT_TRUE((std::is_same_v<FieldTypes<Nested>,
                              TypeList<Pair[3], std::array<int, 5>, Nothing, int[2][3]>>));
  EXPECT_TRUE((std::is_same_v<FieldTypes<ConstReference>, TypeList<int, const int&>>));
}

TEST(Fields, BitFieldsAreToldFromWholeOnes) {
  EXPECT_TRUE(ShapeOf<Flags>::kHasBitField);
  EXPECT_TRUE(ShapeOf<OnlyFlag>::kHasBitField);
  EXPECT_FALSE(ShapeOf<Nested>::kHasBitField);
  EXPECT_FALSE(ShapeOf<SixtyFour>::kHasBitField);
}

TEST(Fields, BasesAreSeen) {
  EXPECT_TRUE(kHasBase<Derived>);
  EXPECT_FALSE(kHasBase<Pair>);
  EXPECT_FALSE(kHasBase<Nested>);
}

TEST(Fields, OffsetsAreThoseOfTheCompiler) {
  EXPECT_EQ(kFieldOffsets<Pair>[1], offsetof(Pair, big));
  EXPECT_EQ(kFieldOffsets<Nested>[1], offsetof(Nested, numbers));
  EXPECT_EQ(kFieldOffsets<Nested>[2], offsetof(Nested, nothing));
  EXPECT_EQ(kFieldOffsets<Nested>[3], offsetof(Nested, matrix));
  EXPECT_EQ(kFieldOffsets<Huge>[1], offsetof(Huge, numbers));
}

TEST(Fields, OffsetsFollowAlignas) {
  EXPECT_EQ(kFieldOffsets<Aligned>[1], offsetof(Aligned, second));
  EXPECT_EQ(kFieldOffsets<Aligned>[2], 64u);
  EXPECT_EQ(kFieldOffsets<Aligned>[3], offsetof(Aligned, fourth));
}

TEST(Fields, LayoutIsKnownUnlessFieldsShareAPlace) {
  EXPECT_TRUE(layout_is_known<Nothing>(FieldTypes<Nothing>{}));
  EXPECT_TRUE(layout_is_known<Nested>(FieldTypes<Nested>{}));
  EXPECT_TRUE(layout_is_known<Aligned>(FieldTypes<Aligned>{}));
  EXPECT_FALSE(layout_is_known<SharesPlaces>(FieldTypes<SharesPlaces>{}));
}

}  // namespace
}  // namespace kith::internal
