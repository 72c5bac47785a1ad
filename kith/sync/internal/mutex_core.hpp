// MutexCore: the algorithm of the mutex, over one cell of shared memory.
//
// Free, held or retired is what the word says (mutex_word.hpp), decided by one compare-exchange.
// Waiters mark the word and sleep on it, as in U. Drepper's "Futexes are tricky" (2011), mutex 3;
// that the starving are let by is after Go's sync.Mutex (2016), with the difference that a
// reservation binds newcomers for a moment only: the one it is kept for may be dead, or stopped.
//
// A holder that died is found by its owner word. Whoever waits asks after it when nothing has moved
// for a slice, or when it was woken and nothing has: a hint is enough to look, and the truth is the
// life lock. Since a dead process changes no words, and its incarnation never comes back, the
// exchange of a dead holder for a living one has one winner.
//
// Every wait ends: at its deadline, by a wake, or after a slice. A wake that was lost, because the
// one to wake or the one woken was killed, costs a slice and no more.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/member/member_id.hpp"
#include "kith/os/futex.hpp"
#include "kith/sync/internal/lock_witness.hpp"
#include "kith/sync/internal/mutex_word.hpp"
#include "kith/sync/internal/spinning.hpp"
#include "kith/sync/internal/wait_steps.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

// What of a mutex lies in shared memory. All zero: free.
struct MutexWords {
  RealAtomics::Word<std::uint64_t> word;
  // How often more its holder took it, while the word says that it did; its holder's alone.
  RealAtomics::Word<std::uint64_t> depth;
  // For people: a holder that somebody waited for, and since when (CLOCK_MONOTONIC, ns). Two words
  // that are not written as one: they tell about the holder of now only if it is the same.
  RealAtomics::Word<std::uint64_t> waited_for;
  RealAtomics::Word<std::uint64_t> waited_since;
};
static_assert(sizeof(MutexWords) == 32);

struct MutexPatience {
  // After which a sleeper looks whether the holder lives.
  std::chrono::nanoseconds slice = std::chrono::milliseconds(100);
  // For which a newcomer leaves a free mutex to one who is starving.
  std::chrono::nanoseconds reserved = std::chrono::milliseconds(1);
  // How often one may be too late before the mutex is reserved for it.
  std::uint32_t losses = 4;
  // How often one looks at a busy word before it sleeps, at most (spinning.hpp).
  std::uint32_t looks = 0;
};

class MutexCore {
 public:
  class Waiting;

  explicit MutexCore(MutexWords& words, const MutexPatience& patience = {}) noexcept
      : words_(&words), patience_(patience), spinning_(patience.looks) {}

  // One exchange of a mutex that nobody uses. `me` is MutexWord::of(...).
  [[gnu::always_inline]] bool acquire_free(std::uint64_t me) noexcept {
    std::uint64_t free = 0;
    // acquire: what the last holder left is there; pairs with the release of whoever gave it back.
    // equivalent if skipped: acquire() takes it as well.
    return words_->word.compare_exchange_strong(free, me, std::memory_order_acquire,
                                                std::memory_order_relaxed);
  }
  // One exchange of a mutex for which nobody waits, that is consistent, and was taken once.
  [[gnu::always_inline]] bool release_quiet(std::uint64_t me) noexcept {
    std::uint64_t held = me;
    // release: publishes what was done while it was held to the next holder.
    // equivalent if skipped: release() gives it back as well.
    return words_->word.compare_exchange_strong(held, 0, std::memory_order_release,
                                                std::memory_order_relaxed);
  }

  // Whatever stands there. `recursive`: who holds it may take it again.
  LockAnswer acquire(std::uint64_t me, bool recursive, const LockWitness& witness,
                     Deadline deadline) noexcept {
    Waiting wait(*this, me, recursive, witness);
    bool moved = true;  // while we slept, if we have
    bool interrupted = false;
    for (;;) {
      const bool last = interrupted || deadline.has_passed();
      if (const std::optional<LockAnswer> answer = wait.look(last)) return *answer;
      if (last) return end(wait, interrupted ? LockAnswer::interrupted : LockAnswer::timed_out);
      if (wait.was_too_late()) continue;
      if (!moved) {
        const LockAnswer memory = witness.memory();
        if (memory != LockAnswer::acquired) return end(wait, memory);
      }
      if (const std::optional<LockAnswer> answer = wait.spin()) return *answer;
      const Rest rest = wait.prepare(deadline);
      if (rest.word == nullptr) {
        moved = true;
        continue;
      }
      MemberId holder;
      const std::size_t count = wait.holders({&holder, 1});
      const os::Slept slept =
          witness.sleep(*rest.word, rest.expected, std::span(&holder, count), rest.until);
      interrupted = slept == os::Slept::interrupted && deadline.is_interruptible();
      moved = wait.woke();
      if (!moved) wait.doubt();
    }
  }

