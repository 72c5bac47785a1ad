// Bad input around a domain: its directory, its member table, arguments, and what a reboot or a
// logout leaves of it.
#include <atomic>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::put_bytes;
using tests::ScratchDirectory;
using tests::Signal;
using tests::why_not_refused;
using tests::why_refused;
using Number = std::atomic<std::uint64_t>;

struct Pose {
  double x;
  double y;
};

TEST(DomainPlace, ThatIsNoDirectoryIsRefusedByName) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/place";
  const auto try_it = [&](const std::string& found) {
    const Domain domain = Domain::at(path);
    EXPECT_EQ(why_not_refused([&] { (void)Region<Number>::create(domain, "n"); }, Errc::not_ours,
                              {path, found, "KITH_DOMAIN"}),
              "");
    EXPECT_EQ(why_not_refused([&] { (void)Region<Number>::open(domain, "n"); }, Errc::not_ours,
                              {path, found}),
              "");
    EXPECT_EQ(why_not_refused([&] { (void)Member::join(domain); }, Errc::not_ours, {path, found}),
              "");
    EXPECT_EQ(why_not_refused([&] { (void)list_objects(domain); }, Errc::not_ours, {path, found}),
              "");
    std::filesystem::remove(path);
  };
  put_bytes(path, "not a directory");
  try_it("a regular file");
  std::filesystem::create_symlink("/nowhere", path);
  try_it("a symbolic link");
  std::filesystem::create_directory(scratch.path() + "/elsewhere");
  std::filesystem::create_symlink("elsewhere", path);
  try_it("a symbolic link");
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path() + "/elsewhere"));
}

TEST(DomainPlace, ThatEverybodyMayWriteIsRefusedUntilItIsNot) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const auto region = Region<Number>::create(domain, "n");
  for (const unsigned mode : {0777u, 01777u, 0702u}) {
    std::filesystem::permissions(scratch.path(), std::filesystem::perms(mode));
    EXPECT_EQ(
        why_not_refused([&] { (void)Region<Number>::open(domain, "n"); }, Errc::permission_denied,
                        {scratch.path(), "mode", "name a directory"}),
        "");
    EXPECT_EQ(why_not_refused([&] { (void)Member::join(domain); }, Errc::permission_denied,
                              {scratch.path()}),
              "");
  }
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0700));
  EXPECT_EQ(why_refused([&] { (void)Region<Number>::open(domain, "n"); }), "");
  EXPECT_FALSE(region.is_orphaned());
}

TEST(DomainPlace, WithoutAParentOrNameIsRefused) {
  const ScratchDirectory scratch;
  EXPECT_EQ(why_not_refused([] { (void)Domain::at(""); }, Errc::invalid_argument, {"domain"}), "");
  const Domain nowhere = Domain::at(scratch.path() + "/missing/domain");
  EXPECT_EQ(why_not_refused([&] { (void)Region<Number>::create(nowhere, "n"); }, Errc::not_found,
                            {"missing/domain", "make that folder"}),
            "");
  const Domain endless = Domain::at(scratch.path() + "/" + std::string(300, 'd'));
  EXPECT_EQ(why_not_refused([&] { (void)Region<Number>::create(endless, "n"); }, Errc::invalid_name,
                            {"ddd", "shorter"}),
            "");
  EXPECT_TRUE(scratch.is_empty());
}

TEST(MemberTable, FullRefusesTheNextByNameUntilSomebodyDies) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain({.members_max = 2});
  const auto keep = Region<Number>::create(domain, "keep");
  Signal up;
  Signal end;
  const auto sit = [&] {
    LatestReader<Pose> reader(domain, "pose");
    up.tell();
    return end.wait() ? 0 : 1;
  };
  Child one(sit);
  Child two(sit);
  ASSERT_TRUE(up.wait() && up.wait());
  EXPECT_EQ(why_not_refused([&] { (void)Member::join(domain); }, Errc::table_full,
                            {scratch.path(), "2 living members", "members_max"}),
            "");
  EXPECT_EQ(why_not_refused([&] { LatestReader<Pose> reader(domain, "pose"); }, Errc::table_full,
                            {scratch.path(), "2 living members"}),
            "");
  EXPECT_EQ(latest_facts(domain, "pose")->readers_held, 2u);
  EXPECT_FALSE(keep.is_orphaned());
  one.kill();
  EXPECT_EQ(why_refused([&] { LatestReader<Pose> reader(domain, "pose"); }), "");
  end.tell();
  EXPECT_EQ(two.wait(), 0);
}

