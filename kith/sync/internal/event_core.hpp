// EventCore: one word that is set or not, and an event count for those who wait for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kith/sync/event.hpp"
#include "kith/sync/internal/event_count.hpp"
#include "kith/sync/internal/waiting.hpp"

namespace kith::internal {

class EventCore {
 public:
  EventCore(EventWords& words, EventReset reset, const WaitPatience& patience) noexcept
      : set_(&words.set), announced_(words.announced), reset_(reset), patience_(patience) {}

  void set() noexcept {
    // seq_cst: set, then asked who waits; see EventCount. release: what was done before.
    if (set_->exchange(1, std::memory_order_seq_cst) == 1) return;
    announced_.announce(reset_ == EventReset::automatic ? Wake::one : Wake::all);
  }
  bool reset() noexcept {
    // acquire: who finds it set sees what was done before.
    return set_->exchange(0, std::memory_order_acquire) == 1;
  }
  [[nodiscard]] bool is_set() const noexcept {
    // acquire: as above. seq_cst: looked at after the arrival was noted; see EventCount.
    return set_->load(std::memory_order_seq_cst) == 1;
  }

  // acquired or timed_out.
  LockAnswer try_take() noexcept {
    if (!is_set()) return LockAnswer::timed_out;
    // Or another was let by.
    const bool ours = reset_ == EventReset::manual || reset();
    return ours ? LockAnswer::acquired : LockAnswer::timed_out;
  }

  struct Condition {
    EventCore* core;
    [[nodiscard]] std::optional<LockAnswer> look(bool) noexcept {
      if (holds(core->try_take())) return LockAnswer::acquired;
      return std::nullopt;
    }
    [[nodiscard]] std::size_t holders(Holders) const noexcept { return 0; }
  };
  using Waiting = CountedWait<Condition>;
  [[nodiscard]] Waiting waiting() noexcept { return {announced_, patience_, {this}}; }

  LockAnswer wait(const LockWitness& witness, Deadline deadline) noexcept {
    return wait_for(waiting(), witness, deadline, patience_.spins);
  }

 private:
  RealAtomics::Word<std::uint64_t>* set_;
  EventCount announced_;
  EventReset reset_;
  WaitPatience patience_;
};

}  // namespace kith::internal
