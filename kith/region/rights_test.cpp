// Rights in the words of chmod: what is understood, and what is refused by name.
#include "kith/region/rights.hpp"

#include <gtest/gtest.h>

#include "kith/base/error.hpp"

#include "tests/support/refusal.hpp"

namespace kith {
namespace {

TEST(Rights, AreReadAsPeopleWriteThem) {
  EXPECT_FALSE(Rights::from_text("").are_given());
  const Rights group = Rights::from_text("0770:robots");
  EXPECT_EQ(group.mode, 0770u);
  EXPECT_EQ(group.group, "robots");
  EXPECT_EQ(Rights::from_text("770:61340").mode, 0770u);
  const Rights owned = Rights::from_text("0750:robots@alice");
  EXPECT_EQ(owned.mode, 0750u);
  EXPECT_EQ(owned.group, "robots");
  EXPECT_EQ(owned.owner, "alice");
  const Rights alone = Rights::from_text("0700");
  EXPECT_EQ(alone.mode, 0700u);
  EXPECT_EQ(alone.group, "");
}

TEST(Rights, AreSaidAsTheyAreRead) {
  for (const char* text : {"0770:robots", "0700", "0640:61340", "0750:robots@alice", "0755@1000"}) {
    EXPECT_EQ(Rights::from_text(text).text(), text);
  }
}

TEST(Rights, ThatAreNoneAreRefusedByName) {
  for (const std::string text : {"rwx", "0", "0000", "0789", "01777", "-1", " 0770", "0770 ", ":g",
                                 "0770;g", "99999999999999999999"}) {
    EXPECT_EQ(tests::why_not_refused([&] { (void)Rights::from_text(text); }, Errc::invalid_argument,
                                     {"'" + text + "'", "0770:robots", "KITH_RIGHTS"}),
              "");
  }
}

}  // namespace
}  // namespace kith
