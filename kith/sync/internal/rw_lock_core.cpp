#include "kith/sync/internal/rw_lock_core.hpp"

#include <chrono>
#include <optional>
#include <span>

#include "kith/member/internal/reader_table.hpp"
#include "kith/os/futex.hpp"

namespace kith::internal {
namespace {

// Readers that one writer at a time is told the death of; the others, should there be more, it
// finds when one of these has gone, or after a slice.
constexpr std::size_t kReadersHeard = 64;

constexpr std::uint32_t kDepthMax = 1 << 20;  // as that of a mutex

// For which one who reads waits for the mutex before it looks whether its holder waits for it.
constexpr std::chrono::milliseconds kBusyMax{1};

// For which one looks for readers though the deadline has passed: a hundred thousand lines, which
// only a stranger has announced.
constexpr std::chrono::milliseconds kLookMax{20};

}  // namespace

// ---- readers

void RwLockCore::mark_reader(std::uint32_t place) noexcept {
  const std::uint32_t bit = place % kReaderSetBits;
  // seq_cst: before our first cell, to a writer that looks after it closed the gate. Also where the
  // bit is set already: who sees ours sees that we have joined, and not only that another had.
  words_->readers[bit / 64].fetch_or(std::uint64_t{1} << bit % 64, std::memory_order_seq_cst);
}

std::size_t RwLockCore::find(const ReaderLine& line, std::uint64_t what,
                             std::size_t from) noexcept {
  std::size_t i = from;
  // relaxed: its thread alone writes it. equivalent if remembered: for the same reason.
  while (i < kReaderCells && line.cells[i].load(std::memory_order_relaxed) != what) ++i;
  return i;
}

bool RwLockCore::is_shared(const ReaderLine& line) const noexcept {
  return find(line, key_) < kReaderCells;
}

LockAnswer RwLockCore::acquire_shared(std::uint64_t me, ReaderLine& line,
                                      const LockWitness& witness, Deadline deadline) noexcept {
  if (const std::size_t known = find(line, key_); known < kReaderCells) {
    // Inside already. A writer that waits for us must wait on, or we would wait for each other.
    // relaxed: as in find(). equivalent if remembered: as there.
    const std::uint32_t depth = line.depths[known].load(std::memory_order_relaxed);
    if (depth >= kDepthMax) return LockAnswer::limit_reached;
    line.depths[known].store(depth + 1, std::memory_order_relaxed);
    return LockAnswer::acquired;
  }
  const std::size_t free = find(line, 0);
  if (free == kReaderCells) return LockAnswer::limit_reached;
  // relaxed: enter() looks again; where the gate is closed, nobody is to be disturbed.
  // equivalent if remembered: for that reason.
  const bool open = words_->gate.load(std::memory_order_relaxed) == kGateOpen;
  if (open && enter(line.cells[free])) return LockAnswer::acquired;
  return pass_through(me, line.cells[free], witness, deadline);
}

// The mutex keeps writers out while we go in.
LockAnswer RwLockCore::pass_through(std::uint64_t me, ReaderLine::Cell& cell,
                                    const LockWitness& witness, Deadline deadline) noexcept {
  const LockAnswer taken = mutex_.acquire(me, false, witness, deadline);
  if (!holds(taken) || is_torn(taken, me)) return taken;
  // A writer died that had closed it.
  // release: readers see what the last writer did, which the mutex has shown us.
  if (taken == LockAnswer::owner_died) words_->gate.store(kGateOpen, std::memory_order_release);
  // The next holder of the mutex sees it by our giving it back.
  // release: a writer of the lock that stood there before sees that it was given back. unseen if
  // relaxed: every processor orders that by itself.
  cell.store(key_, std::memory_order_release);
  static_cast<void>(mutex_.release(me));
  return LockAnswer::acquired;
}

LockAnswer RwLockCore::release_shared(ReaderLine& line) noexcept {
  const std::size_t known = find(line, key_);
  if (known == kReaderCells) return LockAnswer::not_owner;
  // relaxed: as in find(). equivalent if remembered: as there.
  const std::uint32_t depth = line.depths[known].load(std::memory_order_relaxed);
  if (depth != 0) {
    line.depths[known].store(depth - 1, std::memory_order_relaxed);
  } else {
    leave(line.cells[known]);
  }
  return LockAnswer::released;
}

void RwLockCore::abandon_shared(ReaderLine& line) noexcept {
  // In several cells, if it read others meanwhile: see enter_quick().
  for (std::size_t i = find(line, key_); i < kReaderCells; i = find(line, key_, i + 1)) {
    // relaxed: its thread is gone, or is the one that calls.
    line.depths[i].store(0, std::memory_order_relaxed);
    leave(line.cells[i]);
  }
}

void RwLockCore::tell_writer() noexcept {
  // release: who sees the number sees the cell that was given back before.
  // unseen if relaxed: on the explorer, a seq_cst load sees every seq_cst store that came before.
  words_->drained.fetch_add(1, std::memory_order_release);
  os::futex_wake_all(words_->drained);
}

// ---- writers

LockAnswer RwLockCore::acquire(std::uint64_t me, const ReaderLine* line, const ReaderTable& table,
                               const LockWitness& witness, Deadline deadline) noexcept {
  if (line != nullptr && is_shared(*line)) return LockAnswer::would_deadlock;
  const LockAnswer taken =
      mutex_.acquire_free(me) ? LockAnswer::acquired : mutex_.acquire(me, false, witness, deadline);
  if (!holds(taken)) return taken;
  const LockAnswer answer = close_gate(taken, me, nullptr, table, witness, deadline);
  if (!holds(answer)) static_cast<void>(mutex_.release(me));
  return answer;
}

bool RwLockCore::is_torn(LockAnswer taken, std::uint64_t me) noexcept {
  if (taken != LockAnswer::owner_died) return false;
  // relaxed: the mutex orders it, or its holder's death did.
  if (words_->gate.load(std::memory_order_relaxed) == kGateClosed) return true;
  static_cast<void>(mutex_.declare_consistent(me));
  return false;
}

// By the mutex's holder. On any answer but that it holds the lock, the gate is open again.
LockAnswer RwLockCore::close_gate(LockAnswer taken, std::uint64_t me, const ReaderLine* own,
                                  const ReaderTable& table, const LockWitness& witness,
                                  Deadline deadline) noexcept {
  if (is_torn(taken, me)) return LockAnswer::owner_died;  // nobody came in since
  // seq_cst: before we look who is inside; see enter().
  words_->gate.store(kGateClosing, std::memory_order_seq_cst);
  const LockAnswer answer = drain(own, table, witness, deadline);
  if (answer == LockAnswer::acquired) {
    // acquire, though nothing is read: what comes now must not be done before, or a death in
    // between would leave a change that nobody is told of.
    // unseen if relaxed: a compiler may do so.
    words_->gate.exchange(kGateClosed, std::memory_order_acquire);
  } else {
    // release: as in pass_through().
    words_->gate.store(kGateOpen, std::memory_order_release);
  }
  return answer;
}

// Until nobody who lives is inside.
LockAnswer RwLockCore::drain(const ReaderLine* own, const ReaderTable& table,
                             const LockWitness& witness, Deadline deadline) noexcept {
  const ReaderSet set(words_->readers);
  // Whether those inside live, though nobody says that they died: once in a slice, however often
  // others come to the gate and go.
  bool doubt = false;
  Deadline sure = Deadline::after(patience_.slice);
  bool interrupted = false;
  // Ends with the deadline, or when no living reader is left. Spins no longer than a wake costs.
  for (std::uint32_t looks = 0;; ++looks) {
    // acquire: pairs with the release in tell_writer(): what is not seen below wakes us.
    // unseen if relaxed: as there.
    // equivalent if remembered: then the sleep fails, and we look again.
    const std::uint64_t before = words_->drained.load(std::memory_order_acquire);
    std::array<MemberId, kReadersHeard> inside;
    std::size_t count = 0;
    const auto note = [&](const MemberId& reader) {
      const bool dead =
          (doubt || witness.may_be_dead(reader)) && witness.liveness(reader) == Liveness::dead;
      if (!dead) inside[count++] = reader;
      return count < inside.size();
    };
    std::optional<Deadline> in_any_case;
    const auto enough = [&] {
      if (!in_any_case) in_any_case = Deadline::after(kLookMax);
      return deadline.has_passed() && in_any_case->has_passed();
    };
    if (!table.for_each_reader(key_, set, own, note, enough)) return LockAnswer::timed_out;
    if (count == 0) return LockAnswer::acquired;
    if (interrupted) return LockAnswer::interrupted;
    if (deadline.has_passed()) return LockAnswer::timed_out;
    if (looks < patience_.looks) {
      os::relax_processor();
      continue;
    }
    if (doubt) {
      const LockAnswer memory = witness.memory();
      if (memory != LockAnswer::acquired) return memory;
      sure = Deadline::after(patience_.slice);
    }
    const os::Slept slept =
        witness.sleep(words_->drained, static_cast<std::uint32_t>(before),
                      std::span(inside).first(count), deadline.within(patience_.slice));
    interrupted = slept == os::Slept::interrupted && deadline.is_interruptible();
    // relaxed: a reason to look more closely. equivalent if remembered: one too many.
    doubt = words_->drained.load(std::memory_order_relaxed) == before || sure.has_passed();
  }
}

LockAnswer RwLockCore::release(std::uint64_t me) noexcept {
  const LockAnswer answer = mutex_.check(me);
  if (!holds(answer)) return answer;
  // Before the mutex: who dies in between has left all whole.
  // release: publishes what was written to the readers that come.
  if (answer == LockAnswer::acquired) words_->gate.store(kGateOpen, std::memory_order_release);
  return mutex_.release(me);
}

// Never for long: whoever has the mutex may be about to wait for us.
LockAnswer RwLockCore::acquire_beside_readers(std::uint64_t me, const LockWitness& witness,
                                              Deadline deadline) noexcept {
  for (Deadline end = Deadline::now();; end = deadline.within(kBusyMax)) {
    const LockAnswer taken = mutex_.acquire(me, false, witness, end);
    if (taken != LockAnswer::timed_out) return taken;
    // Open: who has it has come to read, or has not closed it yet.
    // relaxed: it is asked again.
    const bool open = words_->gate.load(std::memory_order_relaxed) == kGateOpen;
    if (!open) return LockAnswer::would_deadlock;
    const LockAnswer memory = witness.memory();
    if (memory != LockAnswer::acquired) return memory;
    if (deadline.has_passed()) return LockAnswer::timed_out;
  }
}

LockAnswer RwLockCore::upgrade(std::uint64_t me, ReaderLine& line, const ReaderTable& table,
                               const LockWitness& witness, Deadline deadline) noexcept {
  const std::size_t known = find(line, key_);
  if (known == kReaderCells) return LockAnswer::not_owner;
  // relaxed: as in find(). equivalent if remembered: as there.
  const bool again = line.depths[known].load(std::memory_order_relaxed) != 0 ||
                     find(line, key_, known + 1) < kReaderCells;
  if (again) return LockAnswer::would_deadlock;  // it would wait for itself
  const LockAnswer taken = acquire_beside_readers(me, witness, deadline);
  if (!holds(taken)) return taken;
  const LockAnswer answer = close_gate(taken, me, &line, table, witness, deadline);
  if (holds(answer)) {
    // The mutex is ours, and the gate closed. release, and unseen if relaxed: as in pass_through().
    line.cells[known].store(0, std::memory_order_release);
  } else {
    static_cast<void>(mutex_.release(me));
  }
  return answer;
}

LockAnswer RwLockCore::downgrade(std::uint64_t me, ReaderLine& line) noexcept {
  const LockAnswer held = mutex_.check(me);
  if (held != LockAnswer::acquired) return held;
  const std::size_t free = find(line, 0);
  if (free == kReaderCells) return LockAnswer::limit_reached;
  // The next holder of the mutex sees it by our giving it back. release, and unseen if relaxed: as
  // in pass_through().
  line.cells[free].store(key_, std::memory_order_release);
  // release: as release().
  words_->gate.store(kGateOpen, std::memory_order_release);
  static_cast<void>(mutex_.release(me));
  return LockAnswer::acquired;
}

}  // namespace kith::internal
