#include "tests/support/kernel_work.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <limits>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kith::tests {
namespace {

constexpr std::uint64_t kRounds = 5;
constexpr int kThrew = 3;
constexpr int kNotTraced = 4;

// A call that no operation makes says where a round begins and ends, and how many faults it had.
constexpr std::uint64_t kMark = 0x6b697468;
enum class Mark : std::uint64_t { begin = 1, end, faults };

void mark(Mark what, std::uint64_t number = 0) {
  ::syscall(SYS_getpriority, kMark, static_cast<std::uint64_t>(what), number);
}

std::uint64_t faults_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt) + static_cast<std::uint64_t>(usage.ru_majflt);
}

void run_round(const Operation& operation, std::uint64_t repetitions) {
  const std::uint64_t before = faults_so_far();
  mark(Mark::begin);
  for (std::uint64_t i = 0; i < repetitions; ++i) operation();
  mark(Mark::end);
  mark(Mark::faults, faults_so_far() - before);
}

[[noreturn]] void work_in_child(const std::function<Operation()>& make, std::uint64_t repetitions) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(kNotTraced);
  ::raise(SIGSTOP);
  int status = 0;
  try {
    const Operation operation = make();
    // Twice, so that the round itself is no first use either; the tracer forgets what this says.
    for (int warm = 0; warm < 2; ++warm) run_round(operation, repetitions / 2);
    for (std::uint64_t round = 0; round < kRounds; ++round) run_round(operation, repetitions);
  } catch (const std::exception& error) {
    const std::string text = std::string("the operation threw: ") + error.what() + "\n";
    status = ::write(STDERR_FILENO, text.data(), text.size()) < 0 ? kThrew + 1 : kThrew;
  }
  ::_exit(status);
}

// The books of all rounds, kept by the tracer.
class Books {
 public:
  void enter(const __ptrace_syscall_info& info) {
    const auto& arguments = info.entry.args;
    if (info.entry.nr != SYS_getpriority || arguments[0] != kMark) {
      if (counting_) note(static_cast<long>(info.entry.nr));
      return;
    }
    switch (static_cast<Mark>(arguments[1])) {
      case Mark::begin:
        begin();
        return;
      case Mark::end:
        counting_ = false;
        return;
      case Mark::faults:
        fewest_ = std::min(fewest_, arguments[2]);
        return;
    }
  }
  [[nodiscard]] bool complete() const { return rounds_ == 2 + kRounds && !counting_; }
  void tell(KernelWork& work) const {
    work.rounds = kRounds;
    work.system_calls = calls_;
    work.first_call = first_;
    work.page_faults = fewest_;
  }

 private:
  void begin() {
    counting_ = true;
    if (++rounds_ > 3) return;
    calls_ = 0;  // until here it was the rounds before the first
    first_ = -1;
    fewest_ = std::numeric_limits<std::uint64_t>::max();
  }
  void note(long number) {
    if (calls_++ == 0) first_ = number;
  }

  bool counting_ = false;
  std::uint64_t rounds_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t fewest_ = std::numeric_limits<std::uint64_t>::max();
  long first_ = -1;
};

// Follows a child that has stopped itself to its end; its wait status.
int follow(pid_t child, Books& books, std::string& why_not) {
  int status = 0;
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  while (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0 &&
         ::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0) {
      why_not = std::string("PTRACE_GET_SYSCALL_INFO was refused: ") + std::strerror(errno);
      ::kill(child, SIGKILL);
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      books.enter(info);
    }
  }
  return status;
}

}  // namespace

KernelWork kernel_work_of(const std::function<Operation()>& make, std::uint64_t repetitions) {
  KernelWork work;
  work.repetitions = repetitions;
  const pid_t child = ::fork();
  if (child < 0) {
    work.failure = std::string("fork: ") + std::strerror(errno);
    return work;
  }
  if (child == 0) work_in_child(make, repetitions);
  int status = 0;
  ::waitpid(child, &status, WUNTRACED);
  Books books;
  if (WIFSTOPPED(status)) status = follow(child, books, work.why_not);
  if (!work.why_not.empty()) return work;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotTraced) {
    work.why_not = "this process may not trace its child";
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !books.complete()) {
    work.failure = "the child ended with " + std::to_string(status) + " before the last round did";
  }
  books.tell(work);
  return work;
}

std::string KernelWork::text() const {
  std::string text = failure.empty() ? "" : failure + "; ";
  text += std::to_string(system_calls) + " system calls in " + std::to_string(rounds) +
          " rounds of " + std::to_string(repetitions) + ", " + std::to_string(page_faults) +
          " page faults in the best of them";
  if (first_call >= 0) text += "; the first system call was number " + std::to_string(first_call);
  return text;
}

}  // namespace kith::tests
