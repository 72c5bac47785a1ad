#include "kith/base/name.hpp"

#include <gtest/gtest.h>
#include <string>

namespace kith {
namespace {

std::string why_not(std::string_view name) {
  return why_not_a_name(name, kObjectNameMax);
}

TEST(Name, LettersDigitsAndSomePunctuationAreFine) {
  for (const char* name : {"pose", "Pose2", "_private", "7", "a.b", "a-b", "robot:arm", "a@host",
                           "a+b=c", "camera_left.0"}) {
    EXPECT_EQ(why_not(name), "") << name;
  }
}

TEST(Name, TheEmptyOneIsNone) {
  EXPECT_EQ(why_not(""), "it is empty");
}

TEST(Name, NeverLeavesItsDirectoryHidesOrLooksLikeAnOption) {
  EXPECT_NE(why_not("a/b").find("'/' at position 1"), std::string::npos);
  EXPECT_NE(why_not("/etc").find("'/' at position 0"), std::string::npos);
  for (const char* name : {".", "..", ".hidden", "-rf", "@a", "+a", "=a", ":a"}) {
    EXPECT_NE(why_not(name).find("it begins with"), std::string::npos) << name;
  }
}

TEST(Name, SaysWhichCharacterIsWrongAndWhere) {
  EXPECT_EQ(why_not("a*b"), "it holds '*' at position 1; use letters, digits and _ - . : @ + =");
  EXPECT_NE(why_not("pose 1").find("byte 0x20 at position 4"), std::string::npos);
  EXPECT_NE(why_not("a\nb").find("byte 0x0a at position 1"), std::string::npos);
  EXPECT_NE(why_not(std::string_view("a\0b", 3)).find("byte 0x00"), std::string::npos);
  EXPECT_NE(why_not("gr\xc3\xb6\xc3\x9f"
                    "e")
                .find("byte 0xc3 at position 2"),
            std::string::npos);
}

TEST(Name, MayBeAsLongAsToldAndNotLonger) {
  EXPECT_EQ(why_not(std::string(kObjectNameMax, 'a')), "");
  EXPECT_EQ(why_not(std::string(kObjectNameMax + 1, 'a')),
            "it has 201 characters, 200 are allowed");
  EXPECT_EQ(why_not_a_name(std::string(kRoleNameMax, 'a'), kRoleNameMax), "");
  EXPECT_NE(why_not_a_name(std::string(kRoleNameMax + 1, 'a'), kRoleNameMax), "");
}

}  // namespace
}  // namespace kith
