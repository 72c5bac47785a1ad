// What changing and reading a guarded value answers.
#pragma once

#include <string_view>

#include "kith/sync/lock_answer.hpp"

namespace kith {

// clang-format off: it does not know attributes on enums
enum class [[nodiscard]] GuardedAnswer{
    committed,              // the change is there, whole, for all who read from now on
    committed_after_death,  // the same; and somebody died with its lock, changing it, say. What
                            // that one wanted is there whole, or not at all: nothing is to repair
    unchanged,              // the function said no: the value stands as it was
    value,                  // read: here it is
    timed_out,              // the deadline passed while others changed it
    would_deadlock,         // from within a function that changes this very value
    retired,                // somebody gave the lock up for good; the last commit can be read still
    orphaned,               // the deadline has not passed, but its object, or the domain's member
                            // table, was removed or replaced
    damaged,                // its file, or the domain's member table, was cut short under us
    forked,                 // this process cannot join the domain; or it is a child that the
                            // function forked: the change is its parent's
    limit_reached,          // more threads of this process than can be told apart
    interrupted,            // the deadline is interruptible, and this thread handled a signal
};
// clang-format on

// "committed", for logs and errors.
[[nodiscard]] constexpr std::string_view to_string(GuardedAnswer answer) noexcept {
  switch (answer) {
    case GuardedAnswer::committed:
      return "committed";
    case GuardedAnswer::committed_after_death:
      return "committed_after_death";
    case GuardedAnswer::unchanged:
      return "unchanged";
    case GuardedAnswer::value:
      return "value";
    case GuardedAnswer::timed_out:
      return "timed_out";
    case GuardedAnswer::would_deadlock:
      return "would_deadlock";
    case GuardedAnswer::retired:
      return "retired";
    case GuardedAnswer::orphaned:
      return "orphaned";
    case GuardedAnswer::damaged:
      return "damaged";
    case GuardedAnswer::forked:
      return "forked";
    case GuardedAnswer::limit_reached:
      return "limit_reached";
    case GuardedAnswer::interrupted:
      return "interrupted";
  }
  return "?";
}

// Whether a change is there now.
[[nodiscard]] constexpr bool is_committed(GuardedAnswer answer) noexcept {
  return answer == GuardedAnswer::committed || answer == GuardedAnswer::committed_after_death;
}

namespace internal {

// Why the lock was not to be had.
[[nodiscard]] constexpr GuardedAnswer not_locked(LockAnswer why) noexcept {
  switch (why) {
    case LockAnswer::timed_out:
      return GuardedAnswer::timed_out;
    case LockAnswer::would_deadlock:
      return GuardedAnswer::would_deadlock;
    case LockAnswer::retired:
      return GuardedAnswer::retired;
    case LockAnswer::orphaned:
      return GuardedAnswer::orphaned;
    case LockAnswer::forked:
      return GuardedAnswer::forked;
    case LockAnswer::limit_reached:
      return GuardedAnswer::limit_reached;
    case LockAnswer::interrupted:
      return GuardedAnswer::interrupted;
    default:
      return GuardedAnswer::damaged;
  }
}

}  // namespace internal
}  // namespace kith
