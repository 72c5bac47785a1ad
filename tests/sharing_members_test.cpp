// Sharing a domain with a group: everybody in it does everything, and nobody outside gets in.
// Method: real processes of real users, who meet in a domain on tmpfs.
#include <atomic>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>

#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/region.hpp"

#include "tests/support/users.hpp"

namespace kith {
namespace {

using namespace tests;
using namespace std::chrono_literals;
using Number = std::atomic<std::uint64_t>;

TEST(MembersDomain, LetsTwoUsersMakeUseAndRemoveEachOthersObjects) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  const auto alices = [&](Mouth& test) -> std::string {
    const Domain domain = folder.domain_of(shared_whole());
    LatestWriter<Whole> writer(domain, "pose");
    auto number = Region<Number>::create(domain, "number");
    number->store(5);
    if (!write_next(writer)) return "she cannot write";
    test.say("made");
    test.await("go on", soon());
    if (number->load() != 6) return "his change is not seen";
    if (Region<Number>::open(domain, "his")->load() != 7) return "his object is not whole";
    if (remove_object(domain, "his") != Removal::removed) return "she cannot remove his object";
    if (!number.is_orphaned()) return "he did not remove her object";
    return "";
  };
  Process alice = as_user("alice", kAlice, kGroup, alices);
  ASSERT_EQ(alice.expect("made", soon()), "");
  EXPECT_EQ(try_as(kBob, kGroup,
                   [&](Mouth&) -> std::string {
                     const Domain domain = folder.domain_of(shared_whole());
                     LatestReader<Whole> reader(domain, "pose");
                     const auto value = reader.acquire();
                     if (!value || !value->is(1)) return "he does not read her value";
                     if (reader.writer_liveness() != Liveness::alive) return "she is not alive";
                     if (Member::join(domain).members().size() != 2) return "they are not two";
                     auto number = Region<Number>::open(domain, "number");
                     if (number->fetch_add(1) != 5) return "he does not see her number";
                     Region<Number>::create(domain, "his")->store(7);
                     if (remove_object(domain, "number") != Removal::in_use) return "not in use";
                     number.close();
                     const Removal forced = remove_object(domain, "number", Force::yes);
                     return forced == Removal::removed ? "" : "he cannot remove her object";
                   }),
            "");
  EXPECT_EQ(look_at_file(folder.domain_path()), (FileLook{02770, kAlice, kGroup}));
  for (const std::string& name : files_in(folder.domain_path())) {
    const FileLook look = look_at_file(folder.domain_path() + "/" + name);
    EXPECT_EQ(look.mode, 0660u) << name;
    EXPECT_EQ(look.group, kGroup) << name;
    EXPECT_EQ(look.owner, name == "his" ? kBob : kAlice) << name;
  }
  alice.tell("go on");
  EXPECT_EQ(alice.finish(soon()).text(), "");
}

TEST(MembersDomain, PassesRolesFromOneUserToAnother) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  for (std::uint64_t turn = 0; turn < 6; ++turn) {
    EXPECT_EQ(try_as(turn % 2 == 0 ? kAlice : kBob, kGroup,
                     [&](Mouth&) -> std::string {
                       const Domain domain = folder.domain_of(shared_whole());
                       LatestWriter<Whole> writer(domain, "pose", {.role = "driver"});
                       if (writer.sequence() != turn) return "the last value is lost";
                       if (turn > 0 && !writer.last()->is(turn)) return "it is not whole";
                       return write_next(writer) ? "" : "cannot write";
                     }),
              "");
  }
}

TEST(MembersDomain, GivesBackWhatADeadMemberOfAnotherUserHeld) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  Process alice = as_user("alice", kAlice, kGroup, [&](Mouth& test) -> std::string {
    const Domain domain = folder.domain_of(shared_whole());
    LatestWriter<Whole> writer(domain, "pose");
    LatestReader<Whole> plain(domain, "pose");
    LatestReader<Whole> named(domain, "pose", {.role = "logger"});
    if (!write_next(writer)) return "cannot write";
    const auto pinned = plain.acquire();
    const auto kept = named.acquire();
    test.say("ready");
    test.await("never", soon());
    return "was not killed";
  });
  ASSERT_EQ(alice.expect("ready", soon()), "");
  alice.kill();
  EXPECT_EQ(
      try_as(kBob, kGroup,
             [&](Mouth&) -> std::string {
               const Domain domain = folder.domain_of(shared_whole());
               const Member member = Member::join(domain);
               if (member.reaped_at_joining().reaped != 1) return "he did not reap her";
               const auto facts = latest_facts(domain, "pose");
               if (!facts || facts->readers_held != 0 || facts->has_writer) return "roles are held";
               if (facts->pinned_vacant != 1 || facts->pinned_by_nobody != 0)
                 return "pins are lost";
               LatestReader<Whole> named(domain, "pose", {.role = "logger"}, Inherited::resume);
               const auto kept = named.resume();
               if (!kept || !kept->is(1)) return "what she held is lost";
               LatestWriter<Whole> writer(domain, "pose");
               return writer.sequence() == 1 && write_next(writer) ? "" : "he cannot write on";
             }),
      "");
}

