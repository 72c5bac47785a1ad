// Forks at the wrong moment, and handles that a forked child inherits.
#include <atomic>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "testkit/process.hpp"
#include "tests/issues/system_call_hooks.hpp"
#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using testkit::Mouth;
using testkit::Process;
using testkit::within;
using tests::ScratchDirectory;
using tests::Signal;
using tests::SystemCallHooks;
using tests::why_not_refused;

struct Pose {
  double x;
  double y;
};

bool is_asleep(pid_t thread) {
  std::ifstream facts("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(facts, line);
  const std::size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end + 2, 1, "S") == 0;
}

// A thread that forks when it may. The child lives until it is told, and says so at its end.
class Forker {
 public:
  Forker(Signal& end, Signal& ended) : thread_([this, &end, &ended] { run(end, ended); }) {}
  ~Forker() { finish(); }
  Forker(const Forker&) = delete;
  Forker& operator=(const Forker&) = delete;

  // Returns when the thread has forked, or waits in fork() until it is let in.
  void fork_now() {
    if (may_fork_.exchange(true)) return;
    while (!forked_ && !is_asleep(id_)) ::sched_yield();
  }
  // Returns when the child is born.
  void finish() {
    may_fork_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run(Signal& end, Signal& ended) {
    id_ = ::gettid();
    while (!may_fork_) ::sched_yield();
    if (::fork() == 0) {
      (void)end.wait(60s);
      ended.tell();
      ::_exit(0);
    }
    forked_ = true;
  }

  std::atomic<pid_t> id_{0};
  std::atomic<bool> may_fork_{false};
  std::atomic<bool> forked_{false};
  std::thread thread_;  // last: it uses the others
};

// Method: the creator is stopped between opening its own file anew and locking it, and goes on
// after another of its threads has called fork(). What used to happen: the child got that open, and
// with it the life of its parent: the region of a dead creator was opened as that of a living one.
TEST(ForkRace, AChildBornWhileARegionIsCreatedKeepsNobodyAlive) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Signal end;
  Signal ended;
  Process creator = Process::fork("creator", [&](Mouth& mouth) -> std::string {
    // A first one, because the file system is tried with opens of its own.
    { const auto first = Region<>::create(domain, "first", 64); }
    Forker forker(end, ended);
    bool stopped = false;
    SystemCallHooks hooks;
    hooks.after_open = [&](const std::string& path) {
      if (!path.starts_with("/proc/self/fd/")) return;
      stopped = true;
      forker.fork_now();
    };
    const auto mine =
        Region<>::create(domain, "mine", 64, {.lifetime = Lifetime::while_creator_lives});
    if (!stopped) return "the creator no longer opens its file anew; find another way to race it";
    forker.finish();
    mouth.say("created");
    mouth.await("never", within(60s));
    return "";
  });
  ASSERT_EQ(creator.expect("created", within(20s)), "");
  EXPECT_EQ(Region<>::open(domain, "mine").is_orphaned(), false);
  (void)creator.kill();
  EXPECT_EQ(why_not_refused([&] { (void)Region<>::open(domain, "mine"); }, Errc::not_found, {}),
            "");
  end.tell();
  EXPECT_TRUE(ended.wait()) << "the child lived on until now";
}

// What used to happen: a member is known alive to itself without a look; the child of a dead parent
// took the parent's id for its own and called the dead writer alive.
TEST(ForkedChild, CallsTheWriterThatWasItsParentDeadAfterItsDeath) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Signal born;
  Signal parent_is_dead;
  Signal said_dead;
  Process parent = Process::fork("parent", [&](Mouth& mouth) -> std::string {
    LatestWriter<Pose> writer(domain, "pose");
    LatestReader<Pose> reader(domain, "pose");
    Process heir = Process::fork("heir", [&](Mouth&) -> std::string {
      ::prctl(PR_SET_PDEATHSIG, 0);  // it outlives its parent
      born.tell();
      if (parent_is_dead.wait() && reader.writer_liveness() == Liveness::dead) said_dead.tell();
      return "";
    });
    mouth.await("never", within(60s));
    return "";
  });
  ASSERT_TRUE(born.wait());
  (void)parent.kill();
  parent_is_dead.tell();
  EXPECT_TRUE(said_dead.wait(5s));
}

}  // namespace
}  // namespace kith
