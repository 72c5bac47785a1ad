#include "kith/os/file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::os {
namespace {

using tests::Child;
using tests::enter_own_mounts;
using tests::kRefused;
using tests::mount_tmpfs;
using tests::ScratchDirectory;
using Names = std::vector<std::string>;

bool is_open(int number) {
  return ::fcntl(number, F_GETFD) != -1;
}

TEST(Descriptor, ClosesAtItsEnd) {
  int number = -1;
  {
    const auto directory = open_directory("/");
    ASSERT_TRUE(directory);
    number = directory.value.number();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Descriptor, MovesAndIsNullAfterwards) {
  Descriptor first = std::move(open_directory("/").value);
  const int number = first.number();
  Descriptor second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT: looking at a moved-from handle is what is tested
  EXPECT_EQ(second.number(), number);
  Descriptor third = std::move(open_directory("/").value);
  const int closed = third.number();
  third = std::move(second);
  EXPECT_FALSE(is_open(closed));
  EXPECT_EQ(third.number(), number);
}

TEST(Descriptor, ReleasedIsTheCallersToClose) {
  Descriptor owner = std::move(open_directory("/").value);
  const int number = owner.release();
  EXPECT_FALSE(owner);
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(Descriptor, IsClosedOnExec) {
  const ScratchDirectory directory;
  const Descriptor here = directory.open();
  const auto unnamed = create_unnamed(here);
  const auto created = create_at(here, "a");
  const auto opened = open_path(directory.in("a"), Access::read_only);
  const auto again = open_again(opened.value, Access::read_write);
  const auto copy = duplicate(opened.value.number());
  const auto memory = create_memfd("a");
  for (const Descriptor* each : {&here, &unnamed.value, &created.value, &opened.value, &again.value,
                                 &copy.value, &memory.value}) {
    ASSERT_TRUE(*each);
    EXPECT_EQ(::fcntl(each->number(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(File, CreationIsExclusiveAndPrivate) {
  const ScratchDirectory directory;
  const auto file = create_path(directory.in("a"));
  ASSERT_TRUE(file);
  EXPECT_EQ(facts_of(file.value).value.permissions & 077U, 0U);
  EXPECT_EQ(create_path(directory.in("a")).error, EEXIST);
  EXPECT_EQ(create_at(directory.open(), "a").error, EEXIST);
  EXPECT_TRUE(unlink_path(directory.in("a")));
  EXPECT_EQ(unlink_path(directory.in("a")).error, ENOENT);
}

TEST(File, ALinkInItsPlaceIsRefusedAndNotFollowed) {
  const ScratchDirectory directory;
  ASSERT_TRUE(create_path(directory.in("target")));
  ASSERT_EQ(::symlink("target", directory.in("link").c_str()), 0);
  const Descriptor here = directory.open();
  EXPECT_EQ(open_path(directory.in("link"), Access::read_write).error, ELOOP);
  EXPECT_EQ(open_at(here, "link", Access::read_only).error, ELOOP);
  EXPECT_EQ(create_at(here, "link").error, EEXIST);
  EXPECT_EQ(facts_at(here, "link").value.kind, FileKind::link);
  ASSERT_EQ(::symlink(directory.path().c_str(), directory.in("folder").c_str()), 0);
  EXPECT_FALSE(open_directory(directory.in("folder")));
}

TEST(File, APipeInItsPlaceDoesNotMakeTheOpenerWait) {
  const ScratchDirectory directory;
  ASSERT_EQ(::mkfifo(directory.in("pipe").c_str(), 0600), 0);
  const auto reading = open_path(directory.in("pipe"), Access::read_only);
  ASSERT_TRUE(reading);
  EXPECT_EQ(facts_of(reading.value).value.kind, FileKind::other);
}

TEST(File, AnUnnamedOneIsNobodysUntilItIsLinked) {
  const ScratchDirectory directory;
  const Descriptor here = directory.open();
  const auto file = create_unnamed(here);
  ASSERT_TRUE(file);
  EXPECT_EQ(facts_of(file.value).value.links, 0U);
  EXPECT_EQ(names_in(here).value, Names{});
  ASSERT_TRUE(link_unnamed(file.value, here, "a"));
  EXPECT_EQ(names_in(here).value, Names{"a"});
  EXPECT_EQ(facts_at(here, "a").value.identity, facts_of(file.value).value.identity);
  const auto second = create_unnamed(here);
  EXPECT_EQ(link_unnamed(second.value, here, "a").error, EEXIST);
}

TEST(File, ANameCanBeLinkedToASecondOneButNotToATakenOne) {
  const ScratchDirectory directory;
  const Descriptor here = directory.open();
  ASSERT_TRUE(create_at(here, "a"));
  EXPECT_TRUE(link_named(here, "a", "b"));
  EXPECT_EQ(link_named(here, "a", "b").error, EEXIST);
  EXPECT_EQ(facts_at(here, "a").value.links, 2U);
}

TEST(File, NamesComeSortedAndAnyNumberOfTimes) {
  const ScratchDirectory directory;
  const Descriptor here = directory.open();
  for (const char* name : {"c", "a", "b"}) ASSERT_TRUE(create_at(here, name));
  const Names expected{"a", "b", "c"};
  EXPECT_EQ(names_in(here).value, expected);
  EXPECT_EQ(names_in(here).value, expected);
}

TEST(File, FactsAreThoseOfTheKernel) {
  const ScratchDirectory directory;
  const auto file = create_path(directory.in("a"));
  ASSERT_TRUE(set_size(file.value, 5000));
  ASSERT_TRUE(set_permissions(file.value, 0640));
  const auto facts = facts_of_path(directory.in("a"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts.value.kind, FileKind::regular);
  EXPECT_EQ(facts.value.size, 5000U);
  EXPECT_EQ(facts.value.permissions, 0640U);
  EXPECT_EQ(facts.value.owner, ::geteuid());
  EXPECT_EQ(facts.value.allocated_bytes, 0U);
  EXPECT_EQ(facts_of_path(directory.path()).value.kind, FileKind::directory);
  EXPECT_EQ(facts_of_path(directory.in("b")).error, ENOENT);
}

TEST(File, AllocationMakesTheAskedBytesOccupyMemoryAndNoMore) {
  const ScratchDirectory directory;
  const auto file = create_unnamed(directory.open());
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  ASSERT_TRUE(set_size(file.value, 8 * kMiB));
  ASSERT_TRUE(allocate(file.value, 2 * kMiB, 3 * kMiB));
  const auto facts = facts_of(file.value);
  EXPECT_EQ(facts.value.size, 8 * kMiB);
  EXPECT_GE(facts.value.allocated_bytes, 3 * kMiB);
  EXPECT_LT(facts.value.allocated_bytes, 8 * kMiB);
}

TEST(File, ReadingStopsAtTheEndOfTheFile) {
  const ScratchDirectory directory;
  const auto file = create_unnamed(directory.open());
  ASSERT_TRUE(set_size(file.value, 10));
  char bytes[16] = {'x'};
  const auto got = read_at(file.value, bytes, sizeof bytes, 4);
  ASSERT_TRUE(got);
  EXPECT_EQ(got.value, 6U);
  EXPECT_EQ(bytes[0], '\0');
  EXPECT_EQ(read_at(file.value, bytes, sizeof bytes, 100).value, 0U);
}

// Method: a child mounts a tmpfs of 1 MiB that only it can see, and asks it for 2 MiB.
TEST(File, AllocationOnAFullFileSystemIsAnErrorAtOnce) {
  const ScratchDirectory directory;
  Child child([&] {
    if (!enter_own_mounts().empty() || !mount_tmpfs(directory.path(), "1m").empty())
      return kRefused;
    const Descriptor here = directory.open();
    const auto file = create_unnamed(here);
    if (!set_size(file.value, 2 << 20)) return 1;
    if (allocate(file.value, 0, 2 << 20).error != ENOSPC) return 2;
    if (space_of(here).value.total_bytes != 1 << 20) return 3;
    return allocate(create_unnamed(here).value, 0, 1 << 16).error == ENOSPC ? 0 : 4;
  });
  const int end = child.wait();
  if (end == kRefused) GTEST_SKIP() << "mounting a tmpfs is refused: run as root";
  EXPECT_EQ(end, 0);
}

TEST(Memfd, WithASealedSizeCannotBeTruncatedByAnybody) {
  const auto memory = create_memfd("sealed");
  ASSERT_TRUE(set_size(memory.value, 4096));
  EXPECT_FALSE(size_is_sealed(memory.value).value);
  ASSERT_TRUE(seal_size(memory.value));
  EXPECT_TRUE(size_is_sealed(memory.value).value);
  EXPECT_EQ(set_size(memory.value, 0).error, EPERM);
  EXPECT_EQ(set_size(memory.value, 8192).error, EPERM);
}

TEST(PosixShm, NamesAreThoseOfShmOpen) {
  const std::string name = "/kith-file-test-" + std::to_string(::getpid());
  ASSERT_TRUE(create_posix_shm(name));
  EXPECT_EQ(create_posix_shm(name).error, EEXIST);
  EXPECT_TRUE(open_posix_shm(name, Access::read_write));
  EXPECT_TRUE(open_path("/dev/shm" + name, Access::read_only));
  EXPECT_TRUE(unlink_posix_shm(name));
  EXPECT_EQ(open_posix_shm(name, Access::read_only).error, ENOENT);
}

}  // namespace
}  // namespace kith::os
