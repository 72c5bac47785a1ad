// The latest-value algorithm: one writer, N readers, each of which may pin one message for as long
// as it likes; wait-free on both sides; N + 2 slots, the least with which a writer always finds
// one.
//
// Source: the helped claim of J. Chen and A. Burns (A fully asynchronous reader/writer mechanism
// for multiprocessor real-time systems, 1997), with the help merged into the writer's scan, so that
// a writer killed anywhere owes nobody anything. `docs/latest.md` has the proof.
//
// One word says what is newest (`latest`); one word per reader says what that reader pins
// (`claim`). Which slots are free is never stored: the writer derives it by looking at both. So
// nothing needs repair after a death: a killed writer's half-filled slot is named by no word, and a
// killed reader's claim is one pin, which was provisioned.
//
//   writer   scan: for each joined reader, look at its claim; grant a request with the newest value
//            [W1, W2]; fill a slot that nobody pins; store `latest` [W3], which commits.
//   reader   note the newest as tentative [R0]; if it still is the newest, it is pinned [R1].
//            Otherwise ask [R2], look [R3], and pin what was seen unless the writer granted [R4].
//
// Why it holds: [R0] and [R2] come before the reader's next look at `latest`, and [W3] before the
// writer's next look at the claims, all in the single order of seq_cst. So either the writer sees
// the claim, or the reader sees a value that the writer's choice had already spared.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "kith/base/atomics.hpp"
#include "kith/channel/internal/role_record.hpp"

namespace kith::internal {

inline constexpr std::uint32_t kLatestReadersMax = 1000;
inline constexpr std::uint32_t kLatestSpareSlots =
    2;                                           // the newest value, and the one being written
inline constexpr std::size_t kJoinedWords = 16;  // 1024 bits for 1000 readers

// Line by line: who writes what.
template <class Atomics>
struct LatestControl {
  // The newest value, as LatestWords packs it; 0 before the first. The writer's alone.
  alignas(kSharedLine) typename Atomics::template Word<std::uint64_t> latest;
  // Bit 0: somebody sleeps, or did; may be set with no sleeper (one wasted wake), never clear while
  // one sleeps. Bits 1-31 count wakes. Readers set bit 0; the waker adds one, which clears it.
  alignas(kSharedLine) typename Atomics::template Word<std::uint32_t> notify;
  // Slots with real pages behind them; only grows. Written under the administrative lock.
  alignas(kSharedLine) typename Atomics::template Word<std::uint32_t> slots_ready;
  // Identity of the member table whose ids stand in the roles. Under the administrative lock.
  typename Atomics::template Word<std::uint64_t> member_table;
  // Bit r: the writer must look at claim r. Set before the reader's first claim, cleared after its
  // last; a claim that is not idle has its bit set.
  alignas(
      kSharedLine) std::array<typename Atomics::template Word<std::uint64_t>, kJoinedWords> joined;
};

template <class Atomics>
struct LatestReaderCell {
  // What this reader pins, as LatestWords packs it. Written by its owner; by the writer only to
  // answer a request; by a healer under the administrative lock, once the owner is dead.
  alignas(kSharedLine) typename Atomics::template Word<std::uint64_t> claim;
  alignas(kSharedLine) RoleRecord<Atomics> role;
};

// How `latest` and the claims pack a value's tag, its slot and their state into one word:
//   bit  0                tentative: noted, not pinned; the slot may be in use by the writer
//   bits 1 .. B           slot + 1; 0 means none (an idle claim, nothing written yet);
//                         all ones in a claim is a request
//   bits B+1 .. 63        the low bits of the value's sequence number
// B is just wide enough for the slots, so the tag has 58 bits with 16 readers and 53 with 1000.
// Only a reader that sleeps between two instructions while the tag wraps around, years, could
// mistake an old value for a new one; the sequence number users see is 64 bits wide and stands in
// the slot.
class LatestWords {
 public:
  explicit constexpr LatestWords(std::uint32_t slots) noexcept
      : slots_(slots),
        tag_shift_(static_cast<unsigned>(std::bit_width(slots + 1)) + 1),
        slot_mask_((std::uint64_t{1} << (tag_shift_ - 1)) - 1),
        tag_mask_(~std::uint64_t{0} >> tag_shift_) {}