  LockAnswer release(std::uint64_t me) noexcept {
    // equivalent if remembered: only its holder puts its name there or takes it away.
    const std::uint64_t word = words_->word.load(std::memory_order_relaxed);
    if (MutexWord::is_retired(word)) return LockAnswer::retired;
    if (MutexWord::holder(word) != me) return LockAnswer::not_owner;
    if ((word & MutexWord::kNested) == 0) {
      give_back();
      return LockAnswer::released;
    }
    // relaxed: only its holder looks at the depth.
    // equivalent if remembered: and only its holder changes it.
    const std::uint64_t depth = words_->depth.load(std::memory_order_relaxed);
    if (depth > 1) {
      words_->depth.store(depth - 1, std::memory_order_relaxed);
    } else {
      // relaxed: it tells its holder alone.
      words_->word.fetch_and(~MutexWord::kNested, std::memory_order_relaxed);
    }
    return LockAnswer::released;
  }

  // What it guards is whole again.
  LockAnswer declare_consistent(std::uint64_t me) noexcept {
    const LockAnswer answer = check(me);
    // relaxed: the next holder learns of the repair by the release.
    if (holds(answer)) words_->word.fetch_and(~MutexWord::kInconsistent, std::memory_order_relaxed);
    return answer;
  }
  // Nobody gets it any more.
  LockAnswer retire(std::uint64_t me) noexcept {
    const LockAnswer answer = check(me);
    if (!holds(answer)) return answer;
    words_->word.store(MutexWord::kRetired, std::memory_order_relaxed);
    os::futex_wake_all(words_->word);
    return LockAnswer::retired;
  }
  // For a thread that ends, or a handle that closes, while it holds the mutex: as if it had died.
  void abandon(std::uint64_t me) noexcept {
    if (holder_now() != me) return;
    // relaxed: still ours.
    words_->word.fetch_or(MutexWord::kInconsistent, std::memory_order_relaxed);
    give_back();
  }

  // For a reaper: if the dead member held it, nobody does any more, and the next one is told.
  void heal(std::uint64_t dead_member) noexcept {
    // Two marks can be raised in between, each once.
    for (int tries = 0; tries < 3; ++tries) {
      // equivalent if remembered: an exchange that fails shows what is there.
      std::uint64_t word = words_->word.load(std::memory_order_relaxed);
      const bool is_its = MutexWord::member(word) == (dead_member & kOwnerMask);
      if (!MutexWord::is_held(word) || !is_its) return;
      // release: whoever takes it next sees what the dead one did, as we do since its lock is free.
      const std::uint64_t freed = MutexWord::kInconsistent | (word & MutexWord::kStarving);
      if (words_->word.compare_exchange_strong(word, freed, std::memory_order_release,
                                               std::memory_order_relaxed)) {
        os::futex_wake_all(words_->word);
        return;
      }
    }
  }

  // What waiting by this handle has taught so far.
  [[nodiscard]] std::uint32_t looks_allowed() const noexcept { return spinning_.allowed(); }

  // acquired if `me` holds it, owner_died if it is inconsistent besides; or why not.
  [[nodiscard]] LockAnswer check(std::uint64_t me) const noexcept {
    // equivalent if remembered: as in release(); nor does anybody but its holder repair it.
    const std::uint64_t word = words_->word.load(std::memory_order_relaxed);
    if (MutexWord::is_retired(word)) return LockAnswer::retired;
    if (MutexWord::holder(word) != me) return LockAnswer::not_owner;
    const bool inconsistent = (word & MutexWord::kInconsistent) != 0;
    return inconsistent ? LockAnswer::owner_died : LockAnswer::acquired;
  }

