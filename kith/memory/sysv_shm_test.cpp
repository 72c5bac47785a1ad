#include "kith/memory/sysv_shm.hpp"

#include <cstdint>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::code_of;
using tests::error_of;
using tests::Findings;
using tests::in_own_process;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;
using tests::why_not_refused;

constexpr std::uint64_t kSize = 10'000;

SysvKey key_of_this_test() {
  return SysvKey::of_number(0x6c000000 | static_cast<std::int32_t>(::getpid()));
}

// Removes the key's segment at its end, if there is one.
struct Cleared {
  SysvKey key = key_of_this_test();
  ~Cleared() {
    code_of([&] { SysvShm::remove(key); });
  }
};

bool exists(std::int32_t id) {
  return static_cast<bool>(os::facts_of_sysv_segment(id));
}

TEST(SysvKey, IsTheOneOfFtok) {
  const ScratchDirectory directory;
  const std::string path = directory.in("project");
  ASSERT_TRUE(os::create_path(path));
  for (const int project : {1, 107, 255}) {
    EXPECT_EQ(SysvKey::of_path(path, project).number(), ::ftok(path.c_str(), project));
  }
  EXPECT_NE(SysvKey::of_path(path, 1).text().find(path), std::string::npos);
}

TEST(SysvKey, RefusesWhatFtokWouldMisunderstand) {
  const ScratchDirectory directory;
  EXPECT_EQ(error_of([&] { (void)SysvKey::of_path(directory.in("none"), 1); }).errc(),
            Errc::not_found);
  for (const int project : {0, -1, 256}) {
    EXPECT_EQ(error_of([&] { (void)SysvKey::of_path("/", project); }).errc(),
              Errc::invalid_argument);
  }
  const Error zero = error_of([] { (void)SysvKey::of_number(0); });
  EXPECT_EQ(zero.errc(), Errc::invalid_argument);
  EXPECT_NE(zero.text().remedy.find("create_private"), std::string::npos);
}

TEST(SysvKey, OfAReplacedFileIsAnotherAndTheErrorTellsOfIt) {
  const ScratchDirectory directory;
  const std::string path = directory.in("project");
  ASSERT_TRUE(os::create_path(path));
  const Cleared made{SysvKey::of_path(path, 7)};
  const auto memory = SysvShm::create(made.key, kSize);
  ASSERT_TRUE(os::create_path(directory.in("newer")));
  ASSERT_EQ(::rename(directory.in("newer").c_str(), path.c_str()), 0);
  const SysvKey now = SysvKey::of_path(path, 7);
  EXPECT_FALSE(now == made.key);
  const Error error = error_of([&] { (void)SysvShm::open(now, Access::read_only); });
  EXPECT_EQ(error.errc(), Errc::not_found);
  EXPECT_NE(error.text().remedy.find("replaced"), std::string::npos) << error.what();
}

