#include "kith/sync/condition.hpp"

#include <algorithm>
#include <chrono>

#include "kith/os/fork.hpp"
#include "kith/sync/internal/condition_core.hpp"
#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/named_lock.hpp"

namespace kith {
namespace internal {

constexpr std::chrono::milliseconds kMutexPatience{10};

class ConditionState final : public LockHandle {
 public:
  ConditionState(LockSite* site, ConditionWords& words)
      : LockHandle(site), core_(words.announced, kSpinning) {
    const os::ForkGuard guard;
    join();
  }

  void notify(Wake whom) noexcept { core_.notify(whom); }

  AwaitAnswer wait(Mutex& mutex, Deadline deadline) noexcept {
    const LockAnswer held = mutex.check();
    // Given back once, it would still be held, and nobody could change anything.
    if (held == LockAnswer::retired) return AwaitAnswer::retired;
    if (!holds(held) || mutex.facts().recursions != 0) return AwaitAnswer::not_owner;
    LockAnswer slept{};
    if (become_known(slept) == 0) return lost(mutex, slept);
    const EventCount::Ticket ticket = core_.arrive();
    if (const LockAnswer given = mutex.release(); given != LockAnswer::released) {
      return await_answer(given);
    }
    slept = core_.sleep(ticket, *this, deadline);
    // A holder that goes on is let finish; one that is stopped does not keep us. No signal does.
    const Deadline patience = std::max(deadline, Deadline::after(kMutexPatience));
    const LockAnswer taken = mutex.acquire(patience.interruptible(false));
    if (taken == LockAnswer::timed_out) return AwaitAnswer::mutex_busy;
    if (!holds(taken)) return await_answer(taken);
    const bool gone = slept == LockAnswer::orphaned || slept == LockAnswer::damaged;
    if (gone) return lost(mutex, slept);
    if (taken == LockAnswer::owner_died) return AwaitAnswer::owner_died;
    return await_answer(slept);
  }

 private:
  // The condition cannot be waited for any more: its mutex is not held, as the answer says.
  static AwaitAnswer lost(Mutex& mutex, LockAnswer why) noexcept {
    static_cast<void>(mutex.release());
    return await_answer(why);
  }

  ConditionCore core_;
};

template class HandleOf<ConditionState>;

}  // namespace internal

using internal::ConditionState;

Condition::Condition(const Domain& domain, const std::string& name, ConditionOptions options)
    : HandleOf(internal::open_named<ConditionState, internal::ConditionWords>(
          domain, name, LockKind::condition, options.lifetime, options.rights)) {}

Condition::Condition(const RegionHandle& region, const ConditionCell& cell, ConditionOptions)
    : HandleOf(internal::open_embedded<ConditionState>(region.mapped(), cell.words_,
                                                       LockKind::condition)) {}

void Condition::notify_one() noexcept {
  state().notify(internal::Wake::one);
}
void Condition::notify_all() noexcept {
  state().notify(internal::Wake::all);
}
AwaitAnswer Condition::wait(Mutex& mutex, Deadline deadline) noexcept {
  return state().wait(mutex, deadline);
}

}  // namespace kith