  static constexpr std::uint64_t kIdle = 0;
  static constexpr std::uint64_t kTentative = 1;

  [[nodiscard]] constexpr std::uint64_t request() const noexcept { return slot_mask_ << 1; }
  [[nodiscard]] constexpr std::uint64_t pack(std::uint64_t sequence,
                                             std::uint32_t slot) const noexcept {
    return (sequence << tag_shift_) | (std::uint64_t{slot + 1} << 1);
  }
  // The slot a word names; none for an idle claim, a request, or a stranger's nonsense.
  [[nodiscard]] constexpr std::optional<std::uint32_t> slot_of(std::uint64_t word) const noexcept {
    const std::uint64_t number = slot_number(word);
    if (number >= slots_) return std::nullopt;
    return static_cast<std::uint32_t>(number);
  }
  // The same as a number, which is not below slots() if there is none.
  [[nodiscard]] constexpr std::uint64_t slot_number(std::uint64_t word) const noexcept {
    return ((word >> 1) & slot_mask_) - 1;
  }
  // True if `word` could stand for the value of this sequence number.
  [[nodiscard]] constexpr bool tags(std::uint64_t word, std::uint64_t sequence) const noexcept {
    return tag_of(word) == tag_for(sequence);
  }
  [[nodiscard]] constexpr std::uint64_t tag_of(std::uint64_t word) const noexcept {
    return word >> tag_shift_;
  }
  [[nodiscard]] constexpr std::uint64_t tag_for(std::uint64_t sequence) const noexcept {
    return sequence & tag_mask_;
  }
  [[nodiscard]] constexpr std::uint32_t slots() const noexcept { return slots_; }

 private:
  std::uint32_t slots_;
  unsigned tag_shift_;
  std::uint64_t slot_mask_;
  std::uint64_t tag_mask_;
};

// Readers that lie together: the bits that say who has joined, and a cell for each. A channel has
// one bank for its own readers, and one in a file of its own for guests, who may write nothing
// else.
template <class Atomics>
struct LatestReaderBank {
  typename Atomics::template Word<std::uint64_t>* joined = nullptr;  // kJoinedWords of them
  LatestReaderCell<Atomics>* cells = nullptr;
  std::uint32_t count = 0;  // private copy of the geometry, at most kLatestReadersMax
};

// The writer's side. One object per holder of the writer's role.
template <class Atomics>
class LatestWriterCore {
 public:
  using Bank = LatestReaderBank<Atomics>;
  using Words = typename Atomics::template Word<std::uint64_t>;

  // `latest` is the newest value's word, wherever the channel keeps it.
  LatestWriterCore(Words& latest, LatestControl<Atomics>& control, const Bank& readers,
                   const Bank& guests, const LatestWords& words)
      : shared_latest_(latest),
        control_(control),
        banks_{readers, guests},
        words_(words),
        free_((words_.slots() + 63) / 64) {
    // acquire: a former writer's value is complete for last_slot(). Only the writer stores
    // `latest`, so the private copy stays true.
    // equivalent if relaxed: the role was taken under a kernel lock, which orders as much.
    latest_ = shared_latest_.load(std::memory_order_acquire);
    // relaxed: under the same lock; all that was ever published lies below.
    const std::uint32_t counted = control_.slots_ready.load(std::memory_order_relaxed);
    ready_ = counted < words_.slots() ? counted : words_.slots();
  }

  // A slot that nobody reads and nobody will until it is published; none only if the shared words
  // are damaged. At most 2N + 2 steps, whatever the readers do, and usually one: all that a look at
  // the readers found free stays free until it is published, because to pin a slot a reader must
  // find it in `latest` after having said so. So with R slots to spare the writer looks at the
  // readers once in R + 1 writes.
  [[nodiscard]] std::optional<std::uint32_t> choose_slot() noexcept {
    if (const auto known = lowest_free()) return known;
    scan();
    return lowest_free();
  }

  // The slot that the next choose_slot() will give, if that is known already: for fetching its
  // cache lines early.
  [[nodiscard]] std::optional<std::uint32_t> next_slot() const noexcept { return lowest_free(); }

