#include "kith/os/file_lock.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::os {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::enter_own_mounts;
using tests::kRefused;
using tests::mount_tmpfs;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;

constexpr std::uint64_t kByte = 7;

// A file with one page, and two opens of it that are strangers to each other.
struct LockFile {
  ScratchDirectory directory;
  Descriptor witness = std::move(create_path(directory.in("locks")).value);
  LockFile() { static_cast<void>(set_size(witness, page_size())); }

  [[nodiscard]] Descriptor another() const {
    return std::move(open_again(witness, Access::read_write).value);
  }
  [[nodiscard]] bool is_held() const {
    const auto held = is_locked_elsewhere(witness, kByte, LockKind::exclusive);
    return held && held.value;
  }
  // The kernel drops a dead process's locks when its memory is torn down, a moment after its death.
  [[nodiscard]] bool is_released_soon() const {
    const Deadline deadline = Deadline::after(20s);
    while (is_held() && !deadline.has_passed()) pause_for(1ms, deadline);
    return !is_held();
  }
};

TEST(FileLock, AnExclusiveOneExcludesAllOthersAndOnlyOnItsByte) {
  const LockFile locks;
  const Descriptor mine = locks.another();
  ASSERT_EQ(try_lock(mine, kByte, LockKind::exclusive).value, Locked::yes);
  EXPECT_EQ(try_lock(locks.witness, kByte, LockKind::exclusive).value, Locked::refused);
  EXPECT_EQ(try_lock(locks.witness, kByte, LockKind::shared).value, Locked::refused);
  EXPECT_EQ(try_lock(locks.witness, kByte + 1, LockKind::exclusive).value, Locked::yes);
  ASSERT_TRUE(unlock(mine, kByte));
  EXPECT_EQ(try_lock(locks.witness, kByte, LockKind::exclusive).value, Locked::yes);
}

TEST(FileLock, SharedOnesExcludeOnlyTheExclusive) {
  const LockFile locks;
  const Descriptor first = locks.another();
  const Descriptor second = locks.another();
  EXPECT_EQ(try_lock(first, kByte, LockKind::shared).value, Locked::yes);
  EXPECT_EQ(try_lock(second, kByte, LockKind::shared).value, Locked::yes);
  EXPECT_EQ(try_lock(locks.witness, kByte, LockKind::exclusive).value, Locked::refused);
  EXPECT_FALSE(is_locked_elsewhere(locks.witness, kByte, LockKind::shared).value);
  EXPECT_TRUE(is_locked_elsewhere(locks.witness, kByte, LockKind::exclusive).value);
}

TEST(FileLock, OnesOwnAreNotElsewhere) {
  const LockFile locks;
  ASSERT_EQ(try_lock(locks.witness, kByte, LockKind::exclusive).value, Locked::yes);
  EXPECT_FALSE(locks.is_held());
}

TEST(FileLock, IsHeldByAMappingAfterItsDescriptorIsClosed) {
  const LockFile locks;
  if (!mapping_keeps_locks(locks.witness)) {
    GTEST_SKIP() << "on this file system a mapping does not keep locks";
  }
  Descriptor file = locks.another();
  ASSERT_EQ(try_lock(file, kByte, LockKind::exclusive).value, Locked::yes);
  auto page = Mapping::of_file(file, page_size(), Access::read_only);
  ASSERT_TRUE(page);
  file.close();
  EXPECT_TRUE(locks.is_held());
  page.value.unmap();
  EXPECT_FALSE(locks.is_held());
}

TEST(FileLock, IsGoneWithTheDescriptorWhereNothingIsMapped) {
  const LockFile locks;
  Descriptor file = locks.another();
  ASSERT_EQ(try_lock(file, kByte, LockKind::exclusive).value, Locked::yes);
  EXPECT_TRUE(locks.is_held());
  file.close();
  EXPECT_FALSE(locks.is_held());
}

TEST(HeldLock, IsHeldWithoutADescriptorUntilItsEnd) {
  const LockFile locks;
  {
    auto lock = HeldLock::take(locks.another(), kByte);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(lock.value);
    EXPECT_TRUE(locks.is_held());
    const HeldLock moved = std::move(lock.value);
    EXPECT_FALSE(lock.value);  // NOLINT: looking at a moved-from handle is what is tested
    EXPECT_TRUE(locks.is_held());
    EXPECT_EQ(HeldLock::take(locks.another(), kByte).error, EAGAIN);
  }
  EXPECT_FALSE(locks.is_held());
}

