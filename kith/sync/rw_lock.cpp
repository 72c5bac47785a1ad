#include "kith/sync/rw_lock.hpp"

#include "kith/sync/internal/lock_errors.hpp"

namespace kith {
namespace {

// Gives the lock to the next one if the repair throws.
class Repairing {
 public:
  explicit Repairing(internal::RwLockState& state) : state_(state) {}
  ~Repairing() {
    if (!done_) static_cast<void>(state_.release_exclusive());
  }
  Repairing(const Repairing&) = delete;
  Repairing& operator=(const Repairing&) = delete;
  void done() noexcept { done_ = true; }

 private:
  internal::RwLockState& state_;
  bool done_ = false;
};

}  // namespace

bool RwLock::settle_slowly(LockAnswer answer) {
  if (answer == LockAnswer::timed_out) return false;
  if (answer == LockAnswer::owner_died && repair_ != nullptr) {
    Repairing repairing(*state_);
    const bool repaired = repair_->repair();
    repairing.done();
    // It may have declared that itself; or released it, and then it is not ours.
    answer = repaired ? state_->declare_consistent() : state_->retire();
    if (holds(answer)) return true;
  } else if (answer == LockAnswer::owner_died) {
    static_cast<void>(state_->release_exclusive());
  }
  throw_answer(answer);
}

bool RwLock::settle_shared_slowly(LockAnswer answer) {
  if (answer != LockAnswer::owner_died) return settle_slowly(answer);
  settle_slowly(answer);
  const LockAnswer shared = state_->downgrade();
  if (shared == LockAnswer::acquired) return true;
  static_cast<void>(state_->release_exclusive());
  throw_answer(shared);
}

void RwLock::throw_answer(LockAnswer answer) const {
  throw internal::lock_error(answer, state_->object());
}

void RwLock::close() noexcept {
  delete std::exchange(state_, nullptr);
  delete std::exchange(repair_, nullptr);
}

}  // namespace kith
