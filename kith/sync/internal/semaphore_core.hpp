// SemaphoreCore: permits that their holders can be found dead with. One word for each permit, which
// names who holds it: no count that a death could leave wrong.
//
// A permit's word is an owner word of kith/member while it is held, and zero while it is free. If
// its holder died and nobody has taken it since, it is free and says so (kDied): the next to take
// it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kith/base/atomics.hpp"
#include "kith/member/member_id.hpp"
#include "kith/sync/internal/event_count.hpp"
#include "kith/sync/internal/waiting.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

class SemaphoreCore {
 public:
  using Word = RealAtomics::Word<std::uint64_t>;

  SemaphoreCore(Word& announced, std::span<Word> permits, const WaitPatience& patience) noexcept
      : announced_(announced), permits_(permits), patience_(patience) {}

  struct Condition {
    SemaphoreCore* core;
    std::uint64_t me;
    const LockWitness* witness;
    [[nodiscard]] std::optional<LockAnswer> look(bool doubt) noexcept {
      return core->look(me, *witness, doubt);
    }
    [[nodiscard]] std::size_t holders(Holders into) const noexcept { return core->list(into); }
  };
  using Waiting = CountedWait<Condition>;
  // `me` is an owner word: a process holds permits, not a thread.
  [[nodiscard]] Waiting waiting(std::uint64_t me, const LockWitness& witness) noexcept {
    return {announced_, patience_, {this, me, &witness}};
  }

  LockAnswer acquire(std::uint64_t me, const LockWitness& witness, Deadline deadline) noexcept {
    return wait_for(waiting(me, witness), witness, deadline, patience_.spins);
  }

  // One of those it holds.
  LockAnswer release(std::uint64_t me) noexcept {
    for (Word& permit : permits_) {
      std::uint64_t held = me;
      // release: publishes what its holder did to the next one. seq_cst: see EventCount.
      if (permit.compare_exchange_strong(held, 0, std::memory_order_seq_cst,
                                         std::memory_order_relaxed)) {
        announced_.announce(Wake::one);
        return LockAnswer::released;
      }
    }
    return LockAnswer::not_owner;
  }

  // All that `owner` holds, for one that is dead or gives up: the next ones are told.
  void abandon(std::uint64_t owner) noexcept {
    bool any = false;
    for (Word& permit : permits_) {
      // Looked at first: an exchange that fails writes, and so allocates pages that nobody has.
      // relaxed: what its process wrote is seen, or it is dead and its life lock was free.
      // equivalent if remembered: a process knows what it took itself, and a reaper looks once.
      std::uint64_t held = permit.load(std::memory_order_relaxed);
      if (held != owner) continue;
      // release: publishes what its holder did to the next one. seq_cst: see EventCount.
      any |= permit.compare_exchange_strong(held, kDied, std::memory_order_seq_cst,
                                            std::memory_order_relaxed);
    }
    if (any) announced_.announce(Wake::all);
  }

  [[nodiscard]] std::uint32_t held() const noexcept {
    std::uint32_t held = 0;
    // relaxed: for people.
    for (const Word& permit : permits_) held += has_owner(permit.load(std::memory_order_relaxed));
    return held;
  }

 private:
  static constexpr std::uint64_t kDied = std::uint64_t{1} << 30;
  static_assert((kDied & kOwnerMask) == 0);

  [[nodiscard]] std::optional<LockAnswer> look(std::uint64_t me, const LockWitness& witness,
                                               bool doubt) noexcept {
    std::uint64_t living = 0;  // who was asked after last: many permits may be one process's
    for (std::size_t i = 0; i < permits_.size(); ++i) {
      // Each begins at a place of its own, so that they meet less often.
      Word& permit = permits_[(i + owner_of(me).index) % permits_.size()];
      // seq_cst: looked at after the arrival was noted; see EventCount.
      std::uint64_t word = permit.load(std::memory_order_seq_cst);
      if (has_owner(word) && (word == living || !is_dead(word, witness, doubt))) {
        living = word;
        continue;
      }
      const bool died = word != 0;
      // acquire: what the last holder did with what it stands for; pairs with release().
      if (permit.compare_exchange_strong(word, me, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
        return died ? LockAnswer::owner_died : LockAnswer::acquired;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] static bool is_dead(std::uint64_t word, const LockWitness& witness, bool doubt) {
    const MemberId holder = owner_of(word);
    return (doubt || witness.may_be_dead(holder)) && witness.liveness(holder) == Liveness::dead;
  }

  [[nodiscard]] std::size_t list(Holders holders) const noexcept {
    std::size_t count = 0;
    for (const Word& permit : permits_) {
      if (count == holders.size()) break;
      // relaxed: whom to watch, as a hint. equivalent if remembered: whoever else dies is found out
      // after a slice.
      const std::uint64_t word = permit.load(std::memory_order_relaxed);
      if (has_owner(word)) holders[count++] = owner_of(word);
    }
    return count;
  }

  EventCount announced_;
  std::span<Word> permits_;
  WaitPatience patience_;
};

}  // namespace kith::internal
