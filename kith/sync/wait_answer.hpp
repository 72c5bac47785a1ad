// What waiting for an event, a condition or the other parties of a barrier answers.
#pragma once

#include <string_view>

#include "kith/sync/lock_answer.hpp"

namespace kith {

// clang-format off: it does not know attributes on enums
enum class [[nodiscard]] WaitAnswer{
    happened,       // what was waited for; of a condition also for no reason: look at it again
    party_died,     // of a barrier: all who live have arrived, but somebody who should have is dead
    owner_died,     // of a condition: it may have happened; its mutex is yours again, and its last
                    // holder died: repair what it guards, then declare_consistent()
    timed_out,      // the deadline passed; of a condition: its mutex is yours again
    not_owner,      // of a condition: this thread does not hold the mutex, or holds it twice; of a
                    // barrier: this handle has left
    retired,        // of a condition: its mutex was given up for good, and is not yours
    orphaned,       // its object, or the domain's member table, was removed or replaced
    damaged,        // its file was cut short under us
    forked,         // a handle of the parent, in a child that could not join the domain itself
    limit_reached,  // more threads of this process than can be told apart
};
// clang-format on

// "party_died", for logs and errors.
[[nodiscard]] constexpr std::string_view to_string(WaitAnswer answer) noexcept {
  switch (answer) {
    case WaitAnswer::happened:
      return "happened";
    case WaitAnswer::party_died:
      return "party_died";
    case WaitAnswer::owner_died:
      return "owner_died";
    case WaitAnswer::timed_out:
      return "timed_out";
    case WaitAnswer::not_owner:
      return "not_owner";
    case WaitAnswer::retired:
      return "retired";
    case WaitAnswer::orphaned:
      return "orphaned";
    case WaitAnswer::damaged:
      return "damaged";
    case WaitAnswer::forked:
      return "forked";
    case WaitAnswer::limit_reached:
      return "limit_reached";
  }
  return "?";
}

namespace internal {

// Of a wait without a mutex.
[[nodiscard]] constexpr WaitAnswer wait_answer(LockAnswer answer) noexcept {
  switch (answer) {
    case LockAnswer::acquired:
    case LockAnswer::released:
      return WaitAnswer::happened;
    case LockAnswer::owner_died:
      return WaitAnswer::party_died;
    case LockAnswer::timed_out:
      return WaitAnswer::timed_out;
    case LockAnswer::would_deadlock:
    case LockAnswer::not_owner:
      return WaitAnswer::not_owner;
    case LockAnswer::retired:
      return WaitAnswer::retired;
    case LockAnswer::orphaned:
      return WaitAnswer::orphaned;
    case LockAnswer::damaged:
      return WaitAnswer::damaged;
    case LockAnswer::forked:
      return WaitAnswer::forked;
    case LockAnswer::limit_reached:
      break;
  }
  return WaitAnswer::limit_reached;
}

}  // namespace internal
}  // namespace kith
