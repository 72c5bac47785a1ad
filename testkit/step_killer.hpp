// Step killer: runs an operation in a real process and kills it (SIGKILL) after instruction
// 0, 1, 2 ... through the last; after each kill, lets survivors judge what is left.
//
//   Subject put;
//   put.name = "put";
//   put.prepare   = [] { make_store("/dev/shm/demo"); };
//   put.before    = [] { store().open(); };
//   put.operation = [] { store().put(7); };
//   put.survivor  = [] { return store().get(until) ? "" : "the store cannot be read"; };
//   put.balance   = [] { return bytes_in_use() == 0 ? "" : "leak: a slot is still claimed"; };
//   put.watched   = {"/dev/shm/demo"};
//   const Report report = kill_every_step(put, Plan::brief());
//
// States       none between calls. Every trial is: prepare, bystander, the victim killed at the
//              kill point, survivor, restart, balance, clean_up; each in a process of its own,
//              forked from one parent, so that every victim has the same addresses.
// Callers      one thread of a process at a time may call kill_every_step(); the functions of a
//              subject run in children and cannot hand anything back except their words.
// A peer dies  the victim always does. If the caller dies, all processes of the kit die with it.
// Cost         recording steps the operation once (about 10 us an instruction); a trial is some
//              forks, 2 to 4 ms: a kill point is reached by breakpoint, not by stepping there.
//              A role that hangs costs its deadline.
//
// Not for: operations that call exec, programs under a sanitizer, processors other than x86-64
// (it throws Refused and says so), and finding races: one schedule is tried, with all its deaths.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "testkit/report.hpp"

namespace kith::testkit {

// Thrown where the step killer cannot work at all: the text names who refuses and what to do.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace internal {
// An operation let an exception escape: says so and ends the victim.
[[noreturn]] void operation_threw() noexcept;
}  // namespace internal

// What the victim runs. Like std::function<void()>, but entered by one call, so that the recorded
// instructions are those of the callable (its final `ret` included) and nothing else.
class Operation {
 public:
  using Entry = void (*)(void*);

  Operation() = default;
  template <class Callable>
  requires std::is_invocable_v<Callable&> && std::is_copy_constructible_v<Callable> Operation(
      Callable callable)  // NOLINT: meant to convert, as std::function does
      : state_(std::make_shared<Callable>(std::move(callable))), entry_([](void* state) {
          try {
            (*static_cast<Callable*>(state))();
          } catch (...) {
            internal::operation_threw();
          }
        }) {}

  explicit operator bool() const { return entry_ != nullptr; }
  Entry entry() const { return entry_; }
  void* state() const { return state_.get(); }

 private:
  std::shared_ptr<void> state_;
  Entry entry_ = nullptr;
};

// What is to be killed and how to judge what is left. Only `name` and `operation` are required.
//
// The functions that answer with a string say "" for "all is well", "leak: ..." for something that
// was not given back, anything else for what is wrong. An exception is "wrong" with its text.
// Nothing one function stores in variables reaches another: each runs in a process of its own that
// is forked from the caller as it was when kill_every_step() began. They meet in files and in
// shared memory, as real processes do.
struct Subject {
  std::string name;
  std::function<void()> prepare;    // makes a fresh world
  std::function<void()> bystander;  // takes hold of things; its process then stays alive, asleep,
                                    // until the books have been balanced
  std::function<void()> before;     // the victim's set-up, in the victim, not killed
  Operation operation;              // the victim is killed in here
  std::function<std::string()> survivor;  // uses the object after the death
  std::function<std::string()> restart;   // the victim's restart and recovery
  std::function<std::string()> balance;   // the books at the end
  std::function<void()> clean_up;         // removes the world, whatever is left of it

  // Where the operation writes what others can see: files, folders of files, and shared memory that
  // was mapped before kill_every_step() (MAP_SHARED | MAP_ANONYMOUS). The short form kills after
  // each instruction that changes them; when nothing is named, it has only the system calls.
  std::vector<std::filesystem::path> watched;
  std::vector<std::span<const std::byte>> watched_memory;

  // How long each role may take; one that takes longer is a hang.
  std::chrono::milliseconds patience{5000};
  // A system call that takes longer than this is asleep, and killed inside as well.
  std::chrono::milliseconds asleep_after{50};
  // How long the recorded operation may sleep in one call before it is taken to sleep for ever.
  std::chrono::milliseconds sleeps_at_most{2000};
};

// Which kill points are tried.
struct Plan {
  bool everywhere = true;              // the long form: after every instruction
  std::size_t sample = 0;              // the short form: how many of the unremarkable ones besides
  std::size_t most_kills = 0;          // 0: no limit; else a random choice of so many
  std::uint64_t most_failures = 50;    // stop after so many failures; the rest is skipped; 0: never
  std::chrono::milliseconds budget{};  // stop killing after so long; rest skipped; 0: never
  std::uint64_t seed = 1;              // of the random choices

  // After every instruction.
  static Plan full() { return {}; }
  // After every system call, every change of watched bytes, and `sample` others.
  static Plan brief(std::size_t sample = 200) {
    Plan plan;
    plan.everywhere = false;
    plan.sample = sample;
    return plan;
  }
};

// Kills the subject's operation at the plan's kill points and reports. Throws Refused if this
// machine does not allow it, std::invalid_argument for a subject without name or operation.
Report kill_every_step(const Subject& subject, const Plan& plan = Plan::full());

// "" if the step killer can work here, else the reason that Refused would carry.
std::string why_refused();

}  // namespace kith::testkit
