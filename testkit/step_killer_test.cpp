#include "testkit/step_killer.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "testkit/process.hpp"

namespace kith::testkit {
namespace {

using namespace std::chrono_literals;

// What the small subjects share: mapped before they run, so all their roles have it. The orders of
// its accesses do not matter, as no two roles of a trial run at once; most say seq_cst, so that the
// compiler leaves each store where it is written.
struct Shared {
  std::atomic<std::uint32_t> claimed;
  std::atomic<std::uint32_t> owner;
  std::atomic<std::uint32_t> first;
  std::atomic<std::uint32_t> second;
  std::atomic<std::uint32_t> lock;
  std::atomic<std::uint32_t> witness;
  unsigned char bytes[1024];
};

class StepKiller : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_refused(); !reason.empty()) GTEST_SKIP() << reason;
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    shared_ = new (memory) Shared{};
  }
  void TearDown() override {
    if (shared_ != nullptr) ::munmap(shared_, sizeof(Shared));
  }

  Subject subject(std::string name, Operation operation) const {
    Subject made;
    made.name = std::move(name);
    made.prepare = [shared = shared_] { new (shared) Shared{}; };
    made.operation = std::move(operation);
    made.watched_memory = {{reinterpret_cast<const std::byte*>(shared_), sizeof(Shared)}};
    return made;
  }

  Shared* shared_ = nullptr;
};

std::uint64_t instructions_of(const Subject& subject) {
  Plan only_the_record = Plan::brief(0);
  only_the_record.most_kills = 1;
  const Report report = kill_every_step(subject, only_the_record);
  EXPECT_EQ(report.broken, "");
  return report.instructions;
}

// A loop of three instructions a round, and one to begin with.
template <unsigned kRounds>
void loop() {
  asm volatile(
      "movl %0, %%ecx\n"
      "1: nop\n"
      "decl %%ecx\n"
      "jnz 1b\n" ::"i"(kRounds)
      : "ecx", "cc");
}

// Method: the instructions around the loop are the same in both, so the difference is known.
TEST_F(StepKiller, CountsEveryInstructionOfALoop) {
  const std::uint64_t one = instructions_of(subject("loop of 1", [] { loop<1>(); }));
  const std::uint64_t many = instructions_of(subject("loop of 100", [] { loop<100>(); }));
  EXPECT_EQ(many - one, 3U * 99U);
}

// Method: three instructions more are three more; what the kit adds is a call's worth.
TEST_F(StepKiller, BracketsTheOperationClosely) {
  const std::uint64_t nothing = instructions_of(subject("nothing", [] {}));
  const std::uint64_t body =
      instructions_of(subject("body", [] { asm volatile("nop\nnop\nnop"); }));
  EXPECT_EQ(body - nothing, 3U);
  EXPECT_LE(nothing, 60U) << "more than a call and a return at any optimisation";
}

void fill_with_rep(unsigned char* bytes, std::size_t count) {
  asm volatile("rep stosb" : "+D"(bytes), "+c"(count) : "a"(0xab) : "memory");
}

