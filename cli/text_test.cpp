// What people and programs read: sizes, times, rights and tables, from data and never from this
// machine.
#include "cli/text.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "cli/place.hpp"
#include "cli/table.hpp"

namespace kith::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Text, OfASizeHasTheUnitThatFits) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(250 * 1024), "250 KiB");
  EXPECT_EQ(size_text(std::uint64_t{3} << 40), "3.0 TiB");
  EXPECT_EQ(size_text(std::numeric_limits<std::uint64_t>::max()), "16777216 TiB");
}

TEST(Text, OfASpanIsNeverNegative) {
  EXPECT_EQ(span_text(-5 * kSecond), "0 s");
  EXPECT_EQ(span_text(119 * kSecond), "119 s");
  EXPECT_EQ(span_text(120 * kSecond), "2 min");
  EXPECT_EQ(span_text(7199 * kSecond), "119 min");
  EXPECT_EQ(span_text(7200 * kSecond), "2 h");
  EXPECT_EQ(span_text(48 * 3600 * kSecond), "2 d");
  EXPECT_EQ(age_text(std::numeric_limits<std::int64_t>::max()), "0 s");
  EXPECT_EQ(age_text(std::numeric_limits<std::int64_t>::min()), "?");
}

TEST(Text, OfATimeIsIso8601ToTheNanosecond) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(iso_time(1'795'266'923'123'456'789), "2026-11-21T13:15:23.123456789Z");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(iso_time(std::numeric_limits<std::int64_t>::max()), "2262-04-11T23:47:16.854775807Z");
}

TEST(Text, OfRightsIsAsLsHasIt) {
  EXPECT_EQ(rights_text(0640), "rw-r-----");
  EXPECT_EQ(rights_text(0777), "rwxrwxrwx");
  EXPECT_EQ(rights_text(0), "---------");
  EXPECT_EQ(octal_text(0640), "0640");
  EXPECT_EQ(octal_text(01777), "1777");
}

TEST(Text, OfAUserWithoutANameIsItsNumber) {
  EXPECT_EQ(user_name(4'123'456'789), "4123456789");
  EXPECT_EQ(group_name(4'123'456'789), "4123456789");
}

TEST(Printable, StaysInItsLine) {
  EXPECT_EQ(printable("a\nb\tc\x1b]0;x\x07\xc2\x9b"), "a?b?c?]0;x???");
}

TEST(ObjectName, MayBeWrittenWithADotAndASlash) {
  EXPECT_EQ(object_name("./sysv:shm:1"), "sysv:shm:1");
  EXPECT_EQ(object_name("pose"), "pose");
}

TEST(ExitCode, OfSeveralFailuresIsTheOneTheyShare) {
  EXPECT_EQ(both(kFine, kFine), kFine);
  EXPECT_EQ(both(kFine, kInUse), kInUse);
  EXPECT_EQ(both(kInUse, kFine), kInUse);
  EXPECT_EQ(both(kInUse, kInUse), kInUse);
  EXPECT_EQ(both(kInUse, kNotFound), kProblem);
  EXPECT_EQ(both(kProblem, kNotFound), kProblem);
}

Table small_table() {
  Table table({{"NAME"}, {"SIZE", true}, {"EMPTY"}, {"NOTES"}});
  table.add({"a", "12", "", "short"});
  table.add({Cell("bee", Tone::strong), "3", "", "a note that is longer than the line"});
  return table;
}

TEST(Table, IsAlignedAndLeavesEmptyColumnsOut) {
  EXPECT_EQ(small_table().text({}),
            "NAME  SIZE  NOTES\n"
            "a       12  short\n"
            "bee      3  a note that is longer than the line\n");
}

TEST(Table, IsCutToTheWidthOfATerminal) {
  EXPECT_EQ(small_table().text({.columns = 24}),
            "NAME  SIZE  NOTES\n"
            "a       12  short\n"
            "bee      3  a note th...\n");
  // Where nothing would be left of the last column, it is left whole.
  EXPECT_EQ(small_table().text({.columns = 10}), small_table().text({}));
}

TEST(Table, CountsNoColoursAsCharacters) {
  EXPECT_EQ(small_table().text({.colour = true}),
            "\x1b[1mNAME\x1b[0m  \x1b[1mSIZE\x1b[0m  \x1b[1mNOTES\x1b[0m\n"
            "a       12  short\n"
            "\x1b[1mbee\x1b[0m      3  a note that is longer than the line\n");
}

TEST(Table, ShowsNoControlCharacterOfAStranger) {
  Table table({{"NAME"}});
  table.add({"a\x1b[2Jb\nc"});
  EXPECT_EQ(table.text({}), "NAME\na?[2Jb?c\n");
}

TEST(Table, WithoutHeadsIsAListOfFacts) {
  Table table({{""}, {""}});
  table.add({"kind", "latest"});
  table.add({"size", "8 B"});
  EXPECT_EQ(table.text({}), "kind  latest\nsize  8 B\n");
}

}  // namespace
}  // namespace kith::cli
