// OwnedLock: a LockHandle on what one thread of one process owns, for as long as it lives: a mutex,
// or a read-write lock while it is written.
#pragma once

#include <cstdint>
#include <utility>

#include "kith/sync/internal/lock_handle.hpp"
#include "kith/sync/internal/mutex_core.hpp"
#include "kith/sync/internal/threads.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

// How often who waits for it looks before it sleeps; and a writer, whether all readers have left.
// All of the looks take 2 to 5 us: less than a wake, from the call until the sleeper runs, which
// took 5 to 40 us where it was tried.
[[nodiscard]] constexpr MutexPatience patience_of_owned_lock() noexcept {
  MutexPatience patience;
  patience.looks = 12;
  return patience;
}

// `Core` has a MutexWord, and a verb of the same name for each of these.
template <class Core>
class OwnedLock : public LockHandle, protected HeldByThreads {
 public:
  LockAnswer declare_consistent() noexcept {
    const std::uint64_t me = this->me();
    return me != 0 ? core_.declare_consistent(me) : LockAnswer::not_owner;
  }
  LockAnswer retire() noexcept {
    const std::uint64_t me = this->me();
    return me != 0 ? core_.retire(me) : LockAnswer::not_owner;
  }
  // acquired or owner_died if the calling thread owns it.
  [[nodiscard]] LockAnswer check() noexcept {
    const std::uint64_t me = this->me();
    return me != 0 ? core_.check(me) : LockAnswer::not_owner;
  }

 protected:
  // Takes the site, which lies at `place`, over; the rest is what makes the core.
  template <class... Arguments>
  OwnedLock(LockSite* site, const LockPlace& place, Arguments&&... arguments) noexcept
      : LockHandle(site), HeldByThreads(place), core_(std::forward<Arguments>(arguments)...) {}

  void thread_ends(std::uint32_t thread) noexcept override {
    if (is_ours()) core_.abandon(MutexWord::of(last_member(), thread));
  }
  // At the end of a handle. True if it was the last one on it in this process, which then does not
  // own it any more: nobody could give it back.
  [[nodiscard]] bool abandon_last(const RealAtomics::Word<std::uint64_t>& mutex) noexcept {
    const bool was_last = delist();
    if (!was_last || !is_ours()) return false;
    // relaxed: what one of our threads put there.
    const std::uint64_t word = mutex.load(std::memory_order_relaxed);
    const bool owned = MutexWord::is_held(word) && MutexWord::member(word) == last_member();
    if (owned) core_.abandon(MutexWord::holder(word));
    return true;
  }

  Core core_;

 private:
  [[nodiscard]] std::uint64_t holds_as() const noexcept override {
    return is_ours() ? last_member() : 0;
  }
};

}  // namespace kith::internal
