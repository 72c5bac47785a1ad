// GuardedCore: the algorithm of a guarded value, over words: a mutex, a version, and two slots.
//
// The slot that the version's lowest bit names holds the value; the other is scratch. A change is
// made in private memory, under the mutex; it is copied to scratch and committed by one store, of
// the next version. So whoever is killed at any instruction leaves the last committed value, and
// the next holder has nothing to repair.
//
// Who reads without the mutex copies the slot and looks at the version again, as with a seqlock.
// With two slots a whole commit must have gone by to spoil the copy, not merely have begun. The
// words are stored with release and loaded with acquire, instead of fences: on x86 and with the
// loads and stores of ARM 8.3 that costs the same, and thread sanitizers understand it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/sync/guarded_answer.hpp"
#include "kith/sync/internal/releasing.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

// How many words a slot for so many bytes has.
[[nodiscard]] constexpr std::size_t guarded_words(std::size_t size) noexcept {
  return (size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
}

// `size`, the same in all calls, is an argument so that it is a constant where T is known.
class GuardedCore {
 public:
  using Word = RealAtomics::Word<std::uint64_t>;

  // `version` counts commits.
  GuardedCore(Word& version, Word* even, Word* odd) noexcept
      : version_(&version), slots_{even, odd} {}

  // `function(shadow)` changes the copy of the value that it finds there; false: leave it.
  template <class Lock, class Function>
  [[gnu::always_inline]] GuardedAnswer change(Lock& lock, std::byte* shadow, std::size_t size,
                                              Deadline deadline, Function&& function) {
    const LockAnswer taken = lock.acquire(deadline);
    if (!holds(taken)) [[unlikely]]
      return not_locked(taken);
    const Releasing<Lock> releasing(lock);
    const std::uint64_t taker = lock.taker();
    copy_current(shadow, size);
    if (!function(shadow)) return GuardedAnswer::unchanged;
    // The parent holds the lock, and will commit.
    if (lock.taker() != taker) [[unlikely]]
      return GuardedAnswer::forked;
    commit(shadow, size);
    return committed(lock, taken);
  }

  // The same without a look at the value.
  template <class Lock>
  [[gnu::always_inline]] GuardedAnswer set(Lock& lock, const std::byte* value, std::size_t size,
                                           Deadline deadline) {
    const LockAnswer taken = lock.acquire(deadline);
    if (!holds(taken)) [[unlikely]]
      return not_locked(taken);
    const Releasing<Lock> releasing(lock);
    commit(value, size);
    return committed(lock, taken);
  }

  // Takes the lock only if commits went by three times while it looked. A death that it finds then
  // is left for the next who commits to be told of.
  template <class Lock>
  [[gnu::always_inline]] GuardedAnswer read(Lock& lock, std::byte* to, std::size_t size,
                                            Deadline deadline) const {
    for (int tries = 0; tries < kTries; ++tries) {
      if (try_read(to, size)) [[likely]]
        return lock.is_damaged() ? GuardedAnswer::damaged : GuardedAnswer::value;
    }
    const LockAnswer taken = lock.acquire(deadline);
    if (!holds(taken)) return not_locked(taken);
    const Releasing<Lock> releasing(lock);
    copy_current(to, size);
    return lock.is_damaged() ? GuardedAnswer::damaged : GuardedAnswer::value;
  }

  // How often it was committed.
  [[nodiscard]] std::uint64_t version() const noexcept {
    // relaxed: read() looks at the same word, and sees nothing older.
    return version_->load(std::memory_order_relaxed);
  }

 private:
  static constexpr int kTries = 3;
  static constexpr std::size_t kWord = sizeof(std::uint64_t);

  template <class Lock>
  [[gnu::always_inline]] static GuardedAnswer committed(Lock& lock, LockAnswer taken) noexcept {
    if (lock.is_damaged()) [[unlikely]]
      return GuardedAnswer::damaged;
    if (taken == LockAnswer::acquired) [[likely]]
      return GuardedAnswer::committed;
    static_cast<void>(lock.declare_consistent());
    return GuardedAnswer::committed_after_death;
  }

  // Whoever holds the lock, of what nobody else changes meanwhile.
  [[gnu::always_inline]] void copy_current(std::byte* to, std::size_t size) const noexcept {
    // relaxed, also the words: the lock was given back after they were written, and taken since.
    // equivalent if remembered: as long as it is held.
    const std::uint64_t version = version_->load(std::memory_order_relaxed);
    copy_out(slots_[version & 1], to, size, std::memory_order_relaxed);
  }

  // Whoever holds the lock.
  [[gnu::always_inline]] void commit(const std::byte* from, std::size_t size) noexcept {
    // equivalent if remembered: nobody else changes it while the lock is held.
    const std::uint64_t next = version_->load(std::memory_order_relaxed) + 1;
    Word* const slot = slots_[next & 1];
    // Unrolled, here and below, so that what is changed is kept in registers where it fits.
#pragma GCC unroll 16
    for (std::size_t i = 0; i < size / kWord; ++i) store(slot[i], from + i * kWord, kWord);
    if (size % kWord != 0) store(slot[size / kWord], from + size / kWord * kWord, size % kWord);
    // release: publishes the slot to whoever reads this version without the lock.
    version_->store(next, std::memory_order_release);  // commit
  }

  // Without the lock. False if the slot was, or may have been, written meanwhile.
  [[gnu::always_inline]] bool try_read(std::byte* to, std::size_t size) const noexcept {
    // acquire: the slot as it was committed; pairs with the store of commit().
    const std::uint64_t before = version_->load(std::memory_order_acquire);
    // acquire: a word of a later change brings with it the version between, stored before it; pairs
    // with the release in store().
    copy_out(slots_[before & 1], to, size, std::memory_order_acquire);
    // relaxed: the words were acquired, so nothing older is seen than what they came after.
    return version_->load(std::memory_order_relaxed) == before;
  }

  [[gnu::always_inline]] static void copy_out(const Word* slot, std::byte* to, std::size_t size,
                                              std::memory_order order) noexcept {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < size / kWord; ++i) load(slot[i], to + i * kWord, kWord, order);
    if (size % kWord != 0) load(slot[size / kWord], to + size / kWord * kWord, size % kWord, order);
  }
  [[gnu::always_inline]] static void load(const Word& word, std::byte* to, std::size_t size,
                                          std::memory_order order) noexcept {
    const std::uint64_t bits = word.load(order);
    std::memcpy(to, &bits, size);
  }
  [[gnu::always_inline]] static void store(Word& word, const std::byte* from,
                                           std::size_t size) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, from, size);
    // release: whoever reads this without the lock sees that the version is another by now.
    word.store(bits, std::memory_order_release);
  }

  Word* version_;
  std::array<Word*, 2> slots_;
};

}  // namespace kith::internal
