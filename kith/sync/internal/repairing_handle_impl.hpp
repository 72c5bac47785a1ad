// The members of RepairingHandle, for the source that knows its State.
#pragma once

#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/lock_errors.hpp"
#include "kith/sync/internal/repairing_handle.hpp"

namespace kith::internal {

// Gives the lock to the next one if the repair throws.
template <class State, auto kRelease>
class Repairing {
 public:
  explicit Repairing(State& state) : state_(state) {}
  ~Repairing() {
    if (!done_) static_cast<void>((state_.*kRelease)());
  }
  Repairing(const Repairing&) = delete;
  Repairing& operator=(const Repairing&) = delete;
  void done() noexcept { done_ = true; }

 private:
  State& state_;
  bool done_ = false;
};

template <class State, auto kRelease>
bool RepairingHandle<State, kRelease>::settle_slowly(LockAnswer answer) {
  if (answer == LockAnswer::timed_out) return false;
  State& state = this->state();
  if (answer == LockAnswer::owner_died && repair_ != nullptr) {
    Repairing<State, kRelease> repairing(state);
    const bool repaired = repair_->repair();
    repairing.done();
    // It may have declared that itself; or released it, and then it is not ours.
    answer = repaired ? state.declare_consistent() : state.retire();
    if (holds(answer)) return true;
  } else if (answer == LockAnswer::owner_died) {
    static_cast<void>((state.*kRelease)());
  }
  throw_answer(answer);
}

template <class State, auto kRelease>
void RepairingHandle<State, kRelease>::throw_answer(LockAnswer answer) const {
  throw lock_error(answer, this->state().object());
}

}  // namespace kith::internal
