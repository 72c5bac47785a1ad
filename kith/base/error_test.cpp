#include "kith/base/error.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>
#include <type_traits>

#include "kith/base/contract.hpp"

namespace kith {
namespace {

constexpr int kCodes = 24;

TEST(Error, SaysObjectExpectedFoundAndRemedyInThatOrder) {
  const Error error(Errc::wrong_type, {.object = "region 'pose' in /dev/shm/kith-1000",
                                       .expected = "type Pose, 48 bytes",
                                       .found = "type Twist, 96 bytes",
                                       .remedy = "rebuild both programs"});
  EXPECT_STREQ(error.what(),
               "region 'pose' in /dev/shm/kith-1000: the two programs disagree about what it is: "
               "expected type Pose, 48 bytes, found type Twist, 96 bytes; rebuild both programs");
}

TEST(Error, LeavesEmptyPartsOut) {
  EXPECT_STREQ(Error(Errc::timed_out, {}).what(), "the deadline passed");
  EXPECT_STREQ(Error(Errc::not_found, {.object = "region 'a'", .found = "nothing"}).what(),
               "region 'a': there is no such object: nothing");
  EXPECT_STREQ(Error(Errc::in_use, {.expected = "no user"}).what(),
               "it is in use: expected no user");
}

TEST(Error, KeepsItsPartsForPrograms) {
  const Error error(Errc::no_space, {.object = "o", .expected = "e", .found = "f", .remedy = "r"});
  EXPECT_EQ(error.errc(), Errc::no_space);
  EXPECT_EQ(error.text().object, "o");
  EXPECT_EQ(error.text().expected, "e");
  EXPECT_EQ(error.text().found, "f");
  EXPECT_EQ(error.text().remedy, "r");
}

TEST(Error, IsCaughtAsASystemErrorAndComparesWithTheStandardCodes) {
  try {
    throw Error(Errc::not_found, {.object = "region 'pose'"});
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), Errc::not_found);
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(error.code(), std::errc::file_exists);
    EXPECT_NE(std::string(error.what()).find("region 'pose'"), std::string::npos);
  }
  EXPECT_EQ(make_error_code(Errc::already_exists), std::errc::file_exists);
  EXPECT_EQ(make_error_code(Errc::permission_denied), std::errc::permission_denied);
  EXPECT_EQ(make_error_code(Errc::no_space), std::errc::no_space_on_device);
  EXPECT_EQ(make_error_code(Errc::timed_out), std::errc::timed_out);
}

// The numbers are part of the interface: C and Python know them too.
TEST(Error, NumbersKeepTheirMeaning) {
  EXPECT_EQ(static_cast<int>(Errc::not_found), 1);
  EXPECT_EQ(static_cast<int>(Errc::already_exists), 2);
  EXPECT_EQ(static_cast<int>(Errc::damaged), 8);
  EXPECT_EQ(static_cast<int>(Errc::timed_out), 13);
  EXPECT_EQ(static_cast<int>(Errc::forked), 18);
  EXPECT_EQ(static_cast<int>(Errc::system), 20);
  EXPECT_EQ(static_cast<int>(Errc::retired), kCodes);
}

TEST(Error, EveryCodeHasASentenceOfItsOwn) {
  std::set<std::string> sentences;
  for (int value = 1; value <= kCodes; ++value) {
    const std::string sentence = error_category().message(value);
    EXPECT_EQ(sentence.find("unknown"), std::string::npos) << value;
    EXPECT_TRUE(sentences.insert(sentence).second) << sentence;
    const auto meaning = error_category().default_error_condition(value);
    EXPECT_EQ(meaning.category(), std::generic_category()) << sentence;
  }
}

TEST(Error, ANumberWithoutAMeaningIsStillShown) {
  EXPECT_EQ(error_category().message(4711), "unknown error 4711");
  EXPECT_EQ(error_category().default_error_condition(4711).category(), error_category());
  EXPECT_STREQ(error_category().name(), "kith");
}

TEST(Error, CanBeCopiedAsExceptionsAre) {
  const Error error(Errc::in_use, {.object = "role 'writer'"});
  const Error copy = error;
  EXPECT_STREQ(copy.what(), error.what());
}

TEST(Contract, ABrokenOneStopsTheProcessAndSaysWhich) {
  const bool guard_is_null = true;
  EXPECT_DEATH(KITH_REQUIRE(!guard_is_null, "a null guard has no value"),
               "broken contract at .*error_test.*a null guard has no value.*!guard_is_null");
}

TEST(Contract, AKeptOneDoesNothing) {
  int evaluations = 0;
  KITH_REQUIRE(++evaluations == 1, "evaluated once");
  EXPECT_EQ(evaluations, 1);
}

}  // namespace
}  // namespace kith
