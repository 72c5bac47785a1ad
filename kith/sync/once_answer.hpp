// What calling something once answers.
#pragma once

#include <string_view>

#include "kith/sync/lock_answer.hpp"

namespace kith {

// clang-format off: it does not know attributes on enums
enum class [[nodiscard]] OnceAnswer{
    ran,              // by this call, and it is done
    ran_after_death,  // the same; and somebody died running it before, perhaps half-way
    done_before,      // by another call; what that one did can be seen
    timed_out,        // the deadline passed while somebody living ran it
    would_deadlock,   // from within the function that it runs
    retired,          // somebody gave its lock up for good, and it was not done
    orphaned,         // the deadline has not passed, but its object, or the domain's member table,
                      // was removed or replaced
    damaged,          // its file, or the domain's member table, was cut short under us
    forked,           // this process cannot join the domain; or it is a child that the function
                      // forked: whether it is done, its parent says
    limit_reached,    // more threads of this process than can be told apart
    interrupted,      // the deadline is interruptible, and this thread handled a signal
};
// clang-format on

// "ran", for logs and errors.
[[nodiscard]] constexpr std::string_view to_string(OnceAnswer answer) noexcept {
  switch (answer) {
    case OnceAnswer::ran:
      return "ran";
    case OnceAnswer::ran_after_death:
      return "ran_after_death";
    case OnceAnswer::done_before:
      return "done_before";
    case OnceAnswer::timed_out:
      return "timed_out";
    case OnceAnswer::would_deadlock:
      return "would_deadlock";
    case OnceAnswer::retired:
      return "retired";
    case OnceAnswer::orphaned:
      return "orphaned";
    case OnceAnswer::damaged:
      return "damaged";
    case OnceAnswer::forked:
      return "forked";
    case OnceAnswer::limit_reached:
      return "limit_reached";
    case OnceAnswer::interrupted:
      return "interrupted";
  }
  return "?";
}

// Whether it is done now, and what it did can be seen.
[[nodiscard]] constexpr bool is_done(OnceAnswer answer) noexcept {
  return answer == OnceAnswer::ran || answer == OnceAnswer::ran_after_death ||
         answer == OnceAnswer::done_before;
}

namespace internal {

// Why the lock was not to be had.
[[nodiscard]] constexpr OnceAnswer not_run(LockAnswer why) noexcept {
  switch (why) {
    case LockAnswer::timed_out:
      return OnceAnswer::timed_out;
    case LockAnswer::would_deadlock:
      return OnceAnswer::would_deadlock;
    case LockAnswer::retired:
      return OnceAnswer::retired;
    case LockAnswer::orphaned:
      return OnceAnswer::orphaned;
    case LockAnswer::forked:
      return OnceAnswer::forked;
    case LockAnswer::limit_reached:
      return OnceAnswer::limit_reached;
    case LockAnswer::interrupted:
      return OnceAnswer::interrupted;
    default:
      return OnceAnswer::damaged;
  }
}

}  // namespace internal
}  // namespace kith
