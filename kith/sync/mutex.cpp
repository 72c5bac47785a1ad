#include "kith/sync/mutex.hpp"

#include "kith/base/error.hpp"
#include "kith/sync/internal/lock_errors.hpp"

namespace kith {
namespace {

// Gives the mutex to the next one if the repair throws.
class Repairing {
 public:
  explicit Repairing(internal::MutexState& state) : state_(state) {}
  ~Repairing() {
    if (!done_) static_cast<void>(state_.release());
  }
  Repairing(const Repairing&) = delete;
  Repairing& operator=(const Repairing&) = delete;
  void done() noexcept { done_ = true; }

 private:
  internal::MutexState& state_;
  bool done_ = false;
};

}  // namespace

bool Mutex::settle_slowly(LockAnswer answer) {
  if (answer == LockAnswer::timed_out) return false;
  if (answer == LockAnswer::owner_died && repair_ != nullptr) {
    Repairing repairing(*state_);
    const bool repaired = repair_->repair();
    repairing.done();
    // It may have declared that itself; or released it, and then it is not ours.
    answer = repaired ? state_->declare_consistent() : state_->retire();
    if (holds(answer)) return true;
  } else if (answer == LockAnswer::owner_died) {
    static_cast<void>(state_->release());
  }
  throw internal::lock_error(answer, state_->object());
}

void Mutex::throw_unlock(LockAnswer answer) const {
  throw internal::lock_error(answer, state_->object());
}

void Mutex::close() noexcept {
  delete std::exchange(state_, nullptr);
  delete std::exchange(repair_, nullptr);
}

}  // namespace kith