  // One wait for it, in steps (wait_steps.hpp); acquire() is made of them.
  class Waiting {
   public:
    Waiting(MutexCore& mutex, std::uint64_t me, bool recursive, const LockWitness& witness) noexcept
        : mutex_(&mutex), witness_(&witness), me_(me), recursive_(recursive) {}

    // What the caller holds already, it is told at once.
    [[nodiscard]] std::optional<LockAnswer> look(bool last) noexcept {
      // relaxed: what it shows is used only after an exchange of it has succeeded.
      // equivalent if remembered: an exchange that fails shows what is there.
      word_ = mutex_->words_->word.load(std::memory_order_relaxed);
      if (MutexWord::is_retired(word_)) return LockAnswer::retired;
      if (MutexWord::holder(word_) == me_) return mutex_->again(recursive_);
      was_too_late_ = may_take(last);
      if (was_too_late_) return take(word_);
      return std::nullopt;
    }
    // It was to be had, and somebody was faster.
    [[nodiscard]] bool was_too_late() const noexcept { return was_too_late_; }

    // Takes it if it comes free within a moment, and is not kept for anybody.
    [[nodiscard]] std::optional<LockAnswer> spin() noexcept {
      std::optional<LockAnswer> answer;
      if (!MutexWord::is_held(word_)) return answer;
      static_cast<void>(mutex_->spinning_.until(looks_, [&] {
        // relaxed: as in look(). Looked at before it is tried, because an exchange that fails takes
        // the line from its holder all the same.
        const std::uint64_t word = mutex_->words_->word.load(std::memory_order_relaxed);
        const bool kept = MutexWord::is_held(word) || (word & MutexWord::kStarving) != 0;
        if (!kept && !MutexWord::is_retired(word)) answer = take(word);
        return answer.has_value();
      }));
      return answer;
    }

    // Marks what was looked at last.
    [[nodiscard]] Rest prepare(Deadline deadline) noexcept {
      if (slept_ && moved_) ++losses_;
      moved_ = false;
      const std::uint64_t marks = MutexWord::kWaiters | (is_starving() ? MutexWord::kStarving : 0);
      marked_ = word_ | marks;
      kept_ = !MutexWord::is_held(word_);
      // relaxed: it asks for a wake, and says nothing else. Who gives the mutex back changes the
      // same word, and so either sees the mark or makes the exchange, or the sleep, fail.
      if (marked_ != word_ &&
          !mutex_->words_->word.compare_exchange_strong(word_, marked_, std::memory_order_relaxed,
                                                        std::memory_order_relaxed)) {
        moved_ = true;
        doubts_ = false;
        return {};
      }
      if (!kept_ && (word_ & MutexWord::kWaiters) == 0) mutex_->note_wait(word_);
      const MutexPatience& patience = mutex_->patience_;
      return {&mutex_->words_->word, static_cast<std::uint32_t>(marked_),
              deadline.within(kept_ ? patience.reserved : patience.slice)};
    }
    [[nodiscard]] std::size_t holders(Holders into) const noexcept {
      if (kept_) return 0;
      into[0] = owner_of(marked_);
      return 1;
    }
    bool woke() noexcept {
      slept_ = true;
      doubts_ = false;
      moved_ = mutex_->words_->word.load(std::memory_order_relaxed) != marked_;
      return moved_;
    }
    void doubt() noexcept { doubts_ = !moved_; }

    // A wake that we had may have been another's, and its mark gone with it.
    void give_up() noexcept {
      if (!slept_) return;
      // relaxed: as in prepare().
      const std::uint64_t word =
          mutex_->words_->word.fetch_or(MutexWord::kWaiters, std::memory_order_relaxed);
      if (!MutexWord::is_held(word)) os::futex_wake_one(mutex_->words_->word);
    }

   private:
    [[nodiscard]] bool is_starving() const noexcept { return losses_ >= mutex_->patience_.losses; }
    [[nodiscard]] bool may_take(bool last) const noexcept {
      if (!MutexWord::is_held(word_)) {
        const bool reserved = (word_ & MutexWord::kStarving) != 0;
        // Whom it is kept for has not come.
        const bool over = doubts_ && kept_;
        // Who does not wait longer is not bound: it would find the lock kept for somebody for ever,
        // if that one has given up, or is dead.
        return !reserved || is_starving() || over || last;
      }
      const MemberId holder = owner_of(word_);
      return (doubts_ || witness_->may_be_dead(holder)) &&
             witness_->liveness(holder) == Liveness::dead;
    }

