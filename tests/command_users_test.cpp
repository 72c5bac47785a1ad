// The command on what several users share: guests of a channel, and a domain that is not one's own.
#include <gtest/gtest.h>

#include "tests/support/command.hpp"
#include "tests/support/users.hpp"

namespace kith::tests {
namespace {

class CommandOnShared : public testing::Test {
 protected:
  void SetUp() override { KITH_NEEDS_SEVERAL_USERS(); }

  [[nodiscard]] Json shown() const {
    const Ran ran = command_.run("show pose --json --domain " + folder_.domain_path());
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.document()["object"];
  }

  SharedFolder folder_;
  Command command_;
};

TEST_F(CommandOnShared, ShowTellsAGuestFromAReaderAndADeadOneFromALivingOne) {
  const Domain domain = folder_.domain_of(shared_with_guests());
  Process alice = as_user("alice", kAlice, kGroup, [&](Mouth& test) -> std::string {
    LatestOptions options;
    options.rights = for_guests();
    options.guests_max = 2;
    LatestWriter<std::uint64_t> pose(domain, "pose", options);
    if (pose.write(7) != WriteAnswer::committed) return "she cannot write";
    test.say("ready");
    test.await("end", soon());
    return "";
  });
  ASSERT_EQ(alice.expect("ready", soon()), "");
  Process bob = as_user("bob", kBob, kGroup, [&](Mouth& test) -> std::string {
    LatestOptions options;
    options.role = "logger";
    LatestReader<std::uint64_t> reader(domain, "pose", options);
    const auto value = reader.acquire();
    test.say(value ? "holds" : "holds nothing");
    test.await("never", soon());
    return "";
  });
  ASSERT_EQ(bob.expect("holds", soon()), "");

  const Json pose = shown();
  EXPECT_EQ(pose["owner"]["id"], kAlice);
  EXPECT_EQ(pose["latest"]["guests_max"], 2);
  EXPECT_EQ(pose["mode"], "0640");  // of the object, not of the file that is for members
  EXPECT_EQ(pose["latest"]["guests_held"], 1);
  EXPECT_EQ(pose["latest"]["sequence"], 1);
  EXPECT_EQ(pose["latest"]["newest_size"], 8);
  const Json guest = find_in(pose["roles"], "role", "guest");
  EXPECT_EQ(guest["name"], "logger") << pose["roles"];
  EXPECT_EQ(guest["state"], "held");
  EXPECT_EQ(guest["pinned_sequence"], 1);
  EXPECT_EQ(find_in(pose["roles"], "role", "writer")["state"], "held");
  bob.kill();
  EXPECT_EQ(find_in(shown()["roles"], "role", "guest")["state"], "dead");
  alice.tell("end");
  EXPECT_EQ(alice.finish(soon()).text(), "");
}

}  // namespace
}  // namespace kith::tests