TEST(MemberTable, OfAStrangerIsRefusedAndRegionsGoOn) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const auto region = Region<Number>::create(domain, "n");
  const std::string path = scratch.path() + "/.members";
  const std::vector<std::pair<std::string, std::function<void()>>> strangers{
      {"9 bytes of something else", [&] { put_bytes(path, "my people"); }},
      {"0 bytes", [&] { put_bytes(path, ""); }},
      {"link", [&] { std::filesystem::create_symlink("n", path); }},
      {"something else", [&] { std::filesystem::create_directory(path); }}};
  for (const auto& [telling, put] : strangers) {
    put();
    EXPECT_EQ(why_not_refused([&] { (void)Member::join(domain); }, Errc::not_ours,
                              {"'.members' in " + scratch.path(), telling}),
              "");
    EXPECT_EQ(why_refused([&] { (void)Region<Number>::open(domain, "n"); }), "");
    EXPECT_FALSE(region.is_orphaned());
    std::filesystem::remove(path);
  }
  EXPECT_EQ(why_not_refused([&] { (void)Member::join(scratch.domain({.members_max = 0})); },
                            Errc::invalid_argument, {scratch.path(), "members_max"}),
            "");
  EXPECT_EQ(why_not_refused([&] { (void)Member::join(scratch.domain({.members_max = 65'536})); },
                            Errc::invalid_argument, {scratch.path(), "65536"}),
            "");
}

TEST(MemberTable, RemovedWhileInUseLeavesTheLivingAtWorkAndRefusesMixing) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Signal up;
  Signal go;
  Child old([&] {
    LatestWriter<Pose> writer(domain, "pose", {.role = "old"});
    LatestReader<Pose> reader(domain, "pose");
    if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
    up.tell();
    if (!go.wait() || writer.write({2, 2}) != WriteAnswer::committed) return 2;
    if (reader.acquire()->x != 2) return 3;
    // This process too belongs to a table that is gone: what it opens now is of the new one.
    LatestWriter<Pose> other(domain, "other");
    return other.write({3, 3}) == WriteAnswer::committed ? 0 : 4;
  });
  ASSERT_TRUE(up.wait());
  std::filesystem::remove(scratch.path() + "/.members");
  // Ids of the old table say nothing here about who lives, so nobody's role is taken away.
  EXPECT_EQ(why_not_refused([&] { LatestWriter<Pose> writer(domain, "pose"); }, Errc::orphaned,
                            {"'pose'", "member table", "rm --force"}),
            "");
  EXPECT_EQ(why_not_refused([&] { LatestReader<Pose> reader(domain, "pose"); }, Errc::orphaned,
                            {"'pose'", "member table"}),
            "");
  go.tell();
  EXPECT_EQ(old.wait(), 0);
  // All who used the old table are gone: the channel is ours, with its last value.
  LatestWriter<Pose> writer(domain, "pose");
  EXPECT_EQ(writer.sequence(), 2u);
  EXPECT_EQ(writer.last()->x, 2);
  EXPECT_EQ(latest_facts(domain, "pose")->pinned_by_nobody, 0u);
}

// Kills a writer, a reader that holds a value, and a user of a region, all at once.
void leave_everything_behind(const Domain& domain) {
  Signal up;
  Signal never;
  Child all([&] {
    LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
    LatestReader<Pose> reader(domain, "pose", {.role = "logger"});
    LatestReader<Pose> nameless(domain, "pose");
    const auto count = Region<Number>::open_or_create(domain, "count");
    count->store(99, std::memory_order_relaxed);
    if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
    const auto held = reader.acquire();
    const auto also_held = nameless.acquire();
    if (writer.write({2, 2}) != WriteAnswer::committed) return 2;
    up.tell();
    return never.wait() ? 3 : 4;
  });
  ASSERT_TRUE(up.wait());
  all.kill();
}

void expect_all_is_there(const Domain& domain) {
  EXPECT_EQ(Region<Number>::open(domain, "count")->load(), 99u);
  LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
  EXPECT_EQ(writer.sequence(), 2u);
  EXPECT_EQ(writer.last()->y, 2);
  LatestReader<Pose> reader(domain, "pose", {.role = "logger"}, Inherited::resume);
  {
    const auto resumed = reader.resume();
    ASSERT_TRUE(resumed);
    EXPECT_EQ(resumed->x, 1);
  }
  EXPECT_EQ(reader.acquire()->x, 2);
  ASSERT_EQ(writer.write({3, 3}), WriteAnswer::committed);
  EXPECT_EQ(reader.acquire().sequence(), 3u);
  EXPECT_EQ(latest_facts(domain, "pose")->pinned_by_nobody, 0u);
  EXPECT_EQ(Member::join(domain).members().size(), 1u);
}

TEST(DomainOnDisk, AfterARebootHasItsValuesAndFreeRoles) {
  // A reboot leaves the files and nothing else: the kernel's locks end with the last process.
  const ScratchDirectory scratch("/var/tmp");
  leave_everything_behind(scratch.domain());
  expect_all_is_there(scratch.domain());
}

TEST(DomainOnDisk, RestoredFromACopyHasItsValuesAndFreeRoles) {
  // Other inodes than those that the attach lists of the dead name.
  const ScratchDirectory scratch("/var/tmp");
  const ScratchDirectory restored("/var/tmp");
  leave_everything_behind(scratch.domain({.members_max = 8}));
  for (const auto& file : std::filesystem::directory_iterator(scratch.path())) {
    std::filesystem::copy(file, restored.path() + "/" + file.path().filename().string());
  }
  expect_all_is_there(restored.domain());
}

TEST(DomainOnDisk, RestoredWithoutItsMemberTableHasItsValuesAndFreeRoles) {
  const ScratchDirectory scratch("/var/tmp");
  leave_everything_behind(scratch.domain());
  std::filesystem::remove(scratch.path() + "/.members");
  expect_all_is_there(scratch.domain());
}

TEST(Logout, ThatRemovesEverythingOrphansTheLivingAndANewSessionBeginsAnew) {
  for (const bool directory_too : {false, true}) {
    const ScratchDirectory scratch;
    const Domain domain = Domain::at(scratch.path() + "/domain");
    Signal up;
    Signal removed;
    Signal begun_anew;
    Child survivor([&] {
      LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
      LatestReader<Pose> reader(domain, "pose");
      if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
      up.tell();
      if (!removed.wait() || !writer.is_orphaned() || !reader.is_orphaned()) return 2;
      if (writer.write({2, 2}) != WriteAnswer::committed) return 3;  // the memory stays
      if (reader.acquire()->x != 2) return 4;
      if (reader.wait_newer(Deadline::after(std::chrono::seconds(10))) != WaitAnswer::orphaned) {
        return 5;
      }
      return begun_anew.wait() ? 0 : 6;  // and leaves, touching nothing of the new session
    });
    ASSERT_TRUE(up.wait());
    for (const auto& file : std::filesystem::directory_iterator(domain.path())) {
      std::filesystem::remove(file);
    }
    if (directory_too) std::filesystem::remove(domain.path());
    removed.tell();
    LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
    EXPECT_EQ(writer.sequence(), 0u);
    ASSERT_EQ(writer.write({7, 7}), WriteAnswer::committed);
    begun_anew.tell();
    EXPECT_EQ(survivor.wait(), 0);
    EXPECT_FALSE(writer.is_orphaned());
    LatestReader<Pose> reader(domain, "pose");
    EXPECT_EQ(reader.acquire()->x, 7);
    EXPECT_EQ(reader.writer_liveness(), Liveness::alive);
  }
}

TEST(Geometry, ThatCannotBeIsRefusedAndNothingIsMade) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  for (const std::uint32_t readers : {0u, 1001u, 0xffffffffu}) {
    EXPECT_EQ(why_not_refused(
                  [&] { LatestWriter<Pose> writer(domain, "pose", {.readers_max = readers}); },
                  Errc::invalid_argument, {"'pose'", "1 to 1000", std::to_string(readers)}),
              "");
  }
  for (const std::uint64_t payload :
       {std::uint64_t{0}, (std::uint64_t{1} << 40) + 1, ~std::uint64_t{0}}) {
    EXPECT_EQ(why_not_refused([&] { LatestBytesWriter writer(domain, "pose", payload); },
                              Errc::invalid_argument, {"'pose'", "payload", "bytes"}),
              "");
  }
  EXPECT_EQ(why_not_refused(
                [&] {
                  LatestBytesWriter writer(domain, "pose", std::uint64_t{1} << 40,
                                           {.readers_max = 1000});
                },
                Errc::invalid_argument, {"'pose'", "at most"}),
            "");
  EXPECT_EQ(why_not_refused([&] { (void)Region<>::create(domain, "bytes", 0); },
                            Errc::invalid_argument, {"'bytes'", "at least one byte"}),
            "");
  EXPECT_EQ(why_not_refused([&] { (void)Region<>::create(domain, "bytes", ~0ull); },
                            Errc::invalid_argument, {"'bytes'", "at most"}),
            "");
  EXPECT_EQ(why_not_refused([&] { (void)ObjectRegion::create(domain, "o", {.objects_max = 0}); },
                            Errc::invalid_argument, {"'o'", "objects"}),
            "");
  EXPECT_TRUE(scratch.is_empty());
}

TEST(Geometry, OtherThanWhatIsThereIsRefusedWithBothNumbers) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestBytesWriter writer(domain, "pose", 100, {.readers_max = 4});
  const auto refused = [&](const auto& ask, const std::string& asked, const std::string& is) {
    EXPECT_EQ(why_not_refused(ask, Errc::wrong_type, {"'pose'", asked, "found " + is}), "");
  };
  refused([&] { LatestBytesReader r(domain, "pose", {.readers_max = 5}); }, "readers of 5", "4");
  refused([&] { LatestBytesReader r(domain, "pose", {.commit_time = true}); }, "(0): 1", "0");
  refused([&] { LatestBytesReader r(domain, "pose", {}, Inherited::let_go, 101); }, "101", "100");
  refused([&] { LatestBytesWriter w(domain, "pose", 99); }, "99", "100");
  LatestBytesReader reader(domain, "pose", {.readers_max = 4});
  ASSERT_EQ(writer.write(std::vector<std::byte>(100)), WriteAnswer::committed);
  EXPECT_EQ(writer.write(std::vector<std::byte>(101)), WriteAnswer::too_large);
  EXPECT_EQ(reader.acquire().bytes().size(), 100u);
}

TEST(Geometry, WithEveryPlaceTakenRefusesTheNextReaderAlone) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestWriter<Pose> writer(domain, "pose", {.readers_max = 2});
  LatestReader<Pose> one(domain, "pose");
  LatestReader<Pose> two(domain, "pose");
  EXPECT_EQ(why_not_refused([&] { LatestReader<Pose> three(domain, "pose"); }, Errc::table_full,
                            {"reader of latest 'pose'", "2 living holders", "room for more"}),
            "");
  ASSERT_EQ(writer.write({1, 1}), WriteAnswer::committed);
  EXPECT_EQ(one.acquire()->x, 1);
  EXPECT_EQ(two.acquire()->x, 1);
}

}  // namespace
}  // namespace kith