    // From nobody, or from one who is dead.
    [[nodiscard]] std::optional<LockAnswer> take(std::uint64_t word) noexcept {
      MutexWords& words = *mutex_->words_;
      const std::uint64_t inconsistent =
          MutexWord::is_held(word) ? MutexWord::kInconsistent : word & MutexWord::kInconsistent;
      // Others may be asleep whose mark went when we were woken.
      const std::uint64_t waiters = slept_ ? MutexWord::kWaiters : word & MutexWord::kWaiters;
      // acquire: as acquire_free(). What a dead holder did is visible since its lock was free.
      if (!words.word.compare_exchange_strong(word, me_ | waiters | inconsistent,
                                              std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
        return std::nullopt;
      }
      return inconsistent == 0 ? LockAnswer::acquired : LockAnswer::owner_died;
    }

    MutexCore* mutex_;
    const LockWitness* witness_;
    std::uint64_t me_;
    std::uint64_t word_ = 0;    // as it was looked at last
    std::uint64_t marked_ = 0;  // and what was slept on
    std::uint32_t losses_ = 0;  // how often it went to another while we waited
    bool recursive_;
    bool was_too_late_ = false;
    bool kept_ = false;    // it was free, and kept for one who starves
    bool slept_ = false;   // so the wake that we had may have been meant for others
    bool moved_ = false;   // since
    bool doubts_ = false;  // its holder may be dead
    Spinning::Looks looks_;
  };

 private:
  [[nodiscard]] std::uint64_t holder_now() const noexcept {
    // relaxed: only we store our own name. equivalent if remembered: for the same reason.
    return MutexWord::holder(words_->word.load(std::memory_order_relaxed));
  }
  static LockAnswer end(Waiting& wait, LockAnswer why) noexcept {
    wait.give_up();
    return why;
  }
  LockAnswer again(bool recursive) noexcept {
    if (!recursive) return LockAnswer::would_deadlock;
    // equivalent if remembered: only its holder puts or takes away the marks that are looked at.
    const std::uint64_t word = words_->word.load(std::memory_order_relaxed);
    const bool nested = (word & MutexWord::kNested) != 0;
    // equivalent if remembered: as in release().
    const std::uint64_t depth = nested ? words_->depth.load(std::memory_order_relaxed) : 0;
    if (depth >= kDepthMax) return LockAnswer::limit_reached;
    words_->depth.store(depth + 1, std::memory_order_relaxed);
    // relaxed: as in release().
    if (!nested) words_->word.fetch_or(MutexWord::kNested, std::memory_order_relaxed);
    const bool inconsistent = (word & MutexWord::kInconsistent) != 0;
    return inconsistent ? LockAnswer::owner_died : LockAnswer::acquired;
  }

  void note_wait(std::uint64_t word) noexcept {
    // relaxed: for people, and checked against the word they see.
    // equivalent if skipped: nothing depends on it.
    words_->waited_for.store(MutexWord::holder(word), std::memory_order_relaxed);
    // equivalent if skipped: nothing depends on it.
    words_->waited_since.store(monotonic_now_ns(), std::memory_order_relaxed);
  }

  // Free, but for what the next holder must know; and somebody is woken who waits.
  void give_back() noexcept {
    // release: as release_quiet().
    const std::uint64_t kept = MutexWord::kInconsistent | MutexWord::kStarving;
    const std::uint64_t word = words_->word.fetch_and(kept, std::memory_order_release);
    if ((word & MutexWord::kWaiters) == 0) return;
    // All, where one is starving: nobody knows which of the sleepers it is.
    if ((word & MutexWord::kStarving) != 0) {
      os::futex_wake_all(words_->word);
    } else {
      os::futex_wake_one(words_->word);
    }
  }

  static constexpr std::uint64_t kDepthMax = 1 << 20;

  MutexWords* words_;
  MutexPatience patience_;
  Spinning spinning_;
};

}  // namespace kith::internal
