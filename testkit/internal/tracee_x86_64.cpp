#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "testkit/internal/tracee.hpp"
#include "testkit/step_killer.hpp"

namespace kith::testkit::internal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOptions =
    PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
constexpr std::uint64_t kBreakpoint = 0xcc;

void* as_pointer(std::uint64_t value) {
  return reinterpret_cast<void*>(value);
}

// ptrace takes its request as an enum in C++, and PTRACE_SINGLESTEP and PTRACE_CONT share a path.
long trace(int request, pid_t pid, std::uint64_t address, std::uint64_t data) {
  return ::ptrace(static_cast<__ptrace_request>(request), pid, as_pointer(address),
                  as_pointer(data));
}

int event_of(int status) {
  return status >> 16;
}

bool is_ended(int status) {
  return WIFEXITED(status) || WIFSIGNALED(status);
}

std::string refusal(int error) {
  std::string text = std::string("ptrace is refused here (PTRACE_SEIZE: ") + std::strerror(error) +
                     "); the step killer needs it. ";
  std::ifstream yama("/proc/sys/kernel/yama/ptrace_scope");
  int scope = 0;
  if (yama >> scope && scope > 1) {
    return text + "Yama forbids it (kernel.yama.ptrace_scope is " + std::to_string(scope) +
           "): run as root with sysctl kernel.yama.ptrace_scope=1.";
  }
  return text +
         "Most likely a container's seccomp filter forbids it: run the container with "
         "--cap-add=SYS_PTRACE or --security-opt seccomp=unconfined.";
}

}  // namespace

Tracee::Tracee(pid_t pid) : pid_(pid), request_(PTRACE_CONT) {
  if (trace(PTRACE_SEIZE, pid, 0, kOptions) != 0) {
    gone_ = true;
    throw Refused(refusal(errno));
  }
}

Tracee::~Tracee() {
  kill();
}

Tracee::Stop Tracee::step(std::optional<Milliseconds> patience) {
  return resume(PTRACE_SINGLESTEP, patience);
}

Tracee::Stop Tracee::run_on(Milliseconds patience) {
  return resume(PTRACE_CONT, patience);
}

Tracee::Stop Tracee::resume(int request, std::optional<Milliseconds> patience) {
  request_ = request;
  // ESRCH means that it was killed under us; settle() then sees its end.
  if (trace(request, pid_, 0, 0) != 0 && errno != ESRCH) {
    throw std::system_error(errno, std::generic_category(), "ptrace: resuming the victim");
  }
  return settle(patience);
}

Tracee::Stop Tracee::settle(std::optional<Milliseconds> patience) {
  for (;;) {
    const std::optional<int> status = wait_for_victim(patience);
    if (!status) return Stop::asleep;
    if (is_ended(*status)) {
      ending_ = *status;
      gone_ = true;
      return Stop::ended;
    }
    const int signal = WSTOPSIG(*status);
    const bool ours = event_of(*status) != 0;
    if (signal == SIGTRAP && !ours) return Stop::trapped;
    // Its own signals reach the victim as they would without us.
    trace(request_, pid_, 0, ours ? 0 : static_cast<std::uint64_t>(signal));
  }
}

std::optional<int> Tracee::wait_for_victim(std::optional<Milliseconds> patience) {
  const Clock::time_point until = Clock::now() + patience.value_or(Milliseconds(0));
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  for (;;) {
    int status = 0;
    const pid_t found = ::waitpid(-1, &status, patience ? __WALL | WNOHANG : __WALL);
    if (found == pid_) return status;
    if (found > 0) {
      wait_on_other(found, status);
      continue;
    }
    if (found < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "waiting for the victim");
    }
    if (!patience) continue;
    const auto left = std::chrono::nanoseconds(until - Clock::now());
    if (left.count() <= 0) return std::nullopt;
    timespec time{};
    time.tv_sec = left.count() / 1'000'000'000;
    time.tv_nsec = left.count() % 1'000'000'000;
    (void)::sigtimedwait(&child, nullptr, &time);
  }
}

// Threads of the victim run free; they are traced only so that a breakpoint does not kill them.
void Tracee::wait_on_other(pid_t other, int status) {
  if (is_ended(status)) return;
  const std::string task = "/proc/" + std::to_string(pid_) + "/task/" + std::to_string(other);
  if (::access(task.c_str(), F_OK) != 0) return let_go_of_child(other);
  const int signal = WSTOPSIG(status);
  if (event_of(status) != 0) {
    trace(PTRACE_CONT, other, 0, 0);
  } else if (signal == SIGTRAP && !planted_.empty()) {
    pass_breakpoint_of_other(other);
  } else {
    trace(PTRACE_CONT, other, 0, static_cast<std::uint64_t>(signal));
  }
}

