// What waiting for an event, a condition or the other parties of a barrier answers.
#pragma once

#include <string_view>

#include "kith/sync/lock_answer.hpp"

namespace kith {

// clang-format off: it does not know attributes on enums
enum class [[nodiscard]] AwaitAnswer{
    happened,       // what was waited for; of a condition also for no reason: look at it again
    party_died,     // of a barrier: all who live have arrived, but somebody who should have is dead
    owner_died,     // of a condition: it may have happened; its mutex is yours again, and its last
                    // holder died: repair what it guards, then declare_consistent()
    timed_out,      // the deadline passed; of a condition: its mutex is yours again
    mutex_busy,     // of a condition: the deadline passed, it may have happened, and its mutex is
                    // not yours: somebody living held it still
    not_owner,      // of a condition: this thread does not hold the mutex, or holds it twice; of a
                    // barrier: this handle has left
    retired,        // of a condition: its mutex was given up for good, and is not yours
    orphaned,       // its object, or the domain's member table, was removed or replaced
    damaged,        // its file, or the domain's member table, was cut short under us
    forked,         // a handle of the parent, in a child that could not join the domain itself
    limit_reached,  // more threads of this process than can be told apart
    interrupted,    // the deadline is interruptible, and this thread handled a signal; of a
                    // condition: its mutex is yours again; of a barrier: this party has arrived
};
// clang-format on

// "party_died", for logs and errors.
[[nodiscard]] constexpr std::string_view to_string(AwaitAnswer answer) noexcept {
  switch (answer) {
    case AwaitAnswer::happened:
      return "happened";
    case AwaitAnswer::party_died:
      return "party_died";
    case AwaitAnswer::owner_died:
      return "owner_died";
    case AwaitAnswer::timed_out:
      return "timed_out";
    case AwaitAnswer::mutex_busy:
      return "mutex_busy";
    case AwaitAnswer::not_owner:
      return "not_owner";
    case AwaitAnswer::retired:
      return "retired";
    case AwaitAnswer::orphaned:
      return "orphaned";
    case AwaitAnswer::damaged:
      return "damaged";
    case AwaitAnswer::forked:
      return "forked";
    case AwaitAnswer::limit_reached:
      return "limit_reached";
    case AwaitAnswer::interrupted:
      return "interrupted";
  }
  return "?";
}

// Of a wait for a condition: whether the caller holds its mutex now.
[[nodiscard]] constexpr bool holds_mutex(AwaitAnswer answer) noexcept {
  return answer == AwaitAnswer::happened || answer == AwaitAnswer::timed_out ||
         answer == AwaitAnswer::owner_died || answer == AwaitAnswer::interrupted;
}

namespace internal {

// Of a wait without a mutex.
[[nodiscard]] constexpr AwaitAnswer await_answer(LockAnswer answer) noexcept {
  switch (answer) {
    case LockAnswer::acquired:
    case LockAnswer::released:
      return AwaitAnswer::happened;
    case LockAnswer::owner_died:
      return AwaitAnswer::party_died;
    case LockAnswer::timed_out:
      return AwaitAnswer::timed_out;
    case LockAnswer::would_deadlock:
    case LockAnswer::not_owner:
      return AwaitAnswer::not_owner;
    case LockAnswer::retired:
      return AwaitAnswer::retired;
    case LockAnswer::orphaned:
      return AwaitAnswer::orphaned;
    case LockAnswer::damaged:
      return AwaitAnswer::damaged;
    case LockAnswer::forked:
      return AwaitAnswer::forked;
    case LockAnswer::interrupted:
      return AwaitAnswer::interrupted;
    case LockAnswer::limit_reached:
      break;
  }
  return AwaitAnswer::limit_reached;
}

}  // namespace internal
}  // namespace kith