// Method: each kill must leave another number of bytes behind; the survivors tally which they saw
// in a file of their own memory that no trial resets.
TEST_F(StepKiller, KillsInEveryRoundOfARepeatedInstruction) {
  constexpr unsigned kBytes = 300;
  auto* seen = static_cast<std::atomic<std::uint32_t>*>(
      ::mmap(nullptr, (kBytes + 1) * sizeof(std::uint32_t), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(seen, MAP_FAILED);
  Shared* shared = shared_;
  Subject filling = subject("rep stosb", [shared] { fill_with_rep(shared->bytes, kBytes); });
  filling.survivor = [shared, seen]() -> std::string {
    unsigned filled = 0;
    while (filled < kBytes && shared->bytes[filled] == 0xab) ++filled;
    for (unsigned i = filled; i < sizeof shared->bytes; ++i) {
      if (shared->bytes[i] != 0) return "a byte was written before its turn";
    }
    // relaxed: the parent reads it after this process has ended.
    seen[filled].fetch_add(1, std::memory_order_relaxed);
    return "";
  };
  const Report report = kill_every_step(filling);
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_EQ(report.changes, kBytes);
  EXPECT_EQ(report.kills, report.instructions + 1);
  EXPECT_EQ(report.diverged, 0U);
  for (unsigned i = 0; i <= kBytes; ++i) {
    EXPECT_GE(seen[i].load(std::memory_order_relaxed), 1U) << "never killed after " << i;
  }
  ::munmap(seen, (kBytes + 1) * sizeof(std::uint32_t));
}

// Method: a loop of three instructions a round, the first of which counts. A kill at every point
// must leave each count exactly three times, or some point was not where the record says.
TEST_F(StepKiller, KillsExactlyWhereItSays) {
  constexpr unsigned kRounds = 100;
  auto* seen = static_cast<std::atomic<std::uint32_t>*>(
      ::mmap(nullptr, (kRounds + 1) * sizeof(std::uint32_t), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(seen, MAP_FAILED);
  Shared* shared = shared_;
  Subject counting = subject("counting", [shared] {
    unsigned rounds = kRounds;
    asm volatile(
        "1: incl %1\n"
        "decl %0\n"
        "jnz 1b\n"
        : "+r"(rounds), "+m"(shared->first)
        :
        : "cc");
  });
  counting.survivor = [shared, seen]() -> std::string {
    seen[shared->first.load(std::memory_order_relaxed)].fetch_add(1, std::memory_order_relaxed);
    return "";
  };
  const Report report = kill_every_step(counting);
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_EQ(report.diverged, 0U);
  EXPECT_EQ(report.changes, kRounds);
  for (unsigned i = 1; i < kRounds; ++i) {
    EXPECT_EQ(seen[i].load(std::memory_order_relaxed), 3U) << "with " << i << " rounds done";
  }
  ::munmap(seen, (kRounds + 1) * sizeof(std::uint32_t));
}

// Method: a value and its meaning are published by one store; every kill leaves old or new.
TEST_F(StepKiller, FindsNothingInAPublicationByOneStore) {
  Shared* shared = shared_;
  Subject publish = subject("publish", [shared] {
    shared->bytes[0] = 42;
    // release: the byte is there before the count that announces it.
    shared->first.store(1, std::memory_order_release);
  });
  publish.survivor = [shared]() -> std::string {
    // acquire: pairs with the release above.
    const std::uint32_t count = shared->first.load(std::memory_order_acquire);
    return count == 1 && shared->bytes[0] != 42 ? "announced before it was written" : "";
  };
  const Report report = kill_every_step(publish);
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_EQ(report.kills, report.instructions + 1);
  EXPECT_EQ(report.changes, 2U);
  EXPECT_EQ(report.skipped, 0U);
}

// Method: a seeded bug: the claim is made before it is written whose it is.
TEST_F(StepKiller, FindsAClaimWithoutAnOwner) {
  Shared* shared = shared_;
  Subject claim = subject("claim", [shared] {
    shared->claimed.store(1, std::memory_order_seq_cst);
    shared->owner.store(7, std::memory_order_seq_cst);
  });
  claim.balance = [shared]() -> std::string {
    const bool lost = shared->claimed.load(std::memory_order_seq_cst) == 1 &&
                      shared->owner.load(std::memory_order_seq_cst) == 0;
    return lost ? "leak: claimed, and nobody knows by whom" : "";
  };
  const Report report = kill_every_step(claim, Plan::brief(0));
  EXPECT_EQ(report.leaked, 1U) << table({&report, 1});
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].who, "balance");
  EXPECT_FALSE(report.fine());
  EXPECT_GT(report.skipped, 0U);
  EXPECT_LT(report.kills, report.instructions);
}

// Method: a seeded bug: two counts that must agree are increased one after the other.
TEST_F(StepKiller, FindsTwoCountsThatDisagree) {
  Shared* shared = shared_;
  Subject count = subject("count", [shared] {
    shared->first.fetch_add(1, std::memory_order_seq_cst);
    shared->second.fetch_add(1, std::memory_order_seq_cst);
  });
  count.restart = [shared]() -> std::string {
    const bool agree = shared->first.load(std::memory_order_seq_cst) ==
                       shared->second.load(std::memory_order_seq_cst);
    return agree ? "" : "the counts disagree";
  };
  const Report report = kill_every_step(count);
  EXPECT_GE(report.wrong, 1U);
  EXPECT_LT(report.wrong, report.kills);
  ASSERT_FALSE(report.failures.empty());
  EXPECT_EQ(report.failures[0].who, "restart");
  EXPECT_EQ(report.failures[0].text, "the counts disagree");
}

// Method: a lock word that does not say whose it is; the survivor waits for ever.
TEST_F(StepKiller, FindsASurvivorThatHangs) {
  Shared* shared = shared_;
  Subject locking = subject("lock", [shared] {
    shared->lock.store(1, std::memory_order_seq_cst);
    shared->lock.store(0, std::memory_order_seq_cst);
  });
  locking.survivor = [shared]() -> std::string {
    while (shared->lock.load(std::memory_order_seq_cst) != 0) ::sched_yield();
    return "";
  };
  locking.patience = 200ms;
  const Report report = kill_every_step(locking, Plan::brief(0));
  EXPECT_EQ(report.hangs, 1U) << table({&report, 1});
  EXPECT_EQ(report.wrong, 0U);
}

void sleep_on(std::atomic<std::uint32_t>& word, std::uint32_t value, const timespec* time) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT, value, time, nullptr, 0);
}

