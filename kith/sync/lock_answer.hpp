// What taking, holding and giving back a lock answers.
#pragma once

#include <string_view>

namespace kith {

// clang-format off: it does not know attributes on enums
enum class [[nodiscard]] LockAnswer{
    acquired,        // it is yours, and what it guards is as its last holder left it
    owner_died,      // it is yours, but its holder died holding it: repair what it guards, then
                     // declare_consistent(); released without that, the next one is told the same
    released,        // it was yours; now it is free
    timed_out,       // the deadline passed while somebody living held it
    would_deadlock,  // this thread holds it already, and it is not recursive
    not_owner,       // this thread does not hold it; nothing was changed
    retired,         // somebody gave it up for good: what it guards could not be repaired
    orphaned,        // the deadline has not passed, but its object, or the domain's member
                     // table, was removed or replaced
    damaged,         // its file, or the domain's member table, was cut short under us
    forked,          // a handle of the parent, in a child that could not join the domain itself
    limit_reached,   // more threads of this process than can be told apart, or too many recursions
    interrupted,     // the deadline is interruptible, and this thread handled a signal
};
// clang-format on

// "owner_died", for logs and errors.
[[nodiscard]] constexpr std::string_view to_string(LockAnswer answer) noexcept {
  switch (answer) {
    case LockAnswer::acquired:
      return "acquired";
    case LockAnswer::owner_died:
      return "owner_died";
    case LockAnswer::released:
      return "released";
    case LockAnswer::timed_out:
      return "timed_out";
    case LockAnswer::would_deadlock:
      return "would_deadlock";
    case LockAnswer::not_owner:
      return "not_owner";
    case LockAnswer::retired:
      return "retired";
    case LockAnswer::orphaned:
      return "orphaned";
    case LockAnswer::damaged:
      return "damaged";
    case LockAnswer::forked:
      return "forked";
    case LockAnswer::limit_reached:
      return "limit_reached";
    case LockAnswer::interrupted:
      return "interrupted";
  }
  return "?";
}

// Whether the caller holds the lock now.
[[nodiscard]] constexpr bool holds(LockAnswer answer) noexcept {
  return answer == LockAnswer::acquired || answer == LockAnswer::owner_died;
}

}  // namespace kith