TEST(HeldLock, AssigningAnotherReleasesTheFirst) {
  const LockFile locks;
  auto lock = HeldLock::take(locks.another(), kByte);
  lock.value = HeldLock();
  EXPECT_FALSE(locks.is_held());
}

TEST(HeldLock, IsDroppedByTheKernelWhenItsHolderIsKilled) {
  const LockFile locks;
  Child holder([&](Mouth& parent) {
    const auto lock = HeldLock::take(locks.another(), kByte);
    parent.say(lock ? "h" : "x");
    return parent.hear(soon()) == "e" ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "h");
  EXPECT_TRUE(locks.is_held());
  holder.signal(SIGKILL);
  EXPECT_EQ(holder.wait(), -SIGKILL);
  EXPECT_TRUE(locks.is_released_soon());
}

TEST(HeldLock, StaysWhileItsHolderIsStopped) {
  const LockFile locks;
  Child holder([&](Mouth& parent) {
    const auto lock = HeldLock::take(locks.another(), kByte);
    parent.say(lock ? "h" : "x");
    return parent.hear(soon()) == "e" ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "h");
  ASSERT_TRUE(holder.stop());
  EXPECT_TRUE(locks.is_held());
  holder.signal(SIGCONT);
  holder.say("e");
  EXPECT_EQ(holder.wait(), 0);
  EXPECT_TRUE(locks.is_released_soon());
}

// Method: the holder lets go while a child it had forked lives on. The control shows that a lock of
// an ordinary descriptor would be kept by that child.
TEST(HeldLock, IsNotKeptByAForkedChild) {
  const LockFile locks;
  auto lock = HeldLock::take(locks.another(), kByte);
  Descriptor control = locks.another();
  ASSERT_EQ(try_lock(control, kByte + 1, LockKind::exclusive).value, Locked::yes);
  Child child([&](Mouth& parent) {
    lock.value.forget_in_child();
    parent.say("b");
    return parent.hear(soon()) == "e" ? 0 : 1;
  });
  ASSERT_EQ(child.hear(), "b");
  EXPECT_TRUE(locks.is_held());
  lock.value = HeldLock();
  control.close();
  EXPECT_FALSE(locks.is_held());
  EXPECT_TRUE(is_locked_elsewhere(locks.witness, kByte + 1, LockKind::exclusive).value);
  child.say("e");
  EXPECT_EQ(child.wait(), 0);
}

// What a child of its own namespace finds on an overlay of two directories: 0 if all is well.
int try_on_overlay(const std::string& base) {
  if (!enter_own_mounts().empty() || !mount_tmpfs(base, "4m").empty()) return kRefused;
  for (const char* name : {"/low", "/up", "/work", "/merged"}) {
    if (!make_directory(base + name, 0700)) return 1;
  }
  const std::string options =
      "lowerdir=" + base + "/low,upperdir=" + base + "/up,workdir=" + base + "/work";
  if (::mount("none", (base + "/merged").c_str(), "overlay", 0, options.c_str()) != 0) {
    return kRefused;
  }
  const auto witness = create_path(base + "/merged/locks");
  if (!witness || !set_size(witness.value, page_size())) return 2;
  auto file = open_again(witness.value, Access::read_write);
  auto lock = HeldLock::take(std::move(file.value), kByte);
  const auto is_held = [&] {
    return is_locked_elsewhere(witness.value, kByte, LockKind::exclusive).value;
  };
  if (!lock || !is_held()) return 3;
  Child child([&](Mouth& parent) {
    parent.say("b");
    return parent.hear(soon()) == "e" ? 0 : 1;
  });
  if (child.hear() != "b" || !is_held()) return 4;
  lock.value = HeldLock();
  if (is_held()) return 5;
  child.say("e");
  return child.wait() == 0 ? 0 : 6;
}

TEST(HeldLock, IsHeldAndNotInheritedOnAnOverlayToo) {
  const ScratchDirectory directory;
  Child child([&] { return try_on_overlay(directory.path()); });
  const int end = child.wait();
  if (end == kRefused) GTEST_SKIP() << "mounting an overlay is refused: run as root";
  EXPECT_EQ(end, 0);
}

TEST(HeldLock, TheTrialOfAFileSystemLeavesNothingBehind) {
  const LockFile locks;
  EXPECT_TRUE(mapping_keeps_locks(locks.witness)) << "/dev/shm is a tmpfs, which does";
  EXPECT_EQ(names_in(locks.directory.open()).value.size(), 1u);
}

}  // namespace
}  // namespace kith::os