// Method: nobody wakes it; the witness tells that the call was entered, by the word before it.
TEST_F(StepKiller, KillsInsideACallThatSleepsForEver) {
  Shared* shared = shared_;
  Subject sleeping = subject("sleep", [shared] {
    shared->witness.store(1, std::memory_order_seq_cst);
    sleep_on(shared->lock, 0, nullptr);
    shared->witness.store(2, std::memory_order_seq_cst);
  });
  sleeping.sleeps_at_most = 100ms;
  sleeping.survivor = [shared]() -> std::string {
    return shared->witness.load(std::memory_order_seq_cst) == 2 ? "it woke up" : "";
  };
  const Report report = kill_every_step(sleeping);
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_NE(report.note.find("futex"), std::string::npos) << report.note;
  EXPECT_EQ(report.kills, report.instructions + 2) << "every point, and the one inside the call";
}

TEST_F(StepKiller, KillsInsideAndBehindACallThatSleepsForAWhile) {
  Shared* shared = shared_;
  Subject sleeping = subject("nap", [shared] {
    const timespec time{0, 60'000'000};
    sleep_on(shared->lock, 0, &time);
    shared->witness.store(2, std::memory_order_seq_cst);
  });
  sleeping.asleep_after = 20ms;
  const Report report = kill_every_step(sleeping, Plan::brief(0));
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_EQ(report.note, "");
  EXPECT_EQ(report.changes, 1U);
  EXPECT_EQ(report.kills, 5U) << "both ends, after the call, inside it, after the store";
}

TEST_F(StepKiller, ReportsAVictimThatDiesByItself) {
  const Report report = kill_every_step(subject("crash", [] { ::raise(SIGSEGV); }));
  EXPECT_FALSE(report.fine());
  EXPECT_EQ(report.kills, 0U);
  EXPECT_NE(report.broken.find("signal 11"), std::string::npos) << report.broken;
}

TEST_F(StepKiller, ReportsAnOperationThatThrows) {
  const Report report =
      kill_every_step(subject("throw", [] { throw std::runtime_error("no room left"); }));
  EXPECT_FALSE(report.fine());
  EXPECT_NE(report.broken.find("no room left"), std::string::npos) << report.broken;
}

