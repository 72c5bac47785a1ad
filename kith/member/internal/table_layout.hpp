// The bytes of a domain's member table, the content of the region ".members".
//
//   0          TableHeader
//   4096       records, 128 bytes each, for members_max members
//   ...        for each member kListsSize bytes: inodes of the objects it uses (the attach list),
//              then what its threads wait for, then which read-write locks they read
//
// Only what is in use has pages: `records_ready` records, of each attach list what its owner
// allocated before it raised `attached_ready`, its notes once `notes_ready` says so, and
// `readers_ready` lines of its readers. Nobody touches the rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kith/base/atomics.hpp"
#include "kith/member/internal/reader_line.hpp"

namespace kith::internal {

inline constexpr const char* kMembersKind = "members";
inline constexpr std::size_t kMembersMaxWord = 0;  // word of the geometry

inline constexpr std::uint64_t kRecordsOffset = 4096;
inline constexpr std::uint64_t kWaitNotesSize = 4096;
inline constexpr std::uint64_t kWaitNotesOffset = 128 * 1024 - kWaitNotesSize;
inline constexpr std::uint64_t kReaderLinesOffset = kWaitNotesOffset + kWaitNotesSize;
inline constexpr std::uint64_t kListsSize = kReaderLinesOffset + kReaderLines * sizeof(ReaderLine);
inline constexpr std::uint32_t kAttachMax = kWaitNotesOffset / sizeof(std::uint64_t);
inline constexpr std::uint64_t kRecordSize = 128;

[[nodiscard]] constexpr std::uint64_t lists_offset(std::uint64_t members_max) noexcept {
  return (kRecordsOffset + members_max * kRecordSize + 4095) / 4096 * 4096;
}
[[nodiscard]] constexpr std::uint64_t table_size(std::uint64_t members_max) noexcept {
  return lists_offset(members_max) + members_max * kListsSize;
}

// Locks on the file, beside those of every region. `life` is held by a living member and by nobody
// else; `reap` by who gives back what a dead one held. They are two, so that being reaped never
// looks like being alive.
inline constexpr std::uint64_t kLifeLocks = std::uint64_t{1} << 51;
inline constexpr std::uint64_t kReapLocks = std::uint64_t{1} << 52;

struct TableHeader {
  RealAtomics::Word<std::uint32_t> records_ready;  // records with pages; only grows
  // Incarnations begin here, at random, so that words left in objects by members of an earlier
  // table of this domain match nobody in this one.
  std::uint32_t first_incarnation;
  // Tells this table from a later one in objects that both knew.
  std::uint64_t identity;
};

struct MemberRecord {
  // bits 0      used: a member joined and was neither reaped nor has it left
  // bits 32-63  incarnation: of that member, or of the last one; 0 if there never was one
  // Written by the joiner and the leaver under the life lock, by the reaper under the reap lock.
  RealAtomics::Word<std::uint64_t> state;
  RealAtomics::Word<std::uint32_t> attached_ready;  // entries of the attach list that have pages
  // For people. Written before `state` says used.
  RealAtomics::Word<std::uint32_t> pid;
  std::uint64_t pid_namespace;
  std::int64_t since_ns;  // wall clock
  std::uint32_t user;
  std::array<char, 16> program;
  // What the kernel is to write into when the process dies (kith/os/last_word.hpp); 0: nothing.
  RealAtomics::Word<std::uint32_t> life;
  RealAtomics::Word<std::uint32_t> notes_ready;    // 1: its wait notes have their page
  RealAtomics::Word<std::uint32_t> readers_ready;  // lines of readers that count
  std::array<char, 64> reserved;
};
static_assert(sizeof(MemberRecord) == kRecordSize && offsetof(MemberRecord, since_ns) == 24);
static_assert(offsetof(MemberRecord, life) == 52);
static_assert(offsetof(MemberRecord, readers_ready) == 60);

// A thread of a member that waits for a lock. For people: written by that thread alone.
struct WaitNote {
  // As it would stand in the lock's word; 0: nobody waits, or kNoteBeingWritten. Stored last.
  RealAtomics::Word<std::uint64_t> waiter;
  RealAtomics::Word<std::uint64_t> inode;  // of the region that the lock lies in
  // In its content; in the top byte, the kind of lock; bit 55: it waits for others as well.
  RealAtomics::Word<std::uint64_t> offset;
  RealAtomics::Word<std::uint64_t> since;  // CLOCK_MONOTONIC, ns
};
inline constexpr std::uint64_t kNoteBeingWritten = 1;  // no thread has the number 0
inline constexpr std::uint32_t kWaitNotesMax = kWaitNotesSize / 32;
static_assert(sizeof(WaitNote) == 32);

inline constexpr std::uint64_t kUsed = 1;

[[nodiscard]] constexpr std::uint32_t incarnation_of(std::uint64_t state) noexcept {
  return static_cast<std::uint32_t>(state >> 32);
}
[[nodiscard]] constexpr std::uint64_t state_word(std::uint32_t incarnation, bool used) noexcept {
  return (std::uint64_t{incarnation} << 32) | (used ? kUsed : 0);
}

}  // namespace kith::internal
