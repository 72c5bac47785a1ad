// RwLockCore: the algorithm of the read-write lock, over one cell of shared memory and the lines of
// its readers.
//
// Writers are kept apart by a mutex (mutex_core.hpp), which is also where everybody waits who comes
// too late. Its holder closes the gate, and waits until nobody is inside; a reader says in its own
// line that it is inside, and then looks at the gate. Each stores before it loads, both seq_cst: so
// if neither had seen the other, one of them would have (E. Dijkstra's mutual exclusion; with a
// line for each reader as in the "big-reader" locks of Linux 2.4). A reader that finds the gate
// closed takes the mutex, as a writer would, says that it is inside, and gives the mutex back.
//
// A reader that died is not inside: the life lock of its process says so. A holder of the mutex
// that died is found as that of any mutex; that it had changed anything is said by the gate alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/member/internal/reader_line.hpp"
#include "kith/sync/internal/lock_witness.hpp"
#include "kith/sync/internal/mutex_core.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

class ReaderTable;

// Written by the holder of the mutex alone.
enum Gate : std::uint64_t {
  kGateOpen = 0,     // readers come and go; what is guarded is whole
  kGateClosing = 1,  // no reader comes in any more: a writer waits for those inside
  kGateClosed = 2,   // nobody is inside but a writer, and what is guarded may be half changed
};

// What of a read-write lock lies in shared memory. All zero: free.
struct RwLockWords {
  MutexWords mutex;  // held by who writes, is about to, or lets itself in as a reader
  RealAtomics::Word<std::uint64_t> gate;
  // Changes when a reader leaves while the gate is closing, whose writer sleeps on it.
  RealAtomics::Word<std::uint64_t> drained;
  // Members that may be inside: see ReaderSet.
  std::array<RealAtomics::Word<std::uint64_t>, 8> readers;
  // Of one inside a user's region: identity of the member table in whose lines its readers stand; 0
  // before the first handle. Of one by itself: see NamedRwLock.
  RealAtomics::Word<std::uint64_t> member_table;
  std::uint64_t reserved;
};
static_assert(sizeof(RwLockWords) == 128);

class RwLockCore {
 public:
  // `key` is not 0, and that of no other lock in the domain.
  RwLockCore(RwLockWords& words, std::uint64_t key, const MutexPatience& patience = {}) noexcept
      : words_(&words), key_(key), patience_(patience), mutex_(words.mutex, patience) {}

  // ---- readers. `line` is the calling thread's, `me` its MutexWord::of(...)

  // Once by each process, before its first cell for this lock.
  void mark_reader(std::uint32_t place) noexcept;

  // With the gate open, into the first cell if that is free. One who reads others as well may then
  // have the same lock in two cells, each of which counts.
  [[gnu::always_inline]] bool enter_quick(ReaderLine& line) noexcept {
    ReaderLine::Cell& cell = line.cells[0];
    // relaxed: its thread alone writes it. equivalent if remembered: for the same reason.
    if (cell.load(std::memory_order_relaxed) != 0) return false;
    return enter(cell);
  }
  [[gnu::always_inline]] bool leave_quick(ReaderLine& line) noexcept {
    ReaderLine::Cell& cell = line.cells[0];
    // relaxed: as above. equivalent if remembered: as above.
    if (cell.load(std::memory_order_relaxed) != key_) return false;
    // equivalent if remembered: as above.
    if (line.depths[0].load(std::memory_order_relaxed) != 0) return false;
    leave(cell);
    return true;
  }

  // Whatever stands there. owner_died: it is given to the reader as if it were a writer.
  LockAnswer acquire_shared(std::uint64_t me, ReaderLine& line, const LockWitness& witness,
                            Deadline deadline) noexcept;
  // released, or not_owner.
  LockAnswer release_shared(ReaderLine& line) noexcept;
  [[nodiscard]] bool is_shared(const ReaderLine& line) const noexcept;
  // For a thread that ends, or a handle that closes, while it reads.
  void abandon_shared(ReaderLine& line) noexcept;

  // ---- writers. `line` may be null: such a thread reads nothing

  LockAnswer acquire(std::uint64_t me, const ReaderLine* line, const ReaderTable& table,
                     const LockWitness& witness, Deadline deadline) noexcept;
  LockAnswer release(std::uint64_t me) noexcept;
  // By one who reads it once: without letting a writer in between. would_deadlock: another one is
  // before it, and waits for it. Unless it answers that the lock is held, it is still read.
  LockAnswer upgrade(std::uint64_t me, ReaderLine& line, const ReaderTable& table,
                     const LockWitness& witness, Deadline deadline) noexcept;
  // Likewise the other way. owner_died: not before it is consistent; nothing was changed.
  LockAnswer downgrade(std::uint64_t me, ReaderLine& line) noexcept;

  // As those of the mutex.
  LockAnswer declare_consistent(std::uint64_t me) noexcept { return mutex_.declare_consistent(me); }
  LockAnswer retire(std::uint64_t me) noexcept { return mutex_.retire(me); }
  [[nodiscard]] LockAnswer check(std::uint64_t me) const noexcept { return mutex_.check(me); }
  void abandon(std::uint64_t me) noexcept { mutex_.abandon(me); }
  void heal(std::uint64_t dead_member) noexcept { mutex_.heal(dead_member); }

 private:
  [[gnu::always_inline]] bool enter(ReaderLine::Cell& cell) noexcept {
    // seq_cst, and the load as well: a writer that closes the gate before we look at it is seen by
    // us, and one that closes it afterwards sees us. The load acquires what the last writer did.
    cell.store(key_, std::memory_order_seq_cst);
    if (words_->gate.load(std::memory_order_seq_cst) == kGateOpen) [[likely]]
      return true;
    leave(cell);
    return false;
  }
  [[gnu::always_inline]] void leave(ReaderLine::Cell& cell) noexcept {
    // seq_cst, and the load as well: a writer that has seen us, and sleeps, is seen by us. Releases
    // what we have read to it.
    cell.store(0, std::memory_order_seq_cst);
    if (words_->gate.load(std::memory_order_seq_cst) == kGateClosing) [[unlikely]]
      tell_writer();
  }
  void tell_writer() noexcept;

  // The first cell of the line, from that one on, that holds `what`; kReaderCells: none.
  [[nodiscard]] static std::size_t find(const ReaderLine& line, std::uint64_t what,
                                        std::size_t from = 0) noexcept;
  LockAnswer pass_through(std::uint64_t me, ReaderLine::Cell& cell, const LockWitness& witness,
                          Deadline deadline) noexcept;
  LockAnswer close_gate(LockAnswer taken, std::uint64_t me, const ReaderLine* own,
                        const ReaderTable& table, const LockWitness& witness,
                        Deadline deadline) noexcept;
  LockAnswer acquire_beside_readers(std::uint64_t me, const LockWitness& witness,
                                    Deadline deadline) noexcept;
  // Whoever died holding the mutex had changed nothing: nobody need know.
  [[nodiscard]] bool is_torn(LockAnswer taken, std::uint64_t me) noexcept;
  LockAnswer drain(const ReaderLine* own, const ReaderTable& table, const LockWitness& witness,
                   Deadline deadline) noexcept;

  RwLockWords* words_;
  std::uint64_t key_;
  MutexPatience patience_;
  MutexCore mutex_;
};

}  // namespace kith::internal
