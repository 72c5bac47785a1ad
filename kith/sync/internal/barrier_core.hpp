// BarrierCore: parties that wait for one another, phase after phase, and not for the dead.
//
// A party sits on a seat, whose word names its process; where it has arrived is a word of its own.
// A phase is over when all who sit have arrived: anybody who waits finds that out, and one of them
// makes the next phase with one exchange. There is no count that a death could leave wrong. What a
// phase that is over has to tell stands beside its number, and stays until the next one is over;
// nobody who has a seat can miss it, because the next one waits for all of them. Who sits down
// changes that word as well: whoever is just then counting those who sat there before must count
// again, and wait for the newcomer.
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

struct BarrierSeat {
  // An owner word; 0 until somebody first sits there, who is waited for; or one of the below.
  RealAtomics::Word<std::uint64_t> party;
  RealAtomics::Word<std::uint64_t> arrived;  // the number of the phase after the one it waits in
};
static_assert(sizeof(BarrierSeat) == 16);

struct BarrierWords {
  // bit 0: the last one lost some; bits 1-50: its number; bits 51-63: how often somebody sat down
  RealAtomics::Word<std::uint64_t> phase;
  RealAtomics::Word<std::uint64_t> announced;
};

class BarrierCore {
 public:
  using Word = RealAtomics::Word<std::uint64_t>;
  static constexpr std::size_t kNoSeat = ~std::size_t{0};

  BarrierCore(BarrierWords& words, std::span<BarrierSeat> seats,
              const WaitPatience& patience) noexcept
      : words_(&words), announced_(words.announced), seats_(seats), patience_(patience) {}

