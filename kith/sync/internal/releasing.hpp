// Releasing: gives a lock back at the end of a scope, also where a user's function throws.
#pragma once

namespace kith::internal {

// A Lock here, in guarded_core.hpp and once_core.hpp, is a mutex as one handle sees it:
// acquire(deadline), release(), declare_consistent(); taker(), as which member this process takes
// it: another one in a child that was forked, whatever that did meanwhile, and found without a look
// at the lock's word, which is slow right after an exchange of it; is_damaged(), asked after its
// memory was used.
template <class Lock>
class Releasing {
 public:
  explicit Releasing(Lock& lock) noexcept : lock_(lock) {}
  [[gnu::always_inline]] ~Releasing() { static_cast<void>(lock_.release()); }
  Releasing(const Releasing&) = delete;
  Releasing& operator=(const Releasing&) = delete;

 private:
  Lock& lock_;
};

}  // namespace kith::internal