TEST(MembersDomain, TellsStrangersHowToShare) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  const auto makes = [&](Mouth&) -> std::string {
    (void)Region<Number>::create(folder.domain_of(shared_whole()), "number");
    return "";
  };
  ASSERT_EQ(try_as(kAlice, kGroup, makes), "");
  const auto refused = [&](const Rights& rights, Errc code,
                           std::initializer_list<std::string> words) {
    return [&, rights, code, words](Mouth&) {
      const auto open = [&] { (void)Region<Number>::open(folder.domain_of(rights), "number"); };
      return why_not_refused(open, code, words);
    };
  };
  const std::string path = folder.domain_path();
  const std::string who = "user " + std::to_string(kAlice) + ", mode 0770, group " + kGroupText;
  // In the group, but did not say that it trusts it.
  EXPECT_EQ(
      try_as(kBob, kGroup, refused({}, Errc::wrong_owner, {path, who, "KITH_RIGHTS", "its owner"})),
      "");
  // Said other things than the owner.
  EXPECT_EQ(try_as(kBob, kGroup,
                   refused({0775, kGroupText}, Errc::permission_denied, {path, who, "0775:"})),
            "");
  EXPECT_EQ(try_as(kBob, kGroup,
                   refused({0770, std::to_string(kNoGroup)}, Errc::permission_denied, {path, who})),
            "");
  // Outside the group, whatever is said.
  EXPECT_EQ(try_as(kCarol, kNoGroup,
                   refused(shared_whole(), Errc::permission_denied, {path, who, "KITH_RIGHTS"})),
            "");
  EXPECT_EQ(try_as(kCarol, kNoGroup, refused({}, Errc::wrong_owner, {path, who, "KITH_RIGHTS"})),
            "");
}

TEST(MembersDomain, IsOfARootProcessToo) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  ASSERT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     (void)Member::join(folder.domain_of(shared_whole()));
                     (void)Region<Number>::create(folder.domain_of(shared_whole()), "number");
                     return "";
                   }),
            "");
  EXPECT_EQ(try_as(0, 0,
                   [&](Mouth&) -> std::string {
                     (void)Region<Number>::create(folder.domain_of(shared_whole()), "roots");
                     return "";
                   }),
            "");
  EXPECT_EQ(look_at_file(folder.domain_path() + "/roots"), (FileLook{0660, kAlice, kGroup}));
  EXPECT_EQ(try_as(kBob, kGroup,
                   [&](Mouth&) -> std::string {
                     const Domain domain = folder.domain_of(shared_whole());
                     (void)Region<Number>::open(domain, "roots");
                     return remove_object(domain, "roots") == Removal::removed ? "" : "not removed";
                   }),
            "");
}

TEST(MembersDomain, IsNeverASquattedDefault) {
  KITH_NEEDS_SEVERAL_USERS();
  const std::string squatted = "/dev/shm/kith-" + std::to_string(kBob);
  std::filesystem::remove_all(squatted);
  ASSERT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     (void)Region<Number>::create(Domain::at(squatted, {.rights = shared_whole()}),
                                                  "bait");
                     return "";
                   }),
            "");
  EXPECT_EQ(try_as(kBob, kGroup,
                   [&](Mouth&) {
                     ::unsetenv("KITH_DOMAIN");
                     const auto standard = [](const Rights& rights) {
                       return [=] { (void)Domain::standard({.rights = rights}).open(); };
                     };
                     return why_not_refused(standard(shared_whole()), Errc::permission_denied,
                                            {squatted, std::to_string(kAlice)}) +
                            why_not_refused(standard({}), Errc::wrong_owner,
                                            {squatted, std::to_string(kAlice)});
                   }),
            "");
  std::filesystem::remove_all(squatted);
}

