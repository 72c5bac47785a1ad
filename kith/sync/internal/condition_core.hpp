// ConditionCore: an event count beside a mutex. Who waits arrives while it holds the mutex, so
// whoever changes what the mutex guards afterwards finds it.
#pragma once

#include <chrono>
#include <span>

#include "kith/base/deadline.hpp"
#include "kith/sync/internal/event_count.hpp"
#include "kith/sync/internal/lock_witness.hpp"
#include "kith/sync/internal/waiting.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

class ConditionCore {
 public:
  ConditionCore(EventCount::Word& announced, const WaitPatience& patience) noexcept
      : announced_(announced), patience_(patience) {}

  void notify(Wake whom) noexcept { announced_.announce(whom); }

  // By who holds the mutex, which is given up next.
  [[nodiscard]] EventCount::Ticket arrive() noexcept { return announced_.prepare(); }

  // acquired: it was notified, or perhaps not: one who was to notify may have died before it did,
  // so after a slice all look for themselves; timed_out, interrupted, orphaned, damaged.
  LockAnswer sleep(EventCount::Ticket ticket, const LockWitness& witness,
                   Deadline deadline) noexcept {
    const os::Slept slept =
        witness.sleep(announced_.word(), ticket, {}, deadline.within(patience_.slice));
    if (announced_.has_moved(ticket)) return LockAnswer::acquired;
    const LockAnswer memory = witness.memory();
    if (memory != LockAnswer::acquired) return memory;
    if (slept == os::Slept::interrupted && deadline.is_interruptible()) {
      return LockAnswer::interrupted;
    }
    return deadline.has_passed() ? LockAnswer::timed_out : LockAnswer::acquired;
  }

 private:
  EventCount announced_;
  WaitPatience patience_;
};

}  // namespace kith::internal
