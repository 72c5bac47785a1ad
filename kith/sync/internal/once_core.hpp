// OnceCore: the algorithm of what is run once: a mutex, and a word that says that it is done.
//
// Who finds the word set has nothing to do. Everybody else takes the mutex, looks again, runs it,
// and sets the word before it gives the mutex back. Who dies running it dies holding the mutex, so
// the next one is told. Who dies after it set the word leaves a mutex that nobody needs any more.
#pragma once

#include <cstdint>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/sync/internal/releasing.hpp"
#include "kith/sync/lock_answer.hpp"
#include "kith/sync/once_answer.hpp"

namespace kith::internal {

class OnceCore {
 public:
  using Word = RealAtomics::Word<std::uint64_t>;

  // `done` is 0 until it is.
  explicit OnceCore(Word& done) noexcept : done_(&done) {}

  [[nodiscard]] [[gnu::always_inline]] bool is_done() const noexcept {
    // acquire: what was done before is there; pairs with the release in run().
    // equivalent if remembered: run() looks again.
    return done_->load(std::memory_order_acquire) != 0;
  }

  // `function(again_after_death)`.
  template <class Lock, class Function>
  OnceAnswer run(Lock& lock, Deadline deadline, Function&& function) {
    const LockAnswer taken = lock.acquire(deadline);
    if (!holds(taken)) return is_done() ? OnceAnswer::done_before : not_run(taken);
    const Releasing<Lock> releasing(lock);
    // relaxed: whoever set it has given the lock back since, or is dead.
    if (done_->load(std::memory_order_relaxed) != 0) return OnceAnswer::done_before;
    const bool again = taken == LockAnswer::owner_died;
    const std::uint64_t taker = lock.taker();
    function(again);
    // The parent holds the lock, and will say whether it is done.
    if (lock.taker() != taker) return OnceAnswer::forked;
    // release: what the function did is there for all who find it done.
    done_->store(1, std::memory_order_release);
    if (lock.is_damaged()) return OnceAnswer::damaged;
    if (!again) return OnceAnswer::ran;
    static_cast<void>(lock.declare_consistent());
    return OnceAnswer::ran_after_death;
  }

 private:
  Word* done_;
};

}  // namespace kith::internal
