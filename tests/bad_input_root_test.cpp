// Bad input that only root can set up: a full tmpfs, other users, rights, a squatted default.
// Method: mounts in a mount namespace of a child's own, other users in a child that becomes one.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/region.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::become_user;
using tests::Child;
using tests::Findings;
using tests::in_own_process;
using tests::put_bytes;
using tests::ScratchDirectory;
using tests::Signal;
using tests::Verdict;
using tests::why_not_refused;
using tests::why_refused;
using Number = std::atomic<std::uint64_t>;

// Nobody's id, so that its default domain is ours to make.
constexpr unsigned kSomeUser = 61321;
constexpr unsigned kOtherUser = 61322;

struct Pose {
  double x;
  double y;
};

std::uint64_t free_bytes(const std::string& directory) {
  struct statvfs status {};
  ::statvfs(directory.c_str(), &status);
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

// Fills the tmpfs up to its last `left` bytes.
void fill_up(const std::string& directory, std::uint64_t left) {
  const std::string path = directory + "/-filler";  // not a name of an object
  std::filesystem::remove(path);
  put_bytes(path, std::string(free_bytes(directory) - left, 'f'));
}

// Runs `body` with a tmpfs of `size` mounted on the scratch directory for its eyes alone.
using OnTmpfs = std::function<void(Findings&, const std::string& path)>;
Verdict on_tmpfs(const std::string& size, const OnTmpfs& body) {
  const ScratchDirectory scratch;
  return in_own_process([&](Findings& find) {
    std::string refusal = tests::enter_own_mounts();
    if (refusal.empty()) refusal = tests::mount_tmpfs(scratch.path(), size);
    if (!refusal.empty()) return find.skip(refusal);
    std::filesystem::permissions(scratch.path(), std::filesystem::perms::owner_all);
    body(find, scratch.path());
  });
}

#define KITH_EXPECT_GOOD(verdict)                                      \
  do {                                                                 \
    if (!(verdict).skipped.empty()) GTEST_SKIP() << (verdict).skipped; \
    EXPECT_EQ((verdict).failures, "");                                 \
  } while (false)

TEST(FullTmpfs, RefusesANewRegionAndKeepsNothingOfIt) {
  const Verdict verdict = on_tmpfs("1m", [](Findings& find, const std::string& path) {
    const Domain domain = Domain::at(path);
    const auto old = Region<Number>::create(domain, "old");
    old->store(5, std::memory_order_relaxed);
    const std::uint64_t before = free_bytes(path);
    const auto refused = [&](const char* name, const std::function<void()>& ask) {
      find.nothing(why_not_refused(ask, Errc::no_space,
                                   {"'" + std::string(name) + "' in " + path, "bytes free",
                                    "found " + std::to_string(free_bytes(path)), "--shm-size"}),
                   name);
    };
    refused("large", [&] { (void)Region<>::create(domain, "large", 2 << 20); });
    refused("huge", [&] { (void)Region<>::create(domain, "huge", std::uint64_t{1} << 40); });
    refused("film", [&] { LatestBytesWriter writer(domain, "film", 600 << 10); });
    find.that(free_bytes(path) == before, "what was refused took nothing");
    fill_up(path, 0);
    refused("small", [&] { (void)Region<Number>::create(domain, "small"); });
    refused("pose", [&] { LatestWriter<Pose> writer(domain, "pose"); });
    refused(".members", [&] { (void)Member::join(domain); });
    find.that(list_objects(domain).size() == 1, "there is only the old region");
    find.that(Region<Number>::open(domain, "old")->load() == 5, "which opens and has its value");
    find.that(!old.is_orphaned(), "and its name");
    find.that(remove_object(domain, "old", Force::yes) == Removal::removed, "removing works");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(FullTmpfs, RefusesAJoiningReaderAloneAndGivesBackWhatItTook) {
  // Slots of 1.5 MiB, more than one step of an allocation: a part of it can be had.
  const Verdict verdict = on_tmpfs("6m", [](Findings& find, const std::string& path) {
    const Domain domain = Domain::at(path);
    constexpr std::uint64_t kSize = 1536 << 10;
    const std::vector<std::byte> value(kSize, std::byte{7});
    LatestBytesWriter writer(domain, "film", kSize);
    LatestBytesReader first(domain, "film");
    find.that(writer.write(value) == WriteAnswer::committed, "the writer writes");
    const std::uint64_t before = free_bytes(path);
    find.that(before > 1 << 20 && before < kSize, "there is room for a part of a slot");
    for (int i = 0; i < 3; ++i) {
      find.nothing(
          why_not_refused([&] { LatestBytesReader second(domain, "film"); }, Errc::no_space,
                          {"reader of latest 'film' in " + path, "free", "--shm-size"}),
          "a second reader");
      find.that(free_bytes(path) == before, "what could be had of its slot was given back");
    }
    for (int i = 0; i < 20; ++i) {
      find.that(writer.write(value) == WriteAnswer::committed, "the writer goes on");
      const auto seen = first.acquire();
      find.that(seen && seen.bytes().size() == kSize && seen.bytes()[kSize - 1] == value[0],
                "the first reader goes on");
    }
    find.that(latest_facts(domain, "film")->readers_held == 1, "one reader has a role");
    find.that(writer.readers_joined() == 1, "and is joined");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(FullTmpfs, RefusesAMemberWithoutARecord) {
  const Verdict verdict = on_tmpfs("1m", [](Findings& find, const std::string& path) {
    const Domain domain = Domain::at(path);
    const auto old = Region<Number>::create(domain, "old");
    fill_up(path, 8192);  // the table's own pages, and no more
    find.nothing(why_not_refused([&] { (void)Member::join(domain); }, Errc::no_space,
                                 {"member table of domain " + path, "4096 bytes free"}),
                 "joining");
    find.that(!old.is_orphaned(), "the region is there");
    std::filesystem::remove(path + "/-filler");
    find.nothing(why_refused([&] { (void)Member::join(domain); }), "joining with room");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(FullTmpfs, RefusesAMemberThatCannotListWhatItUses) {
  const Verdict verdict = on_tmpfs("1m", [](Findings& find, const std::string& path) {
    const Domain domain = Domain::at(path);
    LatestWriter<Pose> writer(domain, "pose");
    LatestReader<Pose> reader(domain, "pose");
    fill_up(path, 0);
    Child newcomer([&] {
      // A record is free in the page of the first; the list of what it uses has no page yet.
      if (!why_refused([&] { (void)Member::join(domain); }).empty()) return 1;
      const std::string wrong =
          why_not_refused([&] { LatestReader<Pose> second(domain, "pose"); }, Errc::no_space,
                          {"'.members' in " + path, "4096 bytes free", "--shm-size"});
      if (!wrong.empty()) ::fprintf(stderr, "%s\n", wrong.c_str());
      return wrong.empty() ? 0 : 2;
    });
    find.that(newcomer.wait() == 0, "the newcomer can join and is refused the channel by name");
    find.that(writer.write({1, 2}) == WriteAnswer::committed, "the writer goes on");
    find.that(reader.acquire()->y == 2, "the reader goes on");
    find.that(Member::join(domain).members().size() == 1, "nobody half-joined");
    find.that(latest_facts(domain, "pose")->readers_held == 1, "nor took a role");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(ThousandReaders, OfSixtyFourMebibytesCostTwoValuesAndOneForEachThatJoins) {
  const Verdict verdict = on_tmpfs("256m", [](Findings& find, const std::string& path) {
    const Domain domain = Domain::at(path);
    constexpr std::uint64_t kSize = 64 << 20;
    LatestBytesWriter writer(domain, "film", kSize, {.readers_max = 1000});
    const auto allocated = [&] { return list_objects(domain).at(0).allocated_bytes; };
    find.that(list_objects(domain).at(0).size > 1000 * kSize, "63 GiB of address space");
    find.that(allocated() < 2 * kSize + (1 << 20), "two slots at creation");
    LatestBytesReader reader(domain, "film");
    find.that(allocated() < 3 * kSize + (1 << 20), "one more for a reader");
    for (int i = 1; i < 6; ++i) {
      auto draft = writer.draft();
      for (std::uint64_t at = 0; at < kSize; at += 4096) draft.bytes()[at] = std::byte(i);
      find.that(draft.commit() == WriteAnswer::committed, "the writer writes");
      const auto seen = reader.acquire();
      find.that(seen && seen.bytes()[kSize - 4096] == std::byte(i), "the reader reads");
    }
    find.nothing(why_not_refused([&] { LatestBytesReader second(domain, "film"); }, Errc::no_space,
                                 {"reader of latest 'film'"}),
                 "a second reader, for whom there is no room");
    find.that(allocated() < 3 * kSize + (1 << 20), "and nothing was kept for it");
  });
  KITH_EXPECT_GOOD(verdict);
}

void give_away(const std::string& path, unsigned user) {
  if (::chown(path.c_str(), user, user) != 0) std::abort();
}

// Root may, unless a user namespace knows no such users.
bool may_give_away() {
  const ScratchDirectory tried;
  return ::chown(tried.path().c_str(), kSomeUser, kOtherUser) == 0;
}

// A directory that belongs to kSomeUser, whose body then runs as that user.
using AsUser = std::function<void(Findings&, const Domain&)>;
Verdict as_some_user(const AsUser& body) {
  const ScratchDirectory scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0755));
  const std::string path = scratch.path() + "/domain";
  std::filesystem::create_directory(path);
  return in_own_process([&](Findings& find) {
    if (!may_give_away()) return find.skip("chown was refused");
    give_away(path, kSomeUser);
    const std::string refusal = become_user(kSomeUser);
    if (!refusal.empty()) return find.skip(refusal);
    std::filesystem::permissions(path, std::filesystem::perms(0700));
    body(find, Domain::at(path));
  });
}

TEST(Rights, WithoutThatToWriteTheDomainNothingIsMadeOrRemoved) {
  const Verdict verdict = as_some_user([](Findings& find, const Domain& domain) {
    auto number = Region<Number>::create(domain, "number");
    number->store(8, std::memory_order_relaxed);
    LatestWriter<Pose> writer(domain, "pose");
    std::filesystem::permissions(domain.path(), std::filesystem::perms(0500));
    const auto refused = [&](const char* what, const std::function<void()>& ask,
                             const std::string& object) {
      find.nothing(why_not_refused(ask, Errc::permission_denied, {object, domain.path()}), what);
    };
    refused(
        "create", [&] { (void)Region<Number>::create(domain, "new"); }, "'new'");
    refused(
        "open or create", [&] { (void)Region<Number>::open_or_create(domain, "new"); }, "'new'");
    refused(
        "a channel", [&] { LatestWriter<Pose> w(domain, "other"); }, "'other'");
    for (const Force force : {Force::no, Force::yes}) {
      if (force == Force::no) number.close();
      refused(
          "removing", [&] { (void)remove_object(domain, "number", force); }, "'number'");
      // What could not be removed is as it was, for those who have it and for newcomers.
      number = Region<Number>::open(domain, "number");
      find.that(number->load() == 8 && !number.is_orphaned(), "the region is untouched");
    }
    LatestReader<Pose> reader(domain, "pose");
    find.that(writer.write({1, 2}) == WriteAnswer::committed, "the writer goes on");
    find.that(reader.acquire()->y == 2, "and a reader joins");
    std::filesystem::permissions(domain.path(), std::filesystem::perms(0700));
    find.that(remove_object(domain, "number", Force::yes) == Removal::removed, "with rights");
    find.that(number.is_orphaned(), "its users are told");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(Rights, WithoutThoseToTheFileOrTheDomainNothingOpens) {
  const Verdict verdict = as_some_user([](Findings& find, const Domain& domain) {
    const auto number = Region<Number>::create(domain, "number");
    number->store(8, std::memory_order_relaxed);
    ::chmod((domain.path() + "/number").c_str(), 0400);
    find.nothing(why_not_refused([&] { (void)Region<Number>::open(domain, "number"); },
                                 Errc::permission_denied, {"'number'", domain.path(), "owner"}),
                 "a file of mode 0400");
    ::chmod((domain.path() + "/number").c_str(), 0600);
    for (const unsigned mode : {0000u, 0300u, 0600u}) {
      ::chmod(domain.path().c_str(), mode);
      find.nothing(why_not_refused([&] { (void)Region<Number>::open(domain, "number"); },
                                   Errc::permission_denied, {domain.path(), "failed"}),
                   "a domain of mode " + std::to_string(mode));
    }
    ::chmod(domain.path().c_str(), 0700);
    find.that(Region<Number>::open(domain, "number")->load() == 8, "the region is untouched");
    find.that(!number.is_orphaned(), "and has its name");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(Rights, ToADomainOfAnotherUserAreRefusedByItsName) {
  const ScratchDirectory scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0755));
  const auto foreign = Region<Number>::create(scratch.domain(), "foreign");
  ::chmod((scratch.path() + "/foreign").c_str(), 0666);
  const Verdict verdict = in_own_process([&](Findings& find) {
    const std::string refusal = become_user(kSomeUser);
    if (!refusal.empty()) return find.skip(refusal);
    const auto refused = [&](const std::function<void()>& ask) {
      find.nothing(why_not_refused(ask, Errc::wrong_owner,
                                   {scratch.path(), "user 61321", "one of user 0", "KITH_DOMAIN"}),
                   "a domain of root");
    };
    refused([&] { (void)Region<Number>::open(scratch.domain(), "foreign"); });
    refused([&] { (void)Region<Number>::create(scratch.domain(), "new"); });
    refused([&] { (void)Member::join(scratch.domain()); });
    refused([&] { (void)list_objects(scratch.domain()); });
  });
  KITH_EXPECT_GOOD(verdict);
  EXPECT_FALSE(foreign.is_orphaned());
}

TEST(Rights, AFileOfAnotherUserInOnesOwnDomainIsRefusedByItsName) {
  const ScratchDirectory scratch;
  { (void)Region<Number>::create(scratch.domain(), "number"); }
  ::chmod((scratch.path() + "/number").c_str(), 0666);
  if (!may_give_away()) GTEST_SKIP() << "chown was refused";
  give_away(scratch.path() + "/number", kOtherUser);
  give_away(scratch.path(), kSomeUser);
  const Verdict verdict = in_own_process([&](Findings& find) {
    const std::string refusal = become_user(kSomeUser);
    if (!refusal.empty()) return find.skip(refusal);
    const auto refused = [&](const std::function<void()>& ask) {
      find.nothing(why_not_refused(ask, Errc::wrong_owner,
                                   {"'number'", "a file of user 61321", "one of user 61322"}),
                   "a file of another");
    };
    refused([&] { (void)Region<Number>::open(scratch.domain(), "number"); });
    refused([&] { (void)Region<Number>::create(scratch.domain(), "number"); });
    refused([&] { (void)remove_object(scratch.domain(), "number", Force::yes); });
    const auto objects = list_objects(scratch.domain());
    find.that(objects.size() == 1 && objects[0].problem.find("61322") != std::string::npos,
              "the list names the owner");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(Rights, AreTheUsersAloneUnlessGiven) {
  const Verdict verdict = as_some_user([](Findings& find, const Domain& domain) {
    ::umask(0);
    const Domain inner = Domain::at(domain.path() + "/made");
    LatestWriter<Pose> writer(inner, "pose");
    struct stat status {};
    ::stat(inner.path().c_str(), &status);
    find.that((status.st_mode & 07777) == 0700, "the directory is private");
    for (const char* name : {"/pose", "/.members"}) {
      ::stat((inner.path() + name).c_str(), &status);
      find.that((status.st_mode & 07777) == 0600, std::string(name) + " is private");
    }
  });
  KITH_EXPECT_GOOD(verdict);
}

// What somebody else may have put where a user's default domain is to be.
TEST(SquattedDefaultDomain, IsRefusedByItsOwnersName) {
  const std::string path = "/dev/shm/kith-" + std::to_string(kSomeUser);
  if (std::filesystem::exists(std::filesystem::symlink_status(path))) {
    GTEST_SKIP() << path << " is there already";
  }
  if (!may_give_away()) GTEST_SKIP() << "chown was refused";
  struct Squatter {
    std::function<void()> put;
    Errc code;
    std::string telling;
  };
  const std::vector<Squatter> squatters{
      {[&] {
         std::filesystem::create_directory(path);
         ::chmod(path.c_str(), 0755);
       },
       Errc::wrong_owner, "one of user 0"},
      {[&] {
         std::filesystem::create_directory(path);
         give_away(path, kOtherUser);
         ::chmod(path.c_str(), 01777);
       },
       Errc::wrong_owner, "one of user 61322"},
      {[&] { put_bytes(path, "mine"); }, Errc::not_ours, "a regular file"},
      {[&] { std::filesystem::create_symlink("/dev/shm", path); }, Errc::not_ours, "a symbolic"},
      {[&] { std::filesystem::create_symlink("/nowhere", path); }, Errc::not_ours, "a symbolic"},
      {[&] { ::mkfifo(path.c_str(), 0666); }, Errc::not_ours, "pipe"}};
  for (const Squatter& squatter : squatters) {
    squatter.put();
    const Verdict verdict = in_own_process([&](Findings& find) {
      const std::string refusal = become_user(kSomeUser);
      if (!refusal.empty()) return find.skip(refusal);
      ::unsetenv("KITH_DOMAIN");
      const Domain domain = Domain::standard();
      find.that(domain.path() == path, "the default domain is named for the user");
      const auto refused = [&](const std::function<void()>& ask) {
        find.nothing(why_not_refused(ask, squatter.code, {path, squatter.telling, "KITH_DOMAIN"}),
                     "");
      };
      refused([&] { (void)Region<Number>::create(domain, "number"); });
      refused([&] { (void)Region<Number>::open_or_create(domain, "number"); });
      refused([&] { LatestWriter<Pose> writer(domain, "pose"); });
      refused([&] { (void)Member::join(domain); });
    });
    std::filesystem::remove(path);
    KITH_EXPECT_GOOD(verdict);
  }
}

TEST(SquattedDefaultDomain, IsRefusedToRootAsWell) {
  const Verdict verdict = in_own_process([](Findings& find) {
    // Root's own default may be in use: another /dev/shm for these eyes alone.
    std::string refusal = tests::enter_own_mounts();
    if (refusal.empty()) refusal = tests::mount_tmpfs("/dev/shm", "1m");
    if (!refusal.empty()) return find.skip(refusal);
    if (!may_give_away()) return find.skip("chown was refused");
    ::unsetenv("KITH_DOMAIN");
    std::filesystem::create_directory("/dev/shm/kith-0");
    give_away("/dev/shm/kith-0", kSomeUser);
    ::chmod("/dev/shm/kith-0", 0700);
    const Domain domain = Domain::standard();
    find.nothing(why_not_refused([&] { (void)Region<Number>::create(domain, "number"); },
                                 Errc::wrong_owner, {"/dev/shm/kith-0", "one of user 61321"}),
                 "creating");
    find.that(std::filesystem::is_empty("/dev/shm/kith-0"), "nothing was made there");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(DefaultDomain, IsGoneWhenNothingIsLeftInIt) {
  const Verdict verdict = in_own_process([](Findings& find) {
    std::string refusal = tests::enter_own_mounts();
    if (refusal.empty()) refusal = tests::mount_tmpfs("/dev/shm", "1m");
    if (!refusal.empty()) return find.skip(refusal);
    ::unsetenv("KITH_DOMAIN");
    const Domain domain = Domain::standard();
    {
      LatestWriter<Pose> writer(domain, "pose", {.lifetime = Lifetime::until_last_member});
      find.that(domain.exists(), "it is made for the first object");
    }
    find.that(std::filesystem::is_empty("/dev/shm"), "and is gone with the last");
  });
  KITH_EXPECT_GOOD(verdict);
}

}  // namespace
}  // namespace kith