void Tracee::pass_breakpoint_of_other(pid_t thread) {
  user_regs_struct registers{};
  ::ptrace(PTRACE_GETREGS, thread, nullptr, &registers);
  // It may have met one that was removed before we came to hear of it.
  const bool met = was_planted(registers.rip - 1);
  if (met) {
    registers.rip -= 1;
    ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
  }
  if (met && registers.rip == address_) {
    trace(PTRACE_POKETEXT, thread, address_, original_);
    trace(PTRACE_SINGLESTEP, thread, 0, 0);
    int status = 0;
    ::waitpid(thread, &status, __WALL);
    trace(PTRACE_POKETEXT, thread, address_, (original_ & ~std::uint64_t{0xff}) | kBreakpoint);
  }
  trace(PTRACE_CONT, thread, 0, 0);
}

// A process that the operation forked lives its own life, without our breakpoint. (A vfork child
// shares its parent's memory, so the breakpoint is gone there too; the trial then steps instead.)
void Tracee::let_go_of_child(pid_t child) {
  if (address_ != 0) trace(PTRACE_POKETEXT, child, address_, original_);
  trace(PTRACE_DETACH, child, 0, 0);
}

user_regs_struct Tracee::registers() const {
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) != 0) {
    throw std::system_error(errno, std::generic_category(), "PTRACE_GETREGS");
  }
  return registers;
}

void Tracee::set_registers(const user_regs_struct& registers) {
  user_regs_struct copy = registers;
  if (::ptrace(PTRACE_SETREGS, pid_, nullptr, &copy) != 0) {
    throw std::system_error(errno, std::generic_category(), "PTRACE_SETREGS");
  }
}

std::optional<std::uint64_t> Tracee::peek(std::uint64_t address) const {
  errno = 0;
  const long word = trace(PTRACE_PEEKTEXT, pid_, address, 0);
  if (errno != 0) return std::nullopt;
  return static_cast<std::uint64_t>(word);
}

bool Tracee::set_breakpoint(std::uint64_t address) {
  remove_breakpoint();
  const std::optional<std::uint64_t> original = peek(address);
  if (!original) return false;
  const std::uint64_t patched = (*original & ~std::uint64_t{0xff}) | kBreakpoint;
  if (trace(PTRACE_POKETEXT, pid_, address, patched) != 0) return false;
  address_ = address;
  original_ = *original;
  if (!was_planted(address)) planted_.push_back(address);
  return true;
}

bool Tracee::was_planted(std::uint64_t address) const {
  return std::find(planted_.begin(), planted_.end(), address) != planted_.end();
}

void Tracee::remove_breakpoint() {
  if (address_ == 0) return;
  trace(PTRACE_POKETEXT, pid_, address_, original_);
  address_ = 0;
}

bool Tracee::at_breakpoint() {
  user_regs_struct now = registers();
  if (address_ == 0 || now.rip != address_ + 1) return false;
  now.rip = address_;
  set_registers(now);
  return true;
}

Tracee::Stop Tracee::pass_breakpoint(Milliseconds patience) {
  const std::uint64_t address = address_;
  remove_breakpoint();
  const Stop stop = step(patience);
  if (stop == Stop::trapped) set_breakpoint(address);
  return stop;
}

void Tracee::kill() {
  if (gone_) return;
  ::kill(pid_, SIGKILL);
  // The kernel reports a traced death after the memory, and with it every lock, has been given up.
  while (!gone_) {
    const std::optional<int> status = wait_for_victim(std::nullopt);
    if (status && is_ended(*status)) {
      ending_ = *status;
      gone_ = true;
    }
  }
}

std::string why_tracing_is_refused() {
  const pid_t child = ::fork();
  if (child < 0) return "fork failed; the step killer needs processes";
  if (child == 0) {
    for (;;) ::pause();
  }
  const bool fine = trace(PTRACE_SEIZE, child, 0, PTRACE_O_EXITKILL) == 0;
  const std::string text = fine ? "" : refusal(errno);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, __WALL);
  return text;
}

}  // namespace kith::testkit::internal