  // A seat that nobody living sits on; kNoSeat if there is none. Where nobody lives at all it
  // begins anew: those who left or died are waited for again, as all who were agreed on.
  [[nodiscard]] std::size_t sit_down(std::uint64_t me, const LockWitness& witness) noexcept {
    if (!anybody_lives(witness)) begin_anew(witness);
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      if (!take_seat(seats_[i], me, witness)) continue;
      // relaxed: published below.
      seats_[i].arrived.store(0, std::memory_order_relaxed);
      // release: whoever begins to count from here on sees who sits there, and has not arrived.
      words_->phase.fetch_add(kSeating, std::memory_order_release);
      return i;
    }
    return kNoSeat;
  }

  // Of the word `phase`.
  [[nodiscard]] static std::uint64_t number(std::uint64_t phase) noexcept {
    return (phase & ~kSeatings) >> 1;
  }
  // Of the phase that is not over yet.
  [[nodiscard]] std::uint64_t phase() const noexcept {
    // acquire: what others did before the last one was over is seen.
    return number(words_->phase.load(std::memory_order_acquire));
  }

  void arrive(std::size_t seat, std::uint64_t phase) noexcept {
    // release: publishes what was done. All who are about to sleep arrive here and then in the
    // event count, one after the other, so the last of them sees all who have arrived.
    seats_[seat].arrived.store(phase + 1, std::memory_order_release);
  }

  // acquired: the phase is over; owner_died: it is, but not all parties live; timed_out ...
  LockAnswer wait(std::uint64_t phase, const LockWitness& witness, Deadline deadline) noexcept {
    return wait_until(
        announced_, witness, deadline, patience_,
        [&](bool doubt) { return look(phase, witness, doubt); },
        [&](Holders holders) { return list(phase, holders); });
  }

  // Of one's own will: nobody waits for this party any more, until another sits there.
  void leave(std::size_t seat, std::uint64_t me) noexcept { vacate(seat, me, kLeft); }

  // For a reaper, and for handles that close where they should not.
  void abandon(std::uint64_t owner) noexcept {
    for (std::size_t i = 0; i < seats_.size(); ++i) vacate(i, owner, kDied);
  }

 private:
  // Nobody sits there; a mark that is no owner.
  static constexpr std::uint64_t kDied = std::uint64_t{1} << 30;
  static constexpr std::uint64_t kLeft = std::uint64_t{1} << 31;
  static_assert(((kDied | kLeft) & kOwnerMask) == 0);
  static constexpr std::uint64_t kLost = 1;
  static constexpr unsigned kSeatingShift = 51;
  static constexpr std::uint64_t kSeating = std::uint64_t{1} << kSeatingShift;
  static constexpr std::uint64_t kSeatings = ~(kSeating - 1);
  // While somebody looks at its word, it changes hands no more often: the dead one's becomes a
  // mark, and that a newcomer's.
  static constexpr int kTriesMax = 3;

  [[nodiscard]] bool anybody_lives(const LockWitness& witness) const noexcept {
    for (const BarrierSeat& seat : seats_) {
      // acquire: as in take_seat(). equivalent if relaxed: only the word itself is used.
      const std::uint64_t party = seat.party.load(std::memory_order_acquire);
      if (has_owner(party) && witness.liveness(owner_of(party)) != Liveness::dead) return true;
    }
    return false;
  }
  // Nobody who sits down meanwhile loses the seat.
  void begin_anew(const LockWitness& witness) noexcept {
    for (BarrierSeat& seat : seats_) {
      // relaxed: as in take_seat(). equivalent if remembered: what has changed since belongs to one
      // who lives, and the exchange fails.
      std::uint64_t party = seat.party.load(std::memory_order_relaxed);
      if (party == 0) continue;
      if (has_owner(party) && witness.liveness(owner_of(party)) != Liveness::dead) continue;
      seat.party.compare_exchange_strong(party, 0, std::memory_order_relaxed,
                                         std::memory_order_relaxed);
    }
  }

  [[nodiscard]] static bool take_seat(BarrierSeat& seat, std::uint64_t me,
                                      const LockWitness& witness) noexcept {
    // relaxed: what it shows is used only after an exchange of it has succeeded.
    // equivalent if remembered: an exchange that fails shows what is there.
    std::uint64_t word = seat.party.load(std::memory_order_relaxed);
    for (int tries = 0; tries < kTriesMax; ++tries) {
      if (has_owner(word) && witness.liveness(owner_of(word)) != Liveness::dead) return false;
      // acquire: what the last party stored there comes before what this one does. unseen if
      // relaxed: its arrival could overtake the clearing in sit_down().
      if (seat.party.compare_exchange_strong(word, me, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] std::optional<LockAnswer> look(std::uint64_t phase, const LockWitness& witness,
                                               bool doubt) noexcept {
    for (int tries = 0; tries < 2; ++tries) {
      // acquire: what the others did before it was over is seen, and who sat down; see sit_down().
      // seq_cst: looked at after the arrival in the event count was noted; see EventCount.
      std::uint64_t now = words_->phase.load(std::memory_order_seq_cst);
      if (number(now) != phase) return told(now);
      const std::optional<bool> lost = is_over(phase, witness, doubt);
      if (!lost) return std::nullopt;
      const std::uint64_t next = (now & kSeatings) | (phase + 1) << 1 | (*lost ? kLost : 0);
      // seq_cst: over, then asked who waits; see EventCount. release: for those who read it above.
      if (words_->phase.compare_exchange_strong(now, next, std::memory_order_seq_cst,
                                                std::memory_order_relaxed)) {
        announced_.announce(Wake::all);
        return told(next);
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] static LockAnswer told(std::uint64_t phase) noexcept {
    return (phase & kLost) != 0 ? LockAnswer::owner_died : LockAnswer::acquired;
  }

  // None while somebody is waited for; else whether a party was lost.
  [[nodiscard]] std::optional<bool> is_over(std::uint64_t phase, const LockWitness& witness,
                                            bool doubt) noexcept {
    bool lost = false;
    bool waited_for = false;
    for (BarrierSeat& seat : seats_) {
      // seq_cst: looked at after the arrival in the event count was noted; see EventCount.
      std::uint64_t party = seat.party.load(std::memory_order_seq_cst);
      if (has_owner(party)) {
        // acquire: what it did before it arrived.
        if (seat.arrived.load(std::memory_order_acquire) == phase + 1) continue;
        const MemberId who = owner_of(party);
        const bool died =
            (doubt || witness.may_be_dead(who)) && witness.liveness(who) == Liveness::dead;
        // Marked, so that nobody asks after it again, or waits for its death.
        // relaxed: its life lock was free, which orders what it did. equivalent if skipped: then
        // others ask again.
        if (died && seat.party.compare_exchange_strong(party, kDied, std::memory_order_relaxed,
                                                       std::memory_order_relaxed)) {
          party = kDied;
        }
      }
      waited_for = waited_for || party == 0 || has_owner(party);
      lost = lost || party != kLeft;
    }
    if (waited_for) return std::nullopt;
    return lost;
  }

  [[nodiscard]] std::size_t list(std::uint64_t phase, Holders holders) const noexcept {
    std::size_t count = 0;
    for (const BarrierSeat& seat : seats_) {
      if (count == holders.size()) break;
      // relaxed: whom to watch, as a hint. equivalent if remembered: who else dies is found out
      // after a slice.
      const std::uint64_t party = seat.party.load(std::memory_order_relaxed);
      // equivalent if remembered: as above.
      const bool arrived = seat.arrived.load(std::memory_order_relaxed) == phase + 1;
      if (has_owner(party) && !arrived) holders[count++] = owner_of(party);
    }
    return count;
  }

  void vacate(std::size_t seat, std::uint64_t owner, std::uint64_t mark) noexcept {
    // seq_cst: gone, then asked who waits; see EventCount.
    if (seats_[seat].party.compare_exchange_strong(owner, mark, std::memory_order_seq_cst,
                                                   std::memory_order_relaxed)) {
      announced_.announce(Wake::all);
    }
  }

  BarrierWords* words_;
  EventCount announced_;
  std::span<BarrierSeat> seats_;
  WaitPatience patience_;
};

}  // namespace kith::internal
