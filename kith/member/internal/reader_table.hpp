// ReaderTable: the lines of all members, as a writer goes through them that waits for the readers
// of one lock.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kith/member/internal/reader_line.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/member/member_id.hpp"

namespace kith::internal {

// Who may ever have read a lock: the bit of a member is that of its place modulo their number.
// Set before the first cell, never taken back.
inline constexpr std::size_t kReaderSetWords = 8;
inline constexpr std::uint32_t kReaderSetBits = kReaderSetWords * 64;
using ReaderSet = std::span<const RealAtomics::Word<std::uint64_t>, kReaderSetWords>;

// What of the table has its memory, as this process found out itself: a stranger may have written
// that there is more, and who touched it would allocate it, or get a SIGBUS where there is no room.
class ReaderPages {
 public:
  virtual ~ReaderPages() = default;

  // Of the first `count` lines of a place those that have it, if its record has.
  [[nodiscard]] virtual std::uint32_t lines(std::uint32_t place,
                                            std::uint32_t count) const noexcept = 0;
  [[nodiscard]] virtual bool has_record(std::uint32_t place) const noexcept = 0;

 protected:
  ReaderPages() = default;
  ReaderPages(const ReaderPages&) = default;
  ReaderPages& operator=(const ReaderPages&) = default;
};

class ReaderTable {
 public:
  // Of `places` members; the lines of the first begin at `lines`, those of the next `stride` bytes
  // further on. Without `pages`, all of it has its memory.
  ReaderTable(MemberRecord* records, const RealAtomics::Word<std::uint32_t>& records_ready,
              std::uint32_t places, std::byte* lines, std::uint64_t stride,
              const ReaderPages* pages = nullptr) noexcept
      : records_(records),
        records_ready_(&records_ready),
        places_(places),
        lines_(lines),
        stride_(stride),
        pages_(pages) {}

  [[nodiscard]] ReaderLine* lines_of(std::uint32_t place) const noexcept {
    return reinterpret_cast<ReaderLine*>(lines_ + place * stride_);
  }

  // By a member for itself, once lines `from` to `count` have their memory.
  void announce(std::uint32_t place, std::uint32_t from, std::uint32_t count) const noexcept {
    for (std::uint32_t i = from; i < count; ++i) {
      // relaxed: published by the count. What a former member left there is not ours.
      ReaderLine& line = lines_of(place)[i];
      for (auto& cell : line.cells) cell.store(0, std::memory_order_relaxed);
      for (auto& depth : line.depths) depth.store(0, std::memory_order_relaxed);
    }
    // seq_cst: before the first cell in them is, to a writer who looks after it closed the gate.
    records_[place].readers_ready.store(count, std::memory_order_seq_cst);
  }

  // Calls `visit` with each member, living or dead, that has `key` in a line other than `but`,
  // until it returns false. Not more often than there are places. False if it was given up:
  // `enough` is asked every so many lines, as a stranger may have seen to it that there are many.
  template <class Visit, class Enough>
  bool for_each_reader(std::uint64_t key, const ReaderSet& set, const ReaderLine* but, Visit visit,
                       Enough enough) const {
    std::uint32_t looked_at = 0;
    for (std::uint32_t word = 0; word < kReaderSetWords; ++word) {
      // seq_cst: looked at after the gate was closed, as readers look at the gate after their mark.
      std::uint64_t bits = set[word].load(std::memory_order_seq_cst);
      for (; bits != 0; bits &= bits - 1) {
        // relaxed: whoever marked itself had its record before, and the mark shows it.
        const std::uint32_t ready =
            std::min(records_ready_->load(std::memory_order_relaxed), places_);
        const auto first = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
        for (std::uint32_t place = first; place < ready; place += kReaderSetBits) {
          MemberId reader;
          const bool found = reads(place, key, but, reader, looked_at);
          if (looked_at >= kLinesAtOnce) {
            if (enough()) return false;
            looked_at = 0;
          }
          if (found && !visit(reader)) return true;
        }
      }
    }
    return true;
  }

 private:
  // Between two questions whether it is enough: about 10 us, and more than most domains have.
  static constexpr std::uint32_t kLinesAtOnce = 1024;
  // What a look at a record counts for, which may mean to ask the kernel.
  static constexpr std::uint32_t kLinesARecord = 16;

  bool reads(std::uint32_t place, std::uint64_t key, const ReaderLine* but, MemberId& reader,
             std::uint32_t& looked_at) const noexcept {
    looked_at += kLinesARecord;
    if (pages_ != nullptr && !pages_->has_record(place)) return false;  // nobody ever sat there
    const MemberRecord& of = records_[place];
    // acquire: that of a living reader is shown by its mark, as above; with that of a new member
    // comes that it has no lines yet.
    // equivalent if relaxed: one waits for the reader who was there before, for a slice at most.
    const std::uint64_t state = of.state.load(std::memory_order_acquire);
    // seq_cst: see announce(). Bounded: a stranger may have written it.
    std::uint32_t ready = std::min(of.readers_ready.load(std::memory_order_seq_cst), kReaderLines);
    if ((state & kUsed) == 0) return false;
    // Whoever counts its lines has written them before.
    if (pages_ != nullptr) ready = pages_->lines(place, ready);
    looked_at += ready;
    if (!is_in(place, ready, key, but)) return false;
    reader = {place, incarnation_of(state)};
    // Somebody new there? Then what we found was the dead one's, or that of one who finds the gate
    // closed. relaxed: the cell, if it is new, shows whose it is.
    // equivalent if remembered: one waits for the dead one, for a slice at most.
    return of.state.load(std::memory_order_relaxed) == state;
  }

  [[nodiscard]] bool is_in(std::uint32_t place, std::uint32_t ready, std::uint64_t key,
                           const ReaderLine* but) const noexcept {
    const ReaderLine* lines = lines_of(place);
    for (std::uint32_t i = 0; i < ready; ++i) {
      if (lines + i == but) continue;
      for (const auto& cell : lines[i].cells) {
        // seq_cst: a reader stores it before it looks at the gate, which we closed before. What one
        // saw who has stored zero since, it has seen before us.
        if (cell.load(std::memory_order_seq_cst) == key) return true;
      }
    }
    return false;
  }

  MemberRecord* records_;
  const RealAtomics::Word<std::uint32_t>* records_ready_;
  std::uint32_t places_;
  std::byte* lines_;
  std::uint64_t stride_;
  const ReaderPages* pages_;
};

}  // namespace kith::internal