TEST_F(StepKiller, ReportsASetUpThatThrows) {
  Subject broken = subject("broken", [] {});
  broken.before = [] { throw std::runtime_error("no such store"); };
  const Report report = kill_every_step(broken);
  EXPECT_FALSE(report.fine());
  EXPECT_NE(report.broken.find("no such store"), std::string::npos) << report.broken;
}

TEST_F(StepKiller, CallsASurvivorThatCrashesWrong) {
  Subject crashing = subject("survivor crashes", [] {});
  crashing.survivor = []() -> std::string {
    ::raise(SIGSEGV);
    return "";
  };
  Plan once = Plan::brief(0);
  once.most_kills = 1;
  const Report report = kill_every_step(crashing, once);
  EXPECT_EQ(report.wrong, 1U);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_NE(report.failures[0].text.find("signal 11"), std::string::npos);
}

// Method: the number of instructions depends on a count that grows with every victim.
TEST_F(StepKiller, SaysWhenAVictimLeavesTheRecordedPath) {
  Shared* shared = shared_;
  Subject wandering = subject("wander", [shared] {
    if (shared->witness.load(std::memory_order_seq_cst) < 1) {
      shared->first.store(1, std::memory_order_seq_cst);
      shared->second.store(1, std::memory_order_seq_cst);
    } else {
      loop<3>();
    }
  });
  wandering.prepare = nullptr;
  wandering.clean_up = [shared] { shared->witness.fetch_add(1, std::memory_order_seq_cst); };
  const Report report = kill_every_step(wandering);
  EXPECT_GT(report.diverged, 0U);
  ASSERT_FALSE(report.divergences.empty());
  EXPECT_EQ(report.kills, report.instructions + 1);
}

// Method: a bystander holds a word until the books are balanced, and is gone at the clean-up.
TEST_F(StepKiller, KeepsABystanderAliveUntilTheBooksAreBalanced) {
  Shared* shared = shared_;
  Subject watched =
      subject("bystander", [shared] { shared->first.store(1, std::memory_order_seq_cst); });
  watched.bystander = [shared] {
    shared->owner.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_seq_cst);
  };
  watched.balance = [shared]() -> std::string {
    const auto pid = static_cast<pid_t>(shared->owner.load(std::memory_order_seq_cst));
    return pid != 0 && ::kill(pid, 0) == 0 ? "" : "the bystander is gone";
  };
  watched.clean_up = [shared] {
    const auto pid = static_cast<pid_t>(shared->owner.load(std::memory_order_seq_cst));
    if (::kill(pid, 0) == 0) throw std::runtime_error("the bystander is still there");
  };
  const Report report = kill_every_step(watched, Plan::brief(0));
  EXPECT_TRUE(report.fine()) << table({&report, 1});
}

// Method: a file mapped by the victim; stores into it are found though no call is made.
TEST_F(StepKiller, SeesChangesOfMappedFilesInAWatchedFolder) {
  namespace fs = std::filesystem;
  char pattern[] = "/tmp/kith-testkit-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern), nullptr);
  const fs::path folder(pattern);
  const fs::path file = folder / "object";
  Subject mapped;
  mapped.name = "mapped file";
  mapped.prepare = [file] {
    std::ofstream(file).close();
    fs::resize_file(file, 8192);
  };
  static std::atomic<std::uint32_t>* words = nullptr;
  mapped.before = [file] {
    const int descriptor = ::open(file.c_str(), O_RDWR);
    words = static_cast<std::atomic<std::uint32_t>*>(
        ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0));
    ::close(descriptor);
  };
  mapped.operation = [] {
    words[0].store(1, std::memory_order_seq_cst);
    words[1200].store(1, std::memory_order_seq_cst);  // in the second page, a hole until now
  };
  mapped.clean_up = [file] { fs::remove(file); };
  mapped.watched = {folder};
  const Report report = kill_every_step(mapped, Plan::brief(0));
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_EQ(report.changes, 2U);
  EXPECT_EQ(report.kills, 4U);
  fs::remove_all(folder);
}

