// WaitNoted: while it lives, tools see what the calling thread waits for.
#pragma once

#include <cstdint>

#include "kith/member/internal/table_layout.hpp"

namespace kith::internal {

class WaitNoted {
 public:
  // `notes` are this process's, or null. `thread` chooses the place; if it is taken, nothing is
  // noted. A kill in between leaves a note of a dead member, which nobody believes.
  WaitNoted(WaitNote* notes, std::uint32_t thread, std::uint64_t waiter, std::uint64_t inode,
            std::uint64_t offset, std::uint64_t now_ns) noexcept {
    if (notes == nullptr) return;
    WaitNote& note = notes[thread % kWaitNotesMax];
    std::uint64_t free = 0;
    // relaxed: another thread of this process may sit here; it keeps its place.
    if (!note.waiter.compare_exchange_strong(free, kNoteBeingWritten, std::memory_order_relaxed,
                                             std::memory_order_relaxed)) {
      return;
    }
    note_ = &note;
    note.inode.store(inode, std::memory_order_relaxed);
    note.offset.store(offset, std::memory_order_relaxed);
    note.since.store(now_ns, std::memory_order_relaxed);
    // release: who sees the waiter sees what it waits for.
    note.waiter.store(waiter, std::memory_order_release);
  }
  ~WaitNoted() {
    if (note_ != nullptr) note_->waiter.store(0, std::memory_order_release);
  }
  WaitNoted(const WaitNoted&) = delete;
  WaitNoted& operator=(const WaitNoted&) = delete;

 private:
  WaitNote* note_ = nullptr;
};

}  // namespace kith::internal
