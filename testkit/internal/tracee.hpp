// Tracee: the victim as its tracer sees it. One at a time in a process that has no other children
// than the nursery: it waits for any child, because a victim may bring threads of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <sys/user.h>
#include <vector>

namespace kith::testkit::internal {

class Tracee {
 public:
  using Milliseconds = std::chrono::milliseconds;
  enum class Stop {
    trapped,  // one step is done, or a breakpoint or a mark was met
    asleep,   // not within the given time; wait_on() waits on
    ended,    // the victim is gone; ending() says how
  };

  // Takes hold of a running process of ours, and lets it run: wait_on() is next. Throws Refused.
  // Needs SIGCHLD blocked.
  explicit Tracee(pid_t pid);
  ~Tracee();
  Tracee(const Tracee&) = delete;
  Tracee& operator=(const Tracee&) = delete;

  Stop step(std::optional<Milliseconds> patience = std::nullopt);
  Stop run_on(Milliseconds patience);
  Stop wait_on(Milliseconds patience) { return settle(patience); }

  // Only while trapped.
  user_regs_struct registers() const;
  void set_registers(const user_regs_struct& registers);
  std::optional<std::uint64_t> peek(std::uint64_t address) const;

  // One breakpoint at a time. Meeting it leaves the instruction pointer at its address.
  bool set_breakpoint(std::uint64_t address);
  void remove_breakpoint();
  bool at_breakpoint();  // after run_on(): did it stop here, and not at a mark?
  Stop pass_breakpoint(Milliseconds patience);  // one step beyond it, and leaves it in place

  // Returns when the process is gone, its memory and its locks too.
  void kill();
  int ending() const { return ending_; }

 private:
  Stop resume(int request, std::optional<Milliseconds> patience);
  Stop settle(std::optional<Milliseconds> patience);
  std::optional<int> wait_for_victim(std::optional<Milliseconds> patience);
  void wait_on_other(pid_t thread, int status);
  void pass_breakpoint_of_other(pid_t thread);
  [[nodiscard]] bool was_planted(std::uint64_t address) const;
  void let_go_of_child(pid_t child);

  pid_t pid_;
  int request_;  // how it was set going last, and is again after a signal of its own
  int ending_ = 0;
  bool gone_ = false;
  std::uint64_t address_ = 0;           // of the breakpoint; 0: none
  std::uint64_t original_ = 0;          // the eight bytes there
  std::vector<std::uint64_t> planted_;  // where a breakpoint is, or was
};

// "" if this machine lets a process trace its descendants, else who refuses and what to do.
std::string why_tracing_is_refused();

}  // namespace kith::testkit::internal
