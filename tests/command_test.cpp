// The command on kith's own objects: what ls, show, members, domains, rm and clean say, in words
// and as JSON, of the living and of the dead.
#include "tests/support/command.hpp"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include "kith/channel/latest.hpp"
#include "kith/member/member.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"

namespace kith::tests {
namespace {

using namespace std::chrono_literals;

struct Point {
  double x, y;
};

class CommandOnObjects : public testing::Test {
 protected:
  [[nodiscard]] Ran kith(const std::string& arguments, const std::string& before = "") const {
    return command_.run(arguments + " --domain " + scratch_.path(), before);
  }
  [[nodiscard]] Json object(const std::string& name) const {
    return find_in(kith("ls --json").document()["objects"], "name", name);
  }

  ScratchDirectory scratch_;
  Command command_;
};

// Writes three values, holds the second and says so; lives until it is told to end.
int hold_a_value(const Domain& domain, Mouth& parent, const std::string& program) {
  ::prctl(PR_SET_NAME, program.c_str());
  LatestWriter<Point> writer(domain, "pose", {.role = "pilot"});
  LatestReader<Point> reader(domain, "pose", {.role = "logger"});
  if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
  if (writer.write({2, 2}) != WriteAnswer::committed) return 1;
  const auto held = reader.acquire();
  if (writer.write({3, 3}) != WriteAnswer::committed) return 1;
  parent.say("holds");
  return parent.hear(soon()) ? 0 : 1;
}

TEST_F(CommandOnObjects, LsTellsEachKindAndItsState) {
  const auto number = Region<double>::create(scratch_.domain(), "number");
  { const auto left = Region<>::create(scratch_.domain(), "bytes", 5000); }
  const auto world = ObjectRegion::create(scratch_.domain(), "world");
  const Ran list = kith("ls");
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_EQ(list.err, "");
  EXPECT_TRUE(list.said("NAME ") && list.said("number ")) << list.out;
  EXPECT_EQ(list.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(object("number")["kind"], "type");
  EXPECT_EQ(object("number")["state"], "in_use");
  EXPECT_EQ(object("number")["size"], sizeof(double));
  EXPECT_EQ(object("number")["creator"]["pid"], ::getpid());
  EXPECT_EQ(object("number")["creator"]["alive"], true);
  EXPECT_EQ(object("number")["processes"][0]["pid"], ::getpid());
  EXPECT_EQ(object("number")["mode"], "0600");
  EXPECT_EQ(object("bytes")["kind"], "bytes");
  EXPECT_EQ(object("bytes")["state"], "unused");
  EXPECT_EQ(object("bytes")["size"], 5000);
  EXPECT_GE(object("bytes")["memory_bytes"], 5000);
  EXPECT_EQ(object("world")["kind"], "objects");
  EXPECT_EQ(kith("ls --names").out, "bytes\nnumber\nworld\n");
}

TEST_F(CommandOnObjects, WithoutAnyStillAnswers) {
  EXPECT_TRUE(kith("ls").said("nothing in " + scratch_.path()));
  const std::string absent = " --domain " + scratch_.in("absent");
  const Ran list = command_.run("ls" + absent);
  EXPECT_EQ(list.status, 0);
  EXPECT_TRUE(list.said("there is no domain at")) << list.out;
  EXPECT_EQ(command_.run("ls --json" + absent).document()["exists"], false);
  EXPECT_EQ(command_.run("members" + absent).status, 0);
  EXPECT_EQ(command_.run("clean" + absent).status, 0);
  EXPECT_EQ(command_.run("show pose" + absent).status, 3);
  EXPECT_EQ(command_.run("rm pose" + absent).status, 3);
}

TEST_F(CommandOnObjects, ShowTellsWhoHoldsWhatInAChannel) {
  Child holder([&](Mouth& parent) { return hold_a_value(scratch_.domain(), parent, "pilot"); });
  ASSERT_EQ(holder.hear(), "holds");
  const Ran show = kith("show pose --json");
  ASSERT_EQ(show.status, 0) << show.err;
  const Json pose = show.document()["object"];
  EXPECT_EQ(pose["latest"]["sequence"], 3);
  EXPECT_EQ(pose["latest"]["newest_size"], sizeof(Point));
  EXPECT_EQ(pose["latest"]["pinned_held"], 1);
  EXPECT_EQ(pose["format"]["word_bits"], 8 * sizeof(void*));
  const Json writer = find_in(pose["roles"], "role", "writer");
  EXPECT_EQ(writer["name"], "pilot");
  EXPECT_EQ(writer["state"], "held");
  EXPECT_EQ(writer["holder"]["pid"], holder.pid());
  const Json reader = find_in(pose["roles"], "role", "reader");
  EXPECT_EQ(reader["name"], "logger");
  EXPECT_EQ(reader["pinned_sequence"], 2);
  ASSERT_EQ(pose["attached"].size(), 1u);
  EXPECT_EQ(pose["attached"][0]["program"], "pilot");
  const Json user = find_in(pose["processes"], "pid", holder.pid());
  ASSERT_TRUE(user.is_object()) << pose["processes"];
  EXPECT_EQ(user["mappings"][0]["write"], true);
  EXPECT_EQ(user["mappings"][0]["shared"], true);
  EXPECT_GT(user["mappings"][0]["resident_bytes"], 0);
  const Ran words = kith("show pose");
  for (const char* expected : {"reader 0  logger", "value 2", "pilot", "Processes that map it"}) {
    EXPECT_TRUE(words.said(expected)) << expected << "\n" << words.out;
  }
}

TEST_F(CommandOnObjects, TheDeadAreToldApartUntilTheyAreReaped) {
  Child holder([&](Mouth& parent) { return hold_a_value(scratch_.domain(), parent, "pilot"); });
  ASSERT_EQ(holder.hear(), "holds");
  const pid_t pid = holder.pid();
  EXPECT_EQ(kith("members --json").document()["members"][0]["state"], "alive");
  ASSERT_TRUE(holder.stop());
  const Json stopped = kith("members --json").document()["members"][0];
  EXPECT_EQ(stopped["state"], "alive");
  EXPECT_EQ(stopped["stopped"], true);
  EXPECT_EQ(stopped["attached"], Json::array({"pose"}));
  holder.kill();
  const Json dead = kith("members --json").document()["members"][0];
  EXPECT_EQ(dead["state"], "dead");
  EXPECT_EQ(dead["pid"], pid);
  EXPECT_TRUE(kith("members").said("dead, not reaped"));
  EXPECT_EQ(object("pose")["state"], "orphaned");
  EXPECT_EQ(object("pose")["members"]["dead"], 1);
  const Json roles = kith("show pose --json").document()["object"]["roles"];
  EXPECT_EQ(find_in(roles, "role", "reader")["state"], "dead");
  const Json domain =
      find_in(command_.run("domains --json").document()["domains"], "path", scratch_.path());
  EXPECT_EQ(domain["state"], "orphaned");
  EXPECT_EQ(domain["members"]["dead"], 1);

  const Ran clean = kith("clean --json");
  EXPECT_EQ(clean.status, 0) << clean.err;
  EXPECT_EQ(clean.document()["members_reaped"], 1);
  EXPECT_EQ(kith("members --json").document()["members"], Json::array());
  EXPECT_EQ(object("pose")["state"], "unused");
  const Json left = kith("show pose --json").document()["object"]["roles"];
  const Json reader = find_in(left, "role", "reader");
  EXPECT_EQ(reader["state"], "vacant") << left;
  EXPECT_EQ(reader["pinned_sequence"], 2);
  EXPECT_GE(kith("clean --roles --json").document()["roles_dropped"], 1);
  EXPECT_EQ(kith("show pose --json").document()["object"]["latest"]["pinned_vacant"], 0);
}

// Method: what whoever opens or joins would give back: a dead holder's role, an object that was to
// live with its creator. Nobody joins after these deaths.
TEST_F(CommandOnObjects, LookingChangesNothing) {
  { const LatestReader<Point> logger(scratch_.domain(), "pose", {.role = "logger"}); }
  Child creator([&](Mouth& parent) {
    LatestWriter<Point> pose(scratch_.domain(), "pose");
    LatestWriter<Point> over(scratch_.domain(), "over",
                             {.lifetime = Lifetime::while_creator_lives});
    parent.say("made");
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(creator.hear(), "made");
  creator.kill();
  const Json before = kith("ls --json").document()["objects"];
  ASSERT_EQ(before.size(), 2u) << before;
  for (const char* look : {"ls --all", "show pose", "show over", "members", "domains"}) {
    const std::string place = std::string(look) == "domains" ? "" : " --domain " + scratch_.path();
    EXPECT_EQ(command_.run(look + place).status, 0) << look;
  }
  EXPECT_EQ(kith("ls --json").document()["objects"], before);
  EXPECT_EQ(kith("members --json").document()["members"][0]["state"], "dead");
}

TEST_F(CommandOnObjects, ShowListsWhatLiesInAnObjectRegion) {
  const auto domain = scratch_.domain();
  auto world = ObjectRegion::create(domain, "world", {.bytes = 4096, .objects_max = 8});
  world.create_object<Point>("origin", Deadline::after(5s)) = {1, 2};
  world.create_object<std::uint64_t>("tick", Deadline::after(5s)) = 7;
  const Json named = kith("show world --json").document()["object"]["named"];
  ASSERT_EQ(named.size(), 2u) << named;
  EXPECT_EQ(named[0]["name"], "origin");
  EXPECT_EQ(named[0]["size"], sizeof(Point));
  EXPECT_NE(named[0]["type"].get<std::string>().find("Point"), std::string::npos);
  EXPECT_EQ(named[1]["name"], "tick");
  EXPECT_TRUE(kith("show world").said("origin"));
}

TEST_F(CommandOnObjects, DomainsFindsADirectoryByItsTable) {
  const Domain deep = Domain::at(scratch_.in("deep"));
  const Member here = Member::join(deep);
  const Ran ran = command_.run("domains --json");
  const Json domain = find_in(ran.document()["domains"], "path", deep.path());
  ASSERT_TRUE(domain.is_object()) << ran.out;
  EXPECT_EQ(domain["state"], "in_use");
  EXPECT_EQ(domain["members"]["living"], 1);
  EXPECT_EQ(domain["mode"], "0700");
  EXPECT_EQ(domain["owner"]["id"], ::geteuid());
  EXPECT_GT(domain["memory_bytes"], 0);
  const std::string on_disk = command_.run("domains --json", "KITH_DOMAIN=/tmp").out;
  EXPECT_NE(on_disk.find("\"/tmp\""), std::string::npos) << "the one of KITH_DOMAIN";
}

TEST_F(CommandOnObjects, RmSaysByItsStatusWhy) {
  const auto used = Region<double>::create(scratch_.domain(), "used");
  { const auto free = Region<double>::create(scratch_.domain(), "free"); }
  { const auto posix = Region<double>::create(scratch_.domain(), "sysv:shm:1"); }
  EXPECT_EQ(kith("rm no-such").status, 3);
  const Ran refused = kith("rm used --json");
  EXPECT_EQ(refused.status, 4);
  EXPECT_EQ(refused.error()["code"], "in_use");
  EXPECT_EQ(refused.document()["results"][0]["result"], "in_use");
  const Ran mixed = kith("rm used no-such free");
  EXPECT_EQ(mixed.status, 1);
  EXPECT_EQ(mixed.out, "removed free\n");
  EXPECT_TRUE(mixed.complained("'used'") && mixed.complained("--force")) << mixed.err;
  EXPECT_TRUE(mixed.complained("'no-such'")) << mixed.err;
  EXPECT_EQ(kith("rm ./sysv:shm:1").out, "removed ./sysv:shm:1\n");
  EXPECT_EQ(kith("rm --force used").status, 0);
  EXPECT_TRUE(used.is_orphaned());
  EXPECT_EQ(kith("rm ../x").status, 1);
}

TEST_F(CommandOnObjects, AStrangersFileIsAProblemAndNoCrash) {
  std::ofstream(scratch_.in("pose")) << "not kith's";
  std::filesystem::create_directory(scratch_.in("folder"));
  const Ran list = kith("ls --json");
  EXPECT_EQ(list.status, 1);
  EXPECT_EQ(object("pose")["state"], "problem");
  const Ran show = kith("show pose --json");
  EXPECT_EQ(show.status, 1);
  EXPECT_EQ(show.out, "");
  EXPECT_NE(show.error()["text"].get<std::string>().find("'pose'"), std::string::npos);
  EXPECT_EQ(kith("show folder").status, 1);
}

// Method: every byte of the table behind its header, and of the channel's, set to one value.
TEST_F(CommandOnObjects, DamagedBooksAreShownOrRefusedAndNeverACrash) {
  {
    LatestWriter<Point> writer(scratch_.domain(), "pose");
    LatestReader<Point> reader(scratch_.domain(), "pose");
    ASSERT_EQ(writer.write({1, 1}), WriteAnswer::committed);
  }
  const Member here = Member::join(scratch_.domain());
  for (const char byte : {'\xff', '\x01', '\x7f'}) {
    for (const char* file : {".members", "pose"}) {
      patch(scratch_.in(file), 4096, std::string(8192 - (file[0] == '.' ? 0 : 4096), byte));
    }
    for (const char* look :
         {"ls", "ls --json", "show pose", "show pose --json", "members", "members --json"}) {
      const Ran ran = kith(look);
      EXPECT_TRUE(ran.status == 0 || ran.status == 1) << look << ": " << ran.status << ran.err;
    }
    EXPECT_TRUE(command_.run("domains").status <= 1);
  }
}

TEST_F(CommandOnObjects, AHostileNameStaysInItsLine) {
  Child holder(
      [&](Mouth& parent) { return hold_a_value(scratch_.domain(), parent, "a\x1b[2J) R"); });
  ASSERT_EQ(holder.hear(), "holds");
  for (const char* look : {"members", "ls", "show pose"}) {
    const Ran ran = kith(look);
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.out.find('\x1b'), std::string::npos) << look;
    EXPECT_TRUE(ran.said("a?[2J) R")) << ran.out;
  }
  EXPECT_EQ(kith("members --json").document()["members"][0]["program"], "a?[2J) R");
}

TEST_F(CommandOnObjects, WhatCannotBeWrittenIsAnError) {
  const auto number = Region<double>::create(scratch_.domain(), "number");
  const Ran full = kith("ls", "sh -c '\"$@\" > /dev/full' sh");
  EXPECT_EQ(full.status, 1);
  EXPECT_TRUE(full.complained("writing the answer failed")) << full.err;
}

TEST_F(CommandOnObjects, ArgumentsThatMakeNoSenseAreJsonWhereJsonWasAsked) {
  const Ran ran = kith("ls --json --no-such-option");
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.error()["code"], "usage");
  EXPECT_EQ(kith("ls --names --json").status, 2);
  EXPECT_EQ(kith("ls --color=sometimes").status, 2);
  EXPECT_EQ(command_.run("show").status, 2);
}

}  // namespace
}  // namespace kith::tests
