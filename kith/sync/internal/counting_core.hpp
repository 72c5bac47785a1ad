// CountingCore: a count of signals that anybody adds to and anybody takes from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "kith/base/atomics.hpp"
#include "kith/sync/internal/event_count.hpp"
#include "kith/sync/internal/waiting.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

class CountingCore {
 public:
  using Word = RealAtomics::Word<std::uint64_t>;
  static constexpr std::uint64_t kCountMax = std::uint64_t{1} << 62;

  CountingCore(Word& count, Word& announced, const WaitPatience& patience) noexcept
      : count_(&count), announced_(announced), patience_(patience) {}

  // acquired or timed_out.
  LockAnswer try_take() noexcept {
    // seq_cst: looked at after the arrival was noted; see EventCount.
    std::uint64_t count = count_->load(std::memory_order_seq_cst);
    // As often as others may be faster; then it is taken for empty.
    for (int tries = 0; tries < kTriesMax && count != 0; ++tries) {
      // acquire: what was done before the signal; pairs with the exchange in release().
      if (count_->compare_exchange_strong(count, count - 1, std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
        return LockAnswer::acquired;
      }
    }
    return LockAnswer::timed_out;
  }

  struct Condition {
    CountingCore* core;
    [[nodiscard]] std::optional<LockAnswer> look(bool) noexcept {
      if (holds(core->try_take())) return LockAnswer::acquired;
      return std::nullopt;
    }
    [[nodiscard]] std::size_t holders(Holders) const noexcept { return 0; }
  };
  using Waiting = CountedWait<Condition>;
  [[nodiscard]] Waiting waiting() noexcept { return {announced_, patience_, {this}}; }

  LockAnswer acquire(const LockWitness& witness, Deadline deadline) noexcept {
    return wait_for(waiting(), witness, deadline, patience_.spins);
  }

  LockAnswer release(std::uint32_t times) noexcept {
    if (count() > kCountMax - times) return LockAnswer::limit_reached;
    // seq_cst: counted, then asked who waits; see EventCount. release: what was done before.
    count_->fetch_add(times, std::memory_order_seq_cst);
    if (times != 0) announced_.announce(times == 1 ? Wake::one : Wake::all);
    return LockAnswer::released;
  }

  [[nodiscard]] std::uint64_t count() const noexcept {
    // relaxed: for people, and a limit that nobody comes near. equivalent if remembered: as much.
    return std::min(count_->load(std::memory_order_relaxed), kCountMax);
  }

 private:
  static constexpr int kTriesMax = 1000;

  Word* count_;
  EventCount announced_;
  WaitPatience patience_;
};

}  // namespace kith::internal
