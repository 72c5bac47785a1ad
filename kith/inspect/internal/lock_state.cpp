#include "kith/inspect/internal/lock_state.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "kith/sync/barrier.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/internal/mutex_word.hpp"
#include "kith/sync/internal/named_mutex.hpp"
#include "kith/sync/internal/rw_lock_core.hpp"
#include "kith/sync/semaphore.hpp"

namespace kith::internal {
namespace {

// Words of shared memory, read once.
using Numbers = std::vector<std::uint64_t>;

Numbers read_words(const Look& look, std::uint64_t offset, std::size_t count) {
  Numbers words(count);
  if (offset % sizeof(std::uint64_t) != 0) return {};
  if (!look.read(offset, words.data(), count * sizeof words[0])) return {};
  return words;
}

// As many as fit behind a head, and no more than there can be.
std::size_t count_behind(const Look& look, std::uint64_t head, std::uint64_t each,
                         std::uint64_t most) {
  const std::uint64_t size = look.facts().content_size;
  return size < head ? 0 : static_cast<std::size_t>(std::min((size - head) / each, most));
}

LockHolder holder_of(std::uint64_t word, const MemberTable& table) {
  LockHolder holder;
  holder.id = owner_of(word);
  holder.liveness = Liveness::dead;  // whoever is not in the table has left or was reaped
  for (const TableEntry& entry : table.entries()) {
    if (entry.facts.id != holder.id) continue;
    holder.pid = entry.facts.pid;
    holder.program = entry.facts.program;
    holder.liveness = entry.facts.liveness;
  }
  return holder;
}

std::string event_text(const Numbers& words) {
  std::string text = words[0] == 1 ? "set" : "not set";
  if (words[2] == 1 + static_cast<std::uint64_t>(EventReset::automatic)) text += ", automatic";
  return text;
}

// The mutex of a read-write lock, and its gate. Who reads it is not written there.
constexpr std::size_t kGateWord = sizeof(MutexWords) / sizeof(std::uint64_t);

void add_writer(LockState& state, const Numbers& words, const MemberTable& table) {
  const std::uint64_t word = words[0];
  const std::uint64_t gate = words[kGateWord];
  const bool inconsistent = (word & MutexWord::kInconsistent) != 0 && gate == kGateClosed;
  if (MutexWord::is_retired(word)) {
    state.text = "retired";
  } else if (!MutexWord::is_held(word)) {
    state.text = inconsistent
                     ? "inconsistent: a writer died, and nobody has repaired what it guards"
                     : "not written";
  } else {
    state.holders.push_back(holder_of(word, table));
    state.text = gate == kGateClosed    ? "held by a writer"
                 : gate == kGateClosing ? "a writer waits until nobody reads it"
                                        : "somebody comes in";
    if (inconsistent) state.text += ", inconsistent";
  }
}

void add_permits(LockState& state, const Look& look, const MemberTable& table) {
  const std::size_t count =
      count_behind(look, sizeof(SemaphoreWords), sizeof(std::uint64_t), kPermitsMax);
  for (const std::uint64_t permit : read_words(look, sizeof(SemaphoreWords), count)) {
    if (has_owner(permit)) state.holders.push_back(holder_of(permit, table));
  }
  state.text =
      std::to_string(state.holders.size()) + " of " + std::to_string(count) + " permits held";
}

void add_parties(LockState& state, const Look& look, const MemberTable& table) {
  constexpr std::size_t kWords = sizeof(BarrierSeat) / sizeof(std::uint64_t);
  const std::size_t count =
      count_behind(look, sizeof(BarrierHead), sizeof(BarrierSeat), kPartiesMax);
  const Numbers head = read_words(look, 0, 1);
  const Numbers seats = read_words(look, sizeof(BarrierHead), count * kWords);
  const std::uint64_t phase = head.empty() ? 0 : BarrierCore::number(head[0]);
  std::size_t arrived = 0;
  for (std::size_t i = 0; i + 1 < seats.size(); i += kWords) {
    if (!has_owner(seats[i])) continue;
    state.holders.push_back(holder_of(seats[i], table));
    if (seats[i + 1] == phase + 1) ++arrived;
  }
  state.text = "phase " + std::to_string(phase) + ", " + std::to_string(arrived) + " of " +
               std::to_string(count) + " parties arrived";
}

}  // namespace

std::optional<LockKind> lock_kind_of(const std::string& region_kind) {
  if (has_named_mutex(region_kind)) return LockKind::mutex;
  for (auto kind = 0u; kind <= static_cast<unsigned>(kLastLockKind); ++kind) {
    if (to_string(static_cast<LockKind>(kind)) == region_kind) return static_cast<LockKind>(kind);
  }
  return std::nullopt;
}

std::optional<LockState> lock_state_at(const Look& look, LockKind kind, std::uint64_t offset,
                                       bool named, const MemberTable& table) {
  LockState state;
  state.kind = kind;
  if (kind == LockKind::event || kind == LockKind::counting_semaphore) {
    const Numbers words = read_words(look, offset, kind == LockKind::event ? 3 : 2);
    if (words.empty()) return std::nullopt;
    state.text =
        kind == LockKind::event ? event_text(words) : std::to_string(words[0]) + " counted";
  }
  if (kind == LockKind::rwlock) {
    const Numbers words = read_words(look, offset, kGateWord + 1);
    if (words.empty()) return std::nullopt;
    add_writer(state, words, table);
  }
  if (named && kind == LockKind::semaphore) add_permits(state, look, table);
  if (named && kind == LockKind::barrier) add_parties(state, look, table);
  return state;
}

}  // namespace kith::internal
