#include "kith/sync/once.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "kith/base/error.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::patience;
using tests::ScratchDirectory;
using tests::soon;

// A child that runs it until it is killed or told to end.
struct RunningChild {
  explicit RunningChild(const Domain& domain)
      : child([domain](Mouth& parent) {
          Once once(domain, "once");
          const OnceAnswer answer = once.call(
              [&] {
                parent.say("running");
                static_cast<void>(parent.hear(soon()));
              },
              patience());
          return answer == OnceAnswer::ran ? 0 : 1;
        }) {}
  bool is_running() { return child.hear() == "running"; }
  Child child;
};

TEST(Once, RunsOnce) {
  const ScratchDirectory scratch;
  Once once(scratch.domain(), "once");
  int runs = 0;
  const auto run = [&] { ++runs; };
  EXPECT_FALSE(once.is_done());
  EXPECT_EQ(once.call(run, Deadline::now()), OnceAnswer::ran);
  EXPECT_EQ(once.call(run, Deadline::now()), OnceAnswer::done_before);
  Once same(scratch.domain(), "once");
  EXPECT_TRUE(same.is_done());
  EXPECT_EQ(same.call(run, Deadline::now()), OnceAnswer::done_before);
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(once.facts().held);
}

TEST(Once, AmongManyProcessesAndThreads) {
  const ScratchDirectory scratch;
  auto runs = Region<std::atomic<int>>::create(scratch.domain(), "runs");
  const auto call = [domain = scratch.domain()] {
    auto count = Region<std::atomic<int>>::open(domain, "runs");
    Once once(domain, "once");
    const auto run = [&] { count->fetch_add(1, std::memory_order_relaxed); };
    if (!is_done(once.call(run, patience()))) return 1;
    return count->load(std::memory_order_relaxed) == 1 ? 0 : 2;
  };
  Child first(call);
  Child second(call);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { EXPECT_EQ(call(), 0); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(runs->load(std::memory_order_relaxed), 1);
}

TEST(Once, AnExceptionLetsTheNextOneRunIt) {
  const ScratchDirectory scratch;
  Once once(scratch.domain(), "once");
  const auto fail = [] { throw std::runtime_error("not today"); };
  EXPECT_THROW(static_cast<void>(once.call(fail, Deadline::now())), std::runtime_error);
  EXPECT_FALSE(once.is_done());
  bool told = true;
  const auto run = [&](bool again) { told = again; };
  EXPECT_EQ(once.call(run, Deadline::now()), OnceAnswer::ran);
  EXPECT_FALSE(told) << "nobody died";
}

TEST(Once, FromWithinItselfWouldDeadlock) {
  const ScratchDirectory scratch;
  Once once(scratch.domain(), "once");
  OnceAnswer inner{};
  const auto run = [&] { inner = once.call([] {}, Deadline::never()); };
  EXPECT_EQ(once.call(run, Deadline::now()), OnceAnswer::ran);
  EXPECT_EQ(inner, OnceAnswer::would_deadlock);
}

TEST(Once, OthersWaitUntilItIsDoneOrTheirDeadline) {
  const ScratchDirectory scratch;
  RunningChild runner(scratch.domain());
  ASSERT_TRUE(runner.is_running());
  Once once(scratch.domain(), "once");
  bool ran = false;
  const auto run = [&] { ran = true; };
  EXPECT_EQ(once.call(run, Deadline::now()), OnceAnswer::timed_out);
  EXPECT_EQ(once.call(run, Deadline::after(5ms)), OnceAnswer::timed_out);
  runner.child.say("end");
  EXPECT_EQ(once.call(run, patience()), OnceAnswer::done_before);
  EXPECT_FALSE(ran);
  EXPECT_EQ(runner.child.wait(), 0);
}

TEST(Once, WhoDiesRunningItIsToldToTheNext) {
  const ScratchDirectory scratch;
  RunningChild runner(scratch.domain());
  ASSERT_TRUE(runner.is_running());
  runner.child.kill();
  Once once(scratch.domain(), "once");
  const auto fail = [](bool again) {
    if (again) throw std::runtime_error("not today");
  };
  EXPECT_THROW(static_cast<void>(once.call(fail, patience())), std::runtime_error);
  bool told = false;
  const auto run = [&](bool again) { told = again; };
  EXPECT_EQ(once.call(run, patience()), OnceAnswer::ran_after_death);
  EXPECT_TRUE(told) << "it is so until somebody has done it";
  EXPECT_EQ(once.call(run, patience()), OnceAnswer::done_before);
}

TEST(Once, AChildForkedInItHasNotDoneIt) {
  const ScratchDirectory scratch;
  Once once(scratch.domain(), "once");
  ::pid_t child = -1;
  const OnceAnswer answer = once.call([&] { child = ::fork(); }, patience());
  if (child == 0) ::_exit(answer == OnceAnswer::forked ? 0 : 1);
  EXPECT_EQ(answer, OnceAnswer::ran);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

struct Shared {
  OnceCell prepared;
  std::uint64_t table = 0;
};
static_assert(sizeof(OnceCell) == 40);

TEST(Once, LiesInsideARegion) {
  const ScratchDirectory scratch;
  const auto call = [domain = scratch.domain()] {
    auto shared = Region<Shared>::open_or_create(domain, "shared");
    Once once(shared, shared->prepared);
    const auto run = [&] { ++shared->table; };
    return is_done(once.call(run, patience())) && shared->table == 1 ? 0 : 1;
  };
  Child child(call);
  EXPECT_EQ(call(), 0);
  EXPECT_EQ(child.wait(), 0);
  const OnceCell stray;
  auto shared = Region<Shared>::open(scratch.domain(), "shared");
  EXPECT_THROW(Once(shared, stray), Error);
}

TEST(Once, IsNoMutexAndNoOtherThing) {
  const ScratchDirectory scratch;
  const auto region = Region<>::create(scratch.domain(), "plain", 48);
  EXPECT_THROW(Once(scratch.domain(), "plain"), Error);
}

}  // namespace
}  // namespace kith
