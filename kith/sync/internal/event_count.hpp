// EventCount: sleeping until something else in shared memory may have changed, without missing the
// change. After D. Reed and R. Kanodia, "Synchronization with eventcounts and sequencers" (1979).
//
// Who changes the condition announces it afterwards; who waits prepares, looks at the condition
// again, and sleeps. Both sides are sequentially consistent, so either the waiter sees the change
// or the announcer sees the waiter. While nobody waits, an announcement is one load.
//
//   bit 0        waiters: somebody may be asleep
//   bits 1-31    announcements
//   bits 32-63   arrivals of waiters
//
// The mark of the waiters is no count, so the dead leave nothing to be mended: it goes when an
// announcement has woken all, or nobody. An arrival changes the word, so that no mark is taken away
// from under it. Killed between a change and its announcement, one leaves sleepers who look for
// themselves after a slice; so does one who is woken alone, and killed before it looks.
#pragma once

#include <cstdint>

#include "kith/base/atomics.hpp"
#include "kith/os/futex.hpp"

namespace kith::internal {

enum class Wake { one, all };

class EventCount {
 public:
  using Word = RealAtomics::Word<std::uint64_t>;
  // What stood in the futex when one was about to sleep.
  using Ticket = std::uint32_t;

  explicit EventCount(Word& word) noexcept : word_(&word) {}

  [[nodiscard]] Ticket prepare() noexcept {
    // relaxed: a first guess for the exchange. equivalent if remembered: the exchange finds out.
    std::uint64_t word = word_->load(std::memory_order_relaxed);
    // As often as others may come in between at once; then it sleeps without its mark, for a slice.
    for (int tries = 0; tries < kTriesMax; ++tries) {
      const std::uint64_t arrived = (word | kWaiters) + kArrival;
      // seq_cst: known first, then the condition is looked at; see announce().
      if (word_->compare_exchange_strong(word, arrived, std::memory_order_seq_cst,
                                         std::memory_order_relaxed)) {
        return static_cast<Ticket>(arrived);
      }
    }
    return static_cast<Ticket>(word);
  }

  // Something was announced since.
  [[nodiscard]] bool has_moved(Ticket ticket) const noexcept {
    // relaxed: whoever is told so looks at the condition, which has an order of its own. equivalent
    // if remembered: one looks, and then asks after the dead once more than need be.
    const auto now = static_cast<Ticket>(word_->load(std::memory_order_relaxed));
    return (now | kWaiters) != (ticket | kWaiters);
  }

  // After a change that was sequentially consistent itself.
  void announce(Wake whom) noexcept {
    // seq_cst: changed first, then asked who waits; see prepare().
    if ((word_->load(std::memory_order_seq_cst) & kWaiters) == 0) return;
    // relaxed: it publishes nothing; see has_moved().
    const std::uint64_t moved =
        word_->fetch_add(kAnnouncement, std::memory_order_relaxed) + kAnnouncement;
    if (whom == Wake::all) {
      os::futex_wake_all(*word_);
    } else if (os::futex_wake_one(*word_)) {
      return;  // perhaps not the only one
    }
    // Whoever arrived before the announcement is awake; whoever came later has changed the word.
    std::uint64_t quiet = moved;
    // relaxed: a mark that is missing is made again by the next to arrive. equivalent if skipped: a
    // mark that is left costs the next announcement a call of the kernel.
    word_->compare_exchange_strong(quiet, moved & ~kWaiters, std::memory_order_relaxed,
                                   std::memory_order_relaxed);
  }

  [[nodiscard]] const Word& word() const noexcept { return *word_; }

 private:
  static constexpr std::uint64_t kWaiters = 1;
  static constexpr std::uint64_t kAnnouncement = 2;
  static constexpr std::uint64_t kArrival = std::uint64_t{1} << 32;
  static constexpr int kTriesMax = 64;

  Word* word_;
};

}  // namespace kith::internal
