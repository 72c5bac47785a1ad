// Keys of the mesh: digits, numbers, corrections and the end of the input.
#include "cli/mesh/key_parser.hpp"

#include <gtest/gtest.h>

namespace kith::mesh {
namespace {

using Keys = std::vector<Key>;

Key toggle(std::uint32_t process) {
  return {Key::Kind::toggle, std::to_string(process), process};
}
Key none(const std::string& number) {
  return {Key::Kind::no_such_process, number, 0};
}
const Key kQuit{};

TEST(KeyParser, ADigitActsAtOnceUpToTenProcesses) {
  KeyParser parser(10);
  EXPECT_EQ(parser.parse("0"), Keys({toggle(0)}));
  EXPECT_EQ(parser.parse("91"), Keys({toggle(9), toggle(1)}));
}

TEST(KeyParser, ANumberNeedsEnterBeyondTenProcesses) {
  KeyParser parser(50);
  EXPECT_EQ(parser.parse("1"), Keys());
  EXPECT_EQ(parser.parse("2"), Keys());
  EXPECT_EQ(parser.parse("\n"), Keys({toggle(12)}));
  EXPECT_EQ(parser.parse("3 4,5\r\n"), Keys({toggle(3), toggle(4), toggle(5)}));
}

TEST(KeyParser, TheEndOfTheInputCompletesANumber) {
  KeyParser parser(50);
  EXPECT_EQ(parser.parse("49"), Keys());
  EXPECT_EQ(parser.finish(), Keys({toggle(49)}));
  EXPECT_EQ(parser.finish(), Keys());
}

TEST(KeyParser, BackspaceTakesADigitBack) {
  KeyParser parser(50);
  EXPECT_EQ(parser.parse("12\x7f\x7f\x7f"
                         "7\b3\n"),
            Keys({toggle(3)}));
}

TEST(KeyParser, SaysWhichNumberNoProcessHas) {
  KeyParser few(3);
  EXPECT_EQ(few.parse("3"), Keys({none("3")}));
  KeyParser many(50);
  EXPECT_EQ(many.parse("50\n99999999999999999999\n"), Keys({none("50"), none("9999")}));
}

TEST(KeyParser, QEndsWhateverWasTypedBefore) {
  KeyParser parser(50);
  EXPECT_EQ(parser.parse("1q"), Keys({kQuit}));
}

TEST(KeyParser, IgnoresEverythingElse) {
  KeyParser parser(3);
  EXPECT_EQ(parser.parse("\n x\t-\x1b"), Keys());
}

}  // namespace
}  // namespace kith::mesh