TEST(MembersDomain, KeepsAPrivateObjectPrivateAndThatBlocksNothingElse) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  Process alice = as_user("alice", kAlice, kGroup, [&](Mouth& test) -> std::string {
    const Domain domain = folder.domain_of(shared_whole());
    LatestWriter<Whole> diary(domain, "diary", {.rights = {0600}});
    LatestWriter<Whole> pose(domain, "pose");
    if (!write_next(diary) || !write_next(pose)) return "cannot write";
    test.say("ready");
    test.await("never", soon());
    return "was not killed";
  });
  ASSERT_EQ(alice.expect("ready", soon()), "");
  EXPECT_EQ(look_at_file(folder.domain_path() + "/diary").mode, 0600u);
  alice.kill();
  EXPECT_EQ(try_as(kBob, kGroup,
                   [&](Mouth&) -> std::string {
                     const Domain domain = folder.domain_of(shared_whole());
                     const std::string refusal = why_not_refused(
                         [&] { LatestReader<Whole> reader(domain, "diary"); },
                         Errc::permission_denied,
                         {"'diary'", "user " + std::to_string(kAlice), "0600", "0660 and a group"});
                     if (!refusal.empty()) return refusal;
                     LatestWriter<Whole> pose(domain, "pose");
                     if (pose.sequence() != 1 || !write_next(pose))
                       return "he cannot write the pose";
                     const CleanSummary cleaned = clean_domain(domain, Roles::drop_vacant);
                     if (cleaned.members_unreaped != 1) return "her place must stay for her diary";
                     if (cleaned.refused.empty()) return "what was refused is not told";
                     return Member::join(domain).members().size() == 2 ? "" : "they are not two";
                   }),
            "");
  EXPECT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     const Domain domain = folder.domain_of(shared_whole());
                     LatestWriter<Whole> diary(domain, "diary");
                     if (diary.sequence() != 1) return "her diary is lost";
                     return Member::join(domain).members().size() == 1 ? "" : "a place is lost";
                   }),
            "");
}

TEST(MembersDomain, IsCompletedByItsOwnerIfItsMakerWasKilledHalfWay) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  const std::string path = folder.domain_path();
  ASSERT_EQ(
      try_as(kAlice, kGroup,
             [&](Mouth&) -> std::string { return ::mkdir(path.c_str(), 0700) == 0 ? "" : "?"; }),
      "");
  const auto join = [&](Mouth&) -> std::string {
    (void)Region<Number>::open_or_create(folder.domain_of(shared_whole()), "number");
    return "";
  };
  EXPECT_EQ(try_as(kBob, kGroup,
                   [&](Mouth& test) {
                     return why_not_refused([&] { join(test); }, Errc::permission_denied,
                                            {path, "0700", "KITH_RIGHTS"});
                   }),
            "");
  EXPECT_EQ(try_as(kAlice, kGroup, join), "");
  EXPECT_EQ(look_at_file(path), (FileLook{02770, kAlice, kGroup}));
  EXPECT_EQ(try_as(kBob, kGroup, join), "");
}

// Carol is not in the group, so she may not give a folder to it: none of hers stays in the way.
TEST(MembersDomain, IsNotLeftHalfMadeByWhoMayNotShareIt) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  const auto makes = [&](Mouth&) -> std::string {
    (void)folder.domain_of(shared_whole()).open_or_create();
    return "";
  };
  EXPECT_EQ(try_as(kCarol, kNoGroup,
                   [&](Mouth& test) {
                     return why_not_refused([&] { (void)makes(test); }, Errc::permission_denied,
                                            {folder.domain_path(), kGroupText});
                   }),
            "");
  EXPECT_FALSE(std::filesystem::exists(folder.domain_path()));
  EXPECT_EQ(try_as(kBob, kGroup, makes), "");
}

TEST(MembersDomain, IsNotMadeOfAPrivateDomainInUse) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  EXPECT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) {
                     const auto secret = Region<Number>::create(folder.domain_of(), "secret");
                     return why_not_refused(
                         [&] {
                           (void)Region<Number>::open_or_create(folder.domain_of(shared_whole()),
                                                                "number");
                         },
                         Errc::permission_denied, {"0700", "chgrp and chmod"});
                   }),
            "");
  EXPECT_EQ(look_at_file(folder.domain_path()).mode & 0777, 0700u);
}

}  // namespace
}  // namespace kith
