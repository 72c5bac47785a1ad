#include "kith/os/fork.hpp"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "kith/os/file.hpp"

#include "tests/support/child.hpp"

namespace kith::os {
namespace {

using tests::Child;
using tests::kThrew;

// Method: a second thread forks while this one holds a guard. The child carries the memory of the
// moment of the fork, in which it finds whether the guard had been released by then.
TEST(ForkGuard, KeepsTheForksOfOtherThreadsOutWhileItLives) {
  std::atomic<bool> about_to_fork{false};
  std::atomic<bool> released{false};
  int end = -1;
  std::thread forker;
  {
    const ForkGuard guard;
    forker = std::thread([&] {
      about_to_fork = true;
      Child child([&] { return released ? 0 : 1; });
      end = child.wait();
    });
    while (!about_to_fork) ::sched_yield();
    // Not needed for the answer to be right, but a guard that does nothing would show here.
    for (int i = 0; i < 2000; ++i) ::sched_yield();
    released = true;
  }
  forker.join();
  EXPECT_EQ(end, 0);
}

// The mutex below a guard remembers the thread that locked it, which is not there in a child.
TEST(ForkGuard, CanBeTakenInAForkedChildAndInItsChildren) {
  { const ForkGuard used_before_the_fork; }
  Child child([] {
    { const ForkGuard guard; }
    Child grandchild([] {
      const ForkGuard guard;
      return 0;
    });
    return grandchild.wait() == 0 ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  { const ForkGuard still_free_in_the_parent; }
}

TEST(ForkGuard, MayBeHeldTwiceByOneThread) {
  const ForkGuard outer;
  const ForkGuard inner;
  close_in_children(1 << 20);  // takes a third
  forget_descriptor(1 << 20);
}

TEST(Fork, ADescriptorNotForChildrenIsClosedInThem) {
  const Descriptor hidden = std::move(open_directory("/").value);
  const Descriptor given = std::move(open_directory("/").value);
  const Descriptor forgotten = std::move(open_directory("/").value);
  close_in_children(hidden.number());
  close_in_children(forgotten.number());
  forget_descriptor(forgotten.number());
  const auto is_open = [](const Descriptor& file) { return ::fcntl(file.number(), F_GETFD) >= 0; };
  Child child([&] {
    return (is_open(hidden) ? 1 : 0) + (is_open(given) ? 0 : 2) + (is_open(forgotten) ? 0 : 4);
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_TRUE(is_open(hidden));
  forget_descriptor(hidden.number());
}

TEST(Child, EndsWithAStatusOfItsOwnWhenItsWorkThrows) {
  Child child([]() -> int { throw 1; });
  EXPECT_EQ(child.wait(), kThrew);
}

TEST(ProcessMark, IsTheSameInAllThreadsAndNeverZero) {
  const std::uint64_t mark = process_mark();
  EXPECT_NE(mark, 0U);
  std::uint64_t of_thread = 0;
  std::thread([&] { of_thread = process_mark(); }).join();
  EXPECT_EQ(of_thread, mark);
  EXPECT_EQ(process_mark(), mark);
  EXPECT_EQ(*process_mark_word(), mark);
}

TEST(ProcessMark, IsAnotherInAForkedChildAndZeroUntilAskedFor) {
  const std::uint64_t mark = process_mark();
  Child child([&] {
    if (*process_mark_word() != 0) return 1;
    const std::uint64_t own = process_mark();
    if (own == 0 || own == mark) return 2;
    return *process_mark_word() == own ? 0 : 3;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(process_mark(), mark);
}

// A clone() past the C library runs no fork handlers; the kernel wipes the page all the same.
TEST(ProcessMark, IsAnotherAfterARawClone) {
  const std::uint64_t mark = process_mark();
  const long pid = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) {
    const bool wiped = *process_mark_word() == 0;
    ::_exit(wiped && process_mark() != mark ? 0 : 1);
  }
  ASSERT_GT(pid, 0);
  int status = -1;
  ASSERT_EQ(::waitpid(static_cast<pid_t>(pid), &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(process_mark(), mark);
}

}  // namespace
}  // namespace kith::os
