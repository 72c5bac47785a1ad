// Locks of a domain: who holds what, who waits for whom, and who will wait for ever.
//
//   for (const LockView& lock : list_locks(domain)) print(lock.object, lock.state.text);
//   for (const Deadlock& deadlock : find_deadlocks(list_locks(domain))) ...
//
// States       a snapshot; the threads go on meanwhile. A deadlock stays one, so what a second look
//              does not find again was none.
// Callers      any thread. Nothing is locked, mapped or kept alive; the right to read is enough.
// A peer dies  a dead holder is shown as dead until the next one takes its lock; the dead wait for
//              nothing.
// Cost         about 50 us, and some us for each lock and member.
//
// Named ones are all seen; those inside a region of somebody's own only while a thread waits for
// them, since nobody else knows where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kith/member/member_id.hpp"
#include "kith/region/domain.hpp"
#include "kith/sync/lock_kind.hpp"
#include "kith/sync/mutex_facts.hpp"

namespace kith {

// A thread of a member. `pid` and `program` where the domain still knows them.
struct LockUser {
  MemberId id;
  std::uint32_t thread = 0;  // of its threads that use locks, numbered from 1
  std::uint32_t pid = 0;
  std::string program;
  friend bool operator==(const LockUser& one, const LockUser& other) noexcept {
    return one.id == other.id && one.thread == other.thread;
  }
};

// A mutex, and the one who holds it.
struct MutexView {
  MutexFacts facts;
  std::uint32_t pid = 0;                  // of the holder, where the domain still knows it; else 0
  std::string program;                    // likewise
  Liveness liveness = Liveness::unknown;  // of the holder
};

// A process that holds a permit, or is a party of a barrier.
struct LockHolder {
  MemberId id;
  std::uint32_t pid = 0;  // where the domain still knows it; else 0
  std::string program;    // likewise
  Liveness liveness = Liveness::unknown;
};

// What a lock is, and how it stands.
struct LockState {
  LockKind kind = LockKind::mutex;
  std::string text;  // "2 of 4 permits held"; of a mutex empty: see MutexView
  // Of a named semaphore, one for each permit; of a barrier; of a read-write lock its writer.
  std::vector<LockHolder> holders;
};

struct WaitingUser {
  LockUser user;
  std::int64_t waited_ns = 0;
  bool has_others = false;  // it waits for other objects as well (wait_any), and needs one of them
};

struct LockView {
  std::string object;        // the region it lies in
  bool named = false;        // it is that object; else a cell inside it
  std::uint64_t offset = 0;  // of a cell, in the region's content
  LockState state;
  MutexView mutex;  // of a mutex
  std::vector<WaitingUser> waiting;
};

// Each waits for a lock that the next one holds, and the last for one of the first.
struct Deadlock {
  std::vector<LockUser> users;
  std::vector<std::size_t> locks;  // that each of them waits for: which of the list
};

// By object and offset. Empty if there is no such domain.
[[nodiscard]] std::vector<LockView> list_locks(const Domain& domain);
[[nodiscard]] std::vector<Deadlock> find_deadlocks(const std::vector<LockView>& locks);

}  // namespace kith
