#include "kith/sync/mutex.hpp"

#include "kith/base/error.hpp"

namespace kith {
namespace {

// What a guard of the standard library cannot be told by a return value.
Error error_of(LockAnswer answer, const std::string& object) {
  switch (answer) {
    case LockAnswer::owner_died:
      return Error(Errc::owner_died,
                   {.object = object,
                    .expected = "what it guards to be whole",
                    .found = "a holder that died, and nobody has repaired it",
                    .remedy = "take it with acquire(), repair, and declare_consistent(); or open "
                              "it with a repair function"});
    case LockAnswer::would_deadlock:
      return Error(Errc::would_deadlock, {.object = object,
                                          .expected = {},
                                          .found = {},
                                          .remedy = "release it first, or open it as recursive"});
    case LockAnswer::not_owner:
      return Error(Errc::not_owner, {.object = object, .expected = {}, .found = {}, .remedy = {}});
    case LockAnswer::retired:
      return Error(Errc::retired, {.object = object,
                                   .expected = "a mutex that can be taken",
                                   .found = "what it guards could not be repaired",
                                   .remedy = "start anew: end its users, remove the object with "
                                             "`kith rm`, and create it again"});
    case LockAnswer::orphaned:
      return Error(Errc::orphaned, {.object = object,
                                    .expected = {},
                                    .found = {},
                                    .remedy = "open it anew, together with those who hold it"});
    case LockAnswer::damaged:
      return Error(Errc::damaged, {.object = object,
                                   .expected = "its file as it was opened",
                                   .found = "one that was cut short",
                                   .remedy = "remove it with `kith rm --force`"});
    case LockAnswer::forked:
      return Error(Errc::forked, {.object = object,
                                  .expected = "a member of the domain",
                                  .found = "a forked child that could not join it",
                                  .remedy = "open it in the child: the error then says why"});
    default:
      return Error(Errc::limit_reached,
                   {.object = object,
                    .expected = "at most " + std::to_string(internal::MutexWord::kThreadsMax - 1) +
                                " threads of a process that use locks, and a million recursions",
                    .found = "more",
                    .remedy = "end some threads, or release it as often as it is taken"});
  }
}

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
  throw error_of(answer, state_->object());
}

void Mutex::throw_unlock(LockAnswer answer) const {
  throw error_of(answer, state_->object());
}

void Mutex::close() noexcept {
  delete std::exchange(state_, nullptr);
  delete std::exchange(repair_, nullptr);
}

}  // namespace kith