// Method: the threads of a victim run into the same breakpoints; they must not die of them.
TEST_F(StepKiller, LetsTheVictimHaveThreads) {
  Shared* shared = shared_;
  Subject threaded = subject("thread", [shared] {
    std::thread other([shared] { shared->second.fetch_add(1, std::memory_order_seq_cst); });
    shared->first.fetch_add(1, std::memory_order_seq_cst);
    other.join();
  });
  threaded.survivor = [shared]() -> std::string {
    const bool sane = shared->first.load(std::memory_order_seq_cst) <= 1 &&
                      shared->second.load(std::memory_order_seq_cst) <= 1;
    return sane ? "" : "counted twice";
  };
  const Report report = kill_every_step(threaded, Plan::brief(20));
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_GT(report.calls, 0U);
}

// Long enough for a breakpoint to be planted in its middle and removed, again and again.
[[gnu::noinline]] void count_up(std::atomic<std::uint32_t>& word) {
  for (int i = 0; i < 60; ++i) word.fetch_add(1, std::memory_order_seq_cst);
}

// Method: another thread runs through the operation's own code all the time, and so is often where
// a breakpoint was a moment ago.
TEST_F(StepKiller, LetsTheVictimsThreadsRunTheSameCode) {
  Shared* shared = shared_;
  Subject threaded = subject("same code", [shared] { count_up(shared->first); });
  threaded.before = [shared] {
    std::thread([shared] {
      for (;;) count_up(shared->second);
    }).detach();
    while (shared->second.load(std::memory_order_seq_cst) == 0) ::sched_yield();
  };
  threaded.watched_memory = {{reinterpret_cast<const std::byte*>(&shared->first), 4}};
  const Report report = kill_every_step(threaded);
  EXPECT_TRUE(report.fine()) << table({&report, 1});
  EXPECT_EQ(report.kills, report.instructions + 1);
}

TEST_F(StepKiller, LetsTheVictimFork) {
  Shared* shared = shared_;
  Subject forking = subject("fork", [shared] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    shared->first.store(1, std::memory_order_seq_cst);
  });
  const Report report = kill_every_step(forking, Plan::brief(10));
  EXPECT_TRUE(report.fine()) << table({&report, 1});
}

TEST_F(StepKiller, StopsAtTheLimitsOfItsPlanAndSaysHowMuchWasLeftOut) {
  Shared* shared = shared_;
  Subject bad =
      subject("always wrong", [shared] { shared->first.store(1, std::memory_order_seq_cst); });
  bad.survivor = []() -> std::string { return "never content"; };
  Plan plan;
  plan.most_failures = 3;
  const Report report = kill_every_step(bad, plan);
  EXPECT_EQ(report.wrong, 3U);
  EXPECT_EQ(report.kills, 3U);
  EXPECT_EQ(report.kills + report.skipped, report.instructions + 1);
}

// Method: a process that has had ptrace taken away by a filter, as containers do it.
TEST_F(StepKiller, NamesWhoRefusesToTrace) {
  Process contained = Process::fork("contained", [](Mouth&) -> std::string {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{static_cast<unsigned short>(std::size(rules)), rules};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no new privileges: refused";
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return "seccomp: refused";
    if (why_refused().find("seccomp") == std::string::npos) return "why_refused: " + why_refused();
    Subject subject;
    subject.name = "anything";
    subject.operation = [] {};
    try {
      return "not refused: " + table(std::vector<Report>{kill_every_step(subject)});
    } catch (const Refused& refused) {
      const bool named = std::string(refused.what()).find("seccomp") != std::string::npos;
      return named ? "" : refused.what();
    }
  });
  EXPECT_EQ(contained.finish(within(10s)).text(), "");
}

TEST_F(StepKiller, RefusesASubjectWithoutAnOperation) {
  EXPECT_THROW((void)kill_every_step(Subject{}), std::invalid_argument);
}

}  // namespace
}  // namespace kith::testkit