  // Commits the chosen and filled slot as the value `sequence`. True if somebody sleeps and must be
  // woken (a store and a load, both seq_cst: either we see the sleeper's bit, or it saw our value).
  [[nodiscard]] bool publish(std::uint32_t slot, std::uint64_t sequence) noexcept {
    free_[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
    latest_ = words_.pack(sequence, slot);
    // release of the slot's bytes to [R1], [R3] and, through [W2], to [R4]; seq_cst: before the
    // next scan in the single order.
    shared_latest_.store(latest_, std::memory_order_seq_cst);  // [W3] commit
    return (control_.notify.load(std::memory_order_seq_cst) & 1) != 0;
  }

  // The slot of the last committed value; intact until the next publish.
  [[nodiscard]] std::optional<std::uint32_t> last_slot() const noexcept {
    return words_.slot_of(latest_);
  }
  [[nodiscard]] std::uint64_t last_word() const noexcept { return latest_; }
  [[nodiscard]] const LatestWords& words() const noexcept { return words_; }

 private:
  // Looks at every reader that joined, grants what they ask for, and notes the slots that neither
  // they nor the newest value need.
  void scan() noexcept {
    mark_free(0, ready_);
    pin(latest_);
    for (const Bank& bank : banks_) scan(bank);
    // relaxed, and after the looks at who joined, which acquire: a reader raised the count before
    // it set its bit, so every pin that was seen is provided for. What is new was never published,
    // and so is nobody's.
    const std::uint32_t counted = control_.slots_ready.load(std::memory_order_relaxed);
    if (counted > ready_) {
      const std::uint32_t before = ready_;
      ready_ = counted < words_.slots() ? counted : words_.slots();
      mark_free(before, ready_);
    }
  }

  void mark_free(std::uint32_t begin, std::uint32_t end) noexcept {
    for (std::uint32_t word = begin / 64; word * 64 < end; ++word) {
      const std::uint32_t rest = end - word * 64;
      std::uint64_t bits = rest < 64 ? (std::uint64_t{1} << rest) - 1 : ~std::uint64_t{0};
      if (word * 64 >= begin) {
        free_[word] = bits;
      } else {
        free_[word] |= bits & ~((std::uint64_t{1} << begin % 64) - 1);
      }
    }
  }

  void scan(const Bank& bank) noexcept {
    for (std::uint32_t first = 0; first < bank.count; first += 64) {
      // seq_cst, after the last [W3]: a reader whose bit is missed here joins, asks and looks after
      // that store, and so gets the newest value, which pin(latest_) spares.
      std::uint64_t bits = bank.joined[first / 64].load(std::memory_order_seq_cst);
      while (bits != 0) {
        const std::uint32_t reader = first + static_cast<std::uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
        if (reader < bank.count) pin(claim_of(bank.cells[reader].claim));
      }
    }
  }

  std::uint64_t claim_of(Words& claim) noexcept {
    // seq_cst: see the proof; also acquire: a reader's last look at a slot comes before its reuse.
    std::uint64_t word = claim.load(std::memory_order_seq_cst);  // [W1]
    if (word != words_.request()) return word;
    // A failed exchange left the reader's own answer in `word`: it has helped itself. One try.
    // acq_rel: publishes the slot to [R4]. acquire: its reads of what it let go of meanwhile.
    // equivalent if release: [W1] acquired the request; but compilers want no failure stronger.
    const bool granted = claim.compare_exchange_strong(word, latest_, std::memory_order_acq_rel,
                                                       std::memory_order_acquire);  // [W2] helping
    return granted ? latest_ : word;
  }

  void pin(std::uint64_t word) noexcept {
    if (const auto slot = words_.slot_of(word)) {
      free_[*slot / 64] &= ~(std::uint64_t{1} << *slot % 64);
    }
  }

  // Lowest first: slots that were never used cost no memory.
  [[nodiscard]] std::optional<std::uint32_t> lowest_free() const noexcept {
    for (std::uint32_t i = 0; i < free_.size(); ++i) {
      if (free_[i] != 0) return i * 64 + static_cast<std::uint32_t>(std::countr_zero(free_[i]));
    }
    return std::nullopt;
  }

  Words& shared_latest_;
  LatestControl<Atomics>& control_;
  std::array<Bank, 2> banks_;
  LatestWords words_;
  std::uint64_t latest_ = 0;
  std::uint32_t ready_ = 0;  // slots known to have pages; at most all
  // A bit per slot that the last scan found free and no publish has taken since.
  std::vector<std::uint64_t> free_;
};

// A reader's side. One object per holder of a reader's role.
template <class Atomics>
class LatestReaderCore {
 public:
  using Bank = LatestReaderBank<Atomics>;
  using Words = typename Atomics::template Word<std::uint64_t>;