TEST(SysvShm, TellsItsFacts) {
  const Cleared made;
  const auto memory = SysvShm::create(made.key, kSize, 0640);
  const auto other = SysvShm::open(made.key, Access::read_only);
  const SysvFacts facts = memory.facts();
  EXPECT_EQ(facts.id, other.id());
  EXPECT_EQ(facts.key, made.key.number());
  EXPECT_EQ(facts.size, kSize);
  EXPECT_EQ(facts.permissions, 0640U);
  EXPECT_EQ(facts.attached, 2U);
  EXPECT_EQ(facts.owner, ::geteuid());
  EXPECT_EQ(facts.creator_pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(facts.last_pid, facts.creator_pid);
  EXPECT_GE(facts.attached_at, facts.changed_at);
  EXPECT_FALSE(facts.marked_for_destruction);
}

TEST(SysvShm, RemovedItStaysUntilTheLastDetachAndItsIdOpensItMeanwhile) {
  const Cleared made;
  auto memory = SysvShm::create(made.key, kSize);
  const std::int32_t id = memory.id();
  memory.writable_bytes()[0] = std::byte{1};
  SysvShm::remove(made.key);
  EXPECT_TRUE(memory.is_marked_for_destruction());
  EXPECT_EQ(code_of([&] { (void)SysvShm::open(made.key, Access::read_only); }),
            static_cast<int>(Errc::not_found));
  auto late = SysvShm::open_id(id, Access::read_only);
  EXPECT_EQ(late.bytes()[0], std::byte{1});
  EXPECT_TRUE(late.name() == SysvKey());
  memory = SysvShm();
  EXPECT_EQ(late.bytes()[0], std::byte{1});
  late = SysvShm();
  EXPECT_FALSE(exists(id));
  const Error gone = error_of([&] { (void)SysvShm::open_id(id, Access::read_only); });
  EXPECT_EQ(gone.errc(), Errc::not_found);
  EXPECT_NE(gone.text().object.find(std::to_string(id)), std::string::npos);
  EXPECT_EQ(error_of([&] { SysvShm::remove_id(id); }).errc(), Errc::not_found);
}

TEST(SysvShm, WithoutAKeyIsToldByItsIdAndRemovedByIt) {
  const auto memory = SysvShm::create_private(kSize);
  EXPECT_TRUE(memory.name() == SysvKey());
  memory.writable_bytes()[0] = std::byte{7};
  EXPECT_EQ(SysvShm::open_id(memory.id(), Access::read_only).bytes()[0], std::byte{7});
  EXPECT_FALSE(memory.is_marked_for_destruction());
  SysvShm::remove_id(memory.id());
  EXPECT_TRUE(memory.is_marked_for_destruction());
}

TEST(SysvShm, OpenedByIdItKnowsItsKey) {
  const Cleared made;
  const auto memory = SysvShm::create(made.key, kSize);
  EXPECT_TRUE(SysvShm::open_id(memory.id(), Access::read_only).name() == made.key);
}

TEST(SysvShm, UntilItsLastUserEndsWithWhoeverIsTheLast) {
  auto memory = SysvShm::create_until_last_user(kSize);
  const std::int32_t id = memory.id();
  EXPECT_TRUE(memory.is_marked_for_destruction());
  Child last([&](Mouth& parent) {
    const auto own = SysvShm::open_id(id, Access::read_write);
    parent.say("attached");
    return parent.hear(soon()) == "never" ? 0 : 1;
  });
  ASSERT_EQ(last.hear(), "attached");
  memory = SysvShm();
  EXPECT_TRUE(exists(id));
  last.kill();
  EXPECT_FALSE(exists(id));
}

TEST(SysvShm, AbandonedTellsWhatADeadCreatorLeftWithoutAKeyAndNothingElse) {
  const auto ours = SysvShm::create_private(kSize);
  const Cleared made;
  const auto keyed = SysvShm::create(made.key, kSize);
  Child creator([&](Mouth& parent) {
    // As a creator that is killed before it attaches.
    parent.say(std::to_string(::shmget(IPC_PRIVATE, kSize, IPC_CREAT | 0600)));
    return parent.hear(soon()) == "never" ? 0 : 1;
  });
  const int left = std::stoi(creator.hear());
  const auto is_told = [](std::int32_t id) {
    for (const SysvFacts& facts : SysvShm::abandoned()) {
      if (facts.id == id) return true;
    }
    return false;
  };
  EXPECT_FALSE(is_told(left));
  creator.kill();
  EXPECT_TRUE(is_told(left));
  EXPECT_FALSE(is_told(ours.id()));
  EXPECT_FALSE(is_told(keyed.id()));
  SysvShm::remove_id(left);
  SysvShm::remove_id(ours.id());
  EXPECT_FALSE(is_told(left));
}

TEST(SysvShm, LiesWhereItIsWanted) {
  void* const free = ::mmap(nullptr, 64 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(free, MAP_FAILED);
  ::munmap(free, 64 * 4096);
  const Cleared made;
  const auto memory = SysvShm::create(made.key, kSize, 0600, {.address = free});
  EXPECT_EQ(static_cast<const void*>(memory.bytes().data()), free);
  // Occupied now, and never replaced.
  const Error taken =
      error_of([&] { (void)SysvShm::open(made.key, Access::read_only, {.address = free}); });
  EXPECT_EQ(taken.errc(), Errc::in_use) << taken.what();
  void* const odd = static_cast<char*>(free) + 32 * 4096 + 1;
  EXPECT_EQ(
      error_of([&] { (void)SysvShm::open(made.key, Access::read_only, {.address = odd}); }).errc(),
      Errc::in_use);
}

TEST(SysvShm, WhatCannotBeAttachedWhereWantedIsNotLeftBehind) {
  static char occupied[1];
  const Cleared made;
  const Error error =
      error_of([&] { (void)SysvShm::create(made.key, kSize, 0600, {.address = occupied}); });
  EXPECT_EQ(error.errc(), Errc::in_use);
  EXPECT_FALSE(os::find_sysv_segment(made.key.number()));
}

TEST(SysvShm, OfAnotherSizeThanExpectedIsRefusedWithBoth) {
  const Cleared made;
  const auto memory = SysvShm::create(made.key, kSize);
  EXPECT_EQ(SysvShm::open(made.key, Access::read_only, {.size = kSize}).size(), kSize);
  const Error error =
      error_of([&] { (void)SysvShm::open(made.key, Access::read_only, {.size = kSize + 1}); });
  EXPECT_EQ(error.errc(), Errc::wrong_type);
  EXPECT_EQ(error.text().expected, "10001 bytes");
  EXPECT_NE(error.text().found.find("10000 bytes"), std::string::npos);
}

TEST(SysvShm, ATakenKeyTellsWhoHasIt) {
  const Cleared made;
  Child creator([&](Mouth& parent) {
    const auto memory = SysvShm::create(made.key, kSize);
    parent.say("made");
    return parent.hear(soon()) == "never" ? 0 : 1;
  });
  ASSERT_EQ(creator.hear(), "made");
  const std::string pid = std::to_string(creator.pid());
  EXPECT_EQ(why_not_refused([&] { (void)SysvShm::create(made.key, kSize); }, Errc::already_exists,
                            {pid + " (alive)", "attached 1 times", "10000 bytes"}),
            "");
  creator.kill();
  EXPECT_EQ(why_not_refused([&] { (void)SysvShm::create(made.key, kSize); }, Errc::already_exists,
                            {pid + " (dead)", "attached 0 times"}),
            "");
}

TEST(SysvShm, RefusesPermissionsItCannotGive) {
  EXPECT_EQ(error_of([] { (void)SysvShm::create_private(kSize, 01600); }).errc(),
            Errc::invalid_argument);
}

TEST(SysvShm, WithoutTheRightToWriteItStillOpensToRead) {
  const Cleared made;
  const auto memory = SysvShm::create(made.key, kSize, 0644);
  Child other([&] {
    if (!tests::become_user(65534).empty()) return tests::kRefused;
    if (SysvShm::open(made.key, Access::read_only).size() != kSize) return 101;
    if (code_of([&] { SysvShm::remove(made.key); }) != static_cast<int>(Errc::permission_denied)) {
      return 102;
    }
    return code_of([&] { (void)SysvShm::open(made.key, Access::read_write); });
  });
  const int end = other.wait();
  if (end == tests::kRefused) GTEST_SKIP() << "becoming another user is refused: run as root";
  EXPECT_EQ(end, static_cast<int>(Errc::permission_denied));
}

// Method: the limits belong to an IPC namespace; a child makes one of its own and sets them there.
tests::Verdict with_limits(const std::string& setting, std::uint64_t value,
                           const std::function<void(Findings&)>& body) {
  return in_own_process([&](Findings& find) {
    if (::unshare(CLONE_NEWIPC) != 0) return find.skip("an IPC namespace is refused: run as root");
    std::ofstream file("/proc/sys/kernel/" + setting);
    file << value << std::endl;
    if (!file) return find.skip("setting kernel." + setting + " is refused: run as root");
    body(find);
  });
}

#define KITH_EXPECT_GOOD(verdict)                                      \
  do {                                                                 \
    if (!(verdict).skipped.empty()) GTEST_SKIP() << (verdict).skipped; \
    EXPECT_EQ((verdict).failures, "");                                 \
  } while (false)

TEST(SysvShmLimits, OfTheSizeIsNamedWithItsRemedy) {
  const auto verdict = with_limits("shmmax", 8192, [](Findings& find) {
    find.nothing(why_not_refused([] { (void)SysvShm::create_private(kSize); }, Errc::limit_reached,
                                 {"SHMMAX", "8192 bytes", "10000 bytes", "kernel.shmmax"}),
                 "too large");
    find.that(SysvShm::create_until_last_user(8192).size() == 8192, "just large enough");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(SysvShmLimits, OfTheNumberIsNamedWithItsRemedy) {
  const auto verdict = with_limits("shmmni", 2, [](Findings& find) {
    const auto first = SysvShm::create_until_last_user(kSize);
    {
      const auto second = SysvShm::create_until_last_user(kSize);
      find.nothing(why_not_refused([] { (void)SysvShm::create_private(kSize); },
                                   Errc::limit_reached, {"SHMMNI", "2 of 2", "kernel.shmmni"}),
                   "one too many");
    }
    find.that(static_cast<bool>(SysvShm::create_until_last_user(kSize)), "and again");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(SysvShmLimits, OfThePagesIsNamedWithItsRemedy) {
  const auto verdict = with_limits("shmall", 4, [](Findings& find) {
    const auto first = SysvShm::create_until_last_user(kSize);
    find.nothing(why_not_refused([] { (void)SysvShm::create_private(kSize); }, Errc::no_space,
                                 {"SHMALL", "3 of 4 pages", "kernel.shmall"}),
                 "two pages too many");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(SysvShm, IsNeitherMadeNorFoundUnderNoKey) {
  EXPECT_EQ(error_of([] { (void)SysvShm::create(SysvKey(), kSize); }).errc(), Errc::invalid_name);
  EXPECT_EQ(error_of([] { (void)SysvShm::open(SysvKey(), Access::read_only); }).errc(),
            Errc::invalid_name);
  EXPECT_EQ(error_of([] { SysvShm::remove(SysvKey()); }).errc(), Errc::invalid_name);
}

}  // namespace
}  // namespace kith
