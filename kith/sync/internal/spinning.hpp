// Spinning: looks at a busy lock for a moment before its waiter sleeps, and learns for how long.
//
//   Spinning spinning(12);                     // in the handle of a lock, for all who wait by it
//   Spinning::Looks looks;                     // of one wait
//   if (spinning.until(looks, [&] { return try_to_take_it(); })) return;
//
// Who gets the lock so spares itself a sleep, and the holder a wake. Who looks in vain has spent
// its processor for nothing: the next one looks a quarter less often, down to once. Once one has
// got it, the next may look as often as ever.
//
// States       of the looks of one wait: not over; over, and until() says no at once.
// Callers      any thread. What was learned is this process's own, and only advice.
// A peer dies  it is only looked at so often, whatever the shared word says.
// Cost         the processor, meanwhile: about 0.2 us for a look.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "kith/os/futex.hpp"

namespace kith::internal {

class Spinning {
 public:
  // `most`: looks of one wait. 0: none, and nothing is learned.
  explicit Spinning(std::uint32_t most) noexcept : most_(most), allowed_(most) {}

  class Looks {
    friend class Spinning;
    bool over_ = false;
  };

  // True as soon as `look` says so; false, and the looks are over, if it never did.
  template <class Look>
  [[nodiscard]] bool until(Looks& looks, const Look& look) noexcept {
    if (looks.over_ || most_ == 0) return false;
    const std::uint32_t allowed = this->allowed();
    for (std::uint32_t i = 0; i < allowed; ++i) {
      for (std::uint32_t pause = 0; pause < kPauses; ++pause) os::relax_processor();
      if (!look()) continue;
      learn(most_);
      return true;
    }
    looks.over_ = true;
    learn(std::max(allowed - (allowed + 3) / 4, 1u));
    return false;
  }

  // Looks that the next wait may take.
  [[nodiscard]] std::uint32_t allowed() const noexcept {
    // relaxed: advice.
    return allowed_.load(std::memory_order_relaxed);
  }

 private:
  // A look takes the line of the word away from its holder, who needs it to give the lock back, and
  // to take it again. Two processes that did nothing else came to half of a pthread mutex's
  // acquisitions with a look after each pause, and to as many with 8 to 16 pauses between; with
  // more, the lock changed hands less often. Counted and not timed: reading the clock between the
  // looks cost a quarter of the hand-overs. 10 take 0.1 to 0.5 us on the processors of today.
  static constexpr std::uint32_t kPauses = 10;

  void learn(std::uint32_t looks) noexcept {
    // relaxed: advice; what another thread has learned meanwhile may be lost.
    if (looks != allowed()) allowed_.store(looks, std::memory_order_relaxed);
  }

  std::uint32_t most_;
  std::atomic<std::uint32_t> allowed_;
};

}  // namespace kith::internal