  LatestReaderCore(const Words& latest, const Bank& bank, std::uint32_t index,
                   const LatestWords& words) noexcept
      : latest_(latest),
        joined_(bank.joined[index / 64]),
        claim_(bank.cells[index].claim),
        bit_(std::uint64_t{1} << index % 64),
        words_(words) {}

  // Lets the writer see this reader's claim from now on. Before the first acquire().
  void join() noexcept {
    // seq_cst: before the first claim in the single order; see choose_slot().
    joined_.fetch_or(bit_, std::memory_order_seq_cst);
  }

  // After the last release: the writer need not look here any more.
  void leave() noexcept {
    // release: the claim's own last store comes first.
    joined_.fetch_and(~bit_, std::memory_order_release);
  }

  // Pins the newest value and returns its word; 0 if nothing was written yet. A value pinned before
  // is let go. At most 6 steps. `pinned` is what this reader holds, 0 for nothing.
  [[nodiscard]] std::uint64_t acquire(std::uint64_t pinned) noexcept {
    return acquire(pinned, newest());
  }
  // The same for who looked at newest() just before, to have its slot's address ready: right if it
  // is that value still, else a guess like any other.
  [[nodiscard]] std::uint64_t acquire(std::uint64_t pinned, std::uint64_t newest) noexcept {
    if (newest == pinned) return pinned;
    // [R0] seq_cst: before the next look at `latest`. Also ends the old pin (release of our reads).
    claim_.store(newest | LatestWords::kTentative, std::memory_order_seq_cst);
    if (latest_.load(std::memory_order_seq_cst) == newest) {  // [R1] acquires the slot
      // release: keeps our later reads of the slot's bytes ordered through the chain to [W1].
      claim_.store(newest, std::memory_order_release);
      return newest;
    }
    claim_.store(words_.request(), std::memory_order_seq_cst);  // [R2]
    newest = latest_.load(std::memory_order_seq_cst);           // [R3]
    std::uint64_t found = words_.request();
    // acquire: failing means that the writer granted, and publishes the slot by [W2]. The reads
    // of the last pin were released by [R2], which this exchange continues.
    // equivalent if relaxed: it is our own request; but compilers want no failure stronger.
    const bool mine = claim_.compare_exchange_strong(found, newest, std::memory_order_acquire,
                                                     std::memory_order_acquire);  // [R4]
    return mine ? newest : found;
  }

  void release() noexcept {
    // release: our reads of the slot come before its reuse; pairs with [W1].
    claim_.store(LatestWords::kIdle, std::memory_order_release);
  }

  // After a former holder of this role died: the pin it really held, which is intact, or 0. A
  // request or a tentative note never gave it anything, and is taken back.
  [[nodiscard]] std::uint64_t recover() noexcept {
    // acquire: if the writer granted it, the slot's bytes come with it.
    const std::uint64_t found = claim_.load(std::memory_order_acquire);
    if ((found & LatestWords::kTentative) == 0 && words_.slot_of(found)) return found;
    release();
    return 0;
  }

  // The newest word, for who wants to know whether to look at all. relaxed: a guess, which [R1]
  // looks at again.
  [[nodiscard]] std::uint64_t newest() const noexcept {
    return latest_.load(std::memory_order_relaxed);
  }
  // The same after this reader said that it will sleep: seq_cst, so that either this sees the new
  // value or the writer sees the sleeper's bit.
  [[nodiscard]] std::uint64_t newest_in_order() const noexcept {
    return latest_.load(std::memory_order_seq_cst);
  }
  [[nodiscard]] const LatestWords& words() const noexcept { return words_; }

 private:
  const Words& latest_;  // where a guest may only look
  Words& joined_;
  Words& claim_;
  std::uint64_t bit_;
  LatestWords words_;
};

}  // namespace kith::internal
