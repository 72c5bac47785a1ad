#include "testkit/report.hpp"

#include <gtest/gtest.h>

namespace kith::testkit {
namespace {

Report good() {
  Report report;
  report.subject = "write";
  report.instructions = 120;
  report.kills = 121;
  return report;
}

Report bad() {
  Report report = good();
  report.subject = "read";
  report.hangs = 2;
  report.wrong = 1;
  report.failures.push_back({Failure::Kind::hang, 17, true, "futex (202), wait+0x4", "survivor",
                             "did not return within 5000 ms"});
  return report;
}

TEST(Report, IsFineWhenSomethingWasTriedAndNothingFailed) {
  EXPECT_TRUE(good().fine());
  EXPECT_FALSE(bad().fine());
  EXPECT_EQ(bad().failed(), 3U);
}

TEST(Report, IsNotFineWhenNothingWasTried) {
  EXPECT_FALSE(Report{}.fine());
  Report half = good();
  half.broken = "clean_up: threw";
  EXPECT_FALSE(half.fine());
}

TEST(Report, SaysWhereItFailedFirst) {
  EXPECT_EQ(to_string(bad().failures[0]),
            "kill point 17 (hang) asleep in futex (202), wait+0x4: survivor: did not return within "
            "5000 ms");
  const Report reports[] = {good(), bad()};
  const std::string text = table(reports);
  EXPECT_NE(text.find("read: kill point 17"), std::string::npos) << text;
  EXPECT_EQ(text.find("write: kill point"), std::string::npos) << text;
}

TEST(Report, MakesOneJsonRow) {
  EXPECT_EQ(json_row(good()),
            "{\"proof\":\"step\",\"subject\":\"write\",\"tried\":121,\"failed\":0,"
            "\"detail\":\"instructions 120, system calls 0, changes 0, kills 121, hangs 0, wrong "
            "0, leaked 0, skipped 0, diverged 0\"}");
}

TEST(Report, CountsAProofThatTriedNothingAsAFailureInJson) {
  EXPECT_NE(json_row(Report{}).find("\"failed\":1"), std::string::npos);
}

TEST(Report, SurvivesBytesThatAreNotText) {
  Report odd = bad();
  odd.failures[0].text = "\xff\xfe";
  EXPECT_NE(json_row(odd).find("\"failed\":3"), std::string::npos);
}

}  // namespace
}  // namespace kith::testkit
