#include "tests/hostile/lock_operations.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <utility>

namespace kith::hostile {
namespace {

using namespace std::chrono_literals;
using Byte = std::uint8_t;

Deadline deadline_of(Byte argument) {
  return argument % 2 == 0 ? Deadline::now() : Deadline::after(100us);
}

void count(Books& books, bool taken, bool damaged) {
  if (taken) ++books.locks;
  if (damaged) ++books.damaged;
}

// What taking a lock may answer.
LockAnswer taken(Actors& actors, LockAnswer answer) {
  require(to_string(answer) != "?", "an answer of a lock is none");
  require(answer != LockAnswer::released, "taking a lock answers what it cannot");
  count(actors.books(), holds(answer), answer == LockAnswer::damaged);
  return answer;
}

LockAnswer valid(LockAnswer answer) {
  require(to_string(answer) != "?", "an answer of a lock is none");
  return answer;
}

template <class... Where>
void open_lock(Actors& actors, Byte argument, const Where&... where) {
  actors.lock.reset();
  const auto repair = [argument] { return argument / 2 % 2 == 0; };
  actors.lock = argument % 2 == 0 ? std::make_unique<RwLock>(where...)
                                  : std::make_unique<RwLock>(where..., repair);
}

GuardedAnswer valid(Actors& actors, GuardedAnswer answer) {
  require(to_string(answer) != "?", "an answer of a guarded value is none");
  count(actors.books(), is_committed(answer), answer == GuardedAnswer::damaged);
  return answer;
}

}  // namespace

// ---- read-write locks

void open_rw_lock(Actors& actors, Byte argument) {
  open_lock(actors, argument, actors.domain(), kObject, RwLockOptions{});
}

void open_cells(Actors& actors, Byte argument) {
  close_locks(actors, 0);
  const auto region = Region<Cells>::open(actors.domain(), kObject);
  open_lock(actors, argument, region, region->lock);
  actors.guarded = std::make_unique<Guarded<Thing>>(region, region->value);
  actors.once = std::make_unique<Once>(region, region->once);
}

void read_lock(Actors& actors, Byte argument) {
  if (!actors.lock) return;
  (void)taken(actors, actors.lock->acquire_shared(deadline_of(argument)));
  (void)actors.lock->is_shared();
}

void write_lock(Actors& actors, Byte argument) {
  if (!actors.lock) return;
  (void)taken(actors, actors.lock->acquire(deadline_of(argument)));
  (void)valid(actors.lock->check());
}

void upgrade_lock(Actors& actors, Byte argument) {
  if (actors.lock) (void)taken(actors, actors.lock->upgrade(deadline_of(argument)));
}

void downgrade_lock(Actors& actors, Byte) {
  if (actors.lock) (void)taken(actors, actors.lock->downgrade());
}

void release_lock(Actors& actors, Byte) {
  if (!actors.lock) return;
  require(!holds(valid(actors.lock->release())), "release answers what it cannot");
}

void declare_lock(Actors& actors, Byte) {
  if (actors.lock) (void)valid(actors.lock->declare_consistent());
}

void retire_lock(Actors& actors, Byte) {
  if (actors.lock) (void)valid(actors.lock->retire());
}

// As the standard's guards use it, with a bound; but where the lock was taken away meanwhile, what
// unlock() throws would end the process in a guard's destructor.
void guard_lock(Actors& actors, Byte argument) {
  if (!actors.lock) return;
  if (argument % 2 == 0) {
    if (!actors.lock->try_lock_shared_for(argument * 4us)) return;
    ++actors.books().locks;
    actors.lock->unlock_shared();
  } else {
    if (!actors.lock->try_lock_for(argument * 4us)) return;
    ++actors.books().locks;
    actors.lock->unlock();
  }
}

void look_at_lock(Actors& actors, Byte) {
  if (!actors.lock) return;
  require(actors.lock->facts().readers <= kMembersMax, "more read it than there are");
  (void)actors.lock->attached();
  (void)actors.lock->is_orphaned();
}

// ---- guarded values

void open_guarded(Actors& actors, Byte) {
  actors.guarded.reset();
  actors.guarded = std::make_unique<Guarded<Thing>>(actors.domain(), kObject);
}

void change_guarded(Actors& actors, Byte argument) {
  if (!actors.guarded) return;
  if (argument / 2 % 4 == 3) {
    (void)valid(actors, actors.guarded->set(Thing{.number = argument}, deadline_of(argument)));
    return;
  }
  bool called = false;
  const bool wanted = argument / 2 % 4 != 2;
  const auto change = [&](Thing& value) {
    called = true;
    ++value.number;
    // From within it can be read, and not changed once more; unless somebody wrote that it is free.
    (void)valid(actors, actors.guarded->read(value, Deadline::now()));
    (void)valid(actors, actors.guarded->set(value, Deadline::now()));
    return wanted;
  };
  const GuardedAnswer answer = valid(actors, actors.guarded->change(change, deadline_of(argument)));
  require(called || !is_committed(answer), "committed, and was not called");
  require(wanted || !is_committed(answer), "committed what was not wanted");
}

void read_guarded(Actors& actors, Byte argument) {
  if (!actors.guarded) return;
  Thing value;
  const GuardedAnswer answer = valid(actors, actors.guarded->read(value, deadline_of(argument)));
  require(!is_committed(answer), "a read that commits");
  (void)actors.guarded->version();
  require(actors.guarded->facts().waited_ns >= 0, "somebody has waited since a time to come");
  (void)actors.guarded->attached();
}

// ---- guarded bytes

void open_guarded_bytes(Actors& actors, Byte argument) {
  actors.held.reset();
  actors.guarded_bytes.reset();
  actors.guarded_bytes = std::make_unique<GuardedBytes>(
      argument % 2 == 0 ? GuardedBytes(actors.domain(), kObject, kGuardedSize)
                        : GuardedBytes::open(actors.domain(), kObject));
  require(actors.guarded_bytes->size() != 0, "bytes that are none");
}

void hold_bytes(Actors& actors, Byte argument) {
  if (!actors.guarded_bytes) return;
  actors.held.emplace(actors.guarded_bytes->acquire(deadline_of(argument)));
  (void)taken(actors, actors.held->answer());
  require(static_cast<bool>(*actors.held) == holds(actors.held->answer()), "held, and not held");
  require(actors.guarded_bytes->facts().waited_ns >= 0, "somebody has waited since a time to come");
}

void use_held_bytes(Actors& actors, Byte argument) {
  if (!actors.held || !actors.guarded_bytes) return;
  require(actors.guarded_bytes->size() >= actors.held->bytes().size(), "more bytes than there are");
  touch(actors.held->bytes());
  if (Thing* thing = actors.held->as<Thing>(argument)) {
    touch(std::as_writable_bytes(std::span(thing, 1)));
  }
  if (argument % 2 == 0) (void)valid(actors.held->declare_consistent());
  if (argument > 200) (void)valid(actors.held->retire());
}

void release_bytes(Actors& actors, Byte) {
  if (!actors.held) return;
  require(!holds(valid(actors.held->release())), "release answers what it cannot");
}

// ---- what is run once

void open_once(Actors& actors, Byte) {
  actors.once.reset();
  actors.once = std::make_unique<Once>(actors.domain(), kObject);
}

struct Failed {};

void call_once(Actors& actors, Byte argument) {
  if (!actors.once) return;
  bool called = false;
  const auto run = [&](bool) {
    called = true;
    // From within it cannot be called; unless somebody wrote that nobody runs it.
    (void)actors.once->call([] {}, Deadline::now());
    if (argument > 200) throw Failed();
  };
  OnceAnswer answer = OnceAnswer::timed_out;
  try {
    answer = actors.once->call(run, deadline_of(argument));
  } catch (const Failed&) {
    require(called, "failed, and was not called");
  }
  require(to_string(answer) != "?", "an answer of a once is none");
  count(actors.books(), called, answer == OnceAnswer::damaged);
  require(called || (answer != OnceAnswer::ran && answer != OnceAnswer::ran_after_death),
          "done, and was not called");
  (void)actors.once->is_done();
  require(actors.once->facts().waited_ns >= 0, "somebody has waited since a time to come");
}

// ---- a barrier by itself

// All its parties, or as many as find a seat.
void open_barrier(Actors& actors, Byte argument) {
  for (auto& party : actors.parties) party.reset();
  for (auto& party : actors.parties) {
    party = std::make_unique<Barrier>(actors.domain(), kObject, kParties + argument % 8 / 7);
  }
}

void close_locks(Actors& actors, Byte argument) {
  if (argument % 2 == 0) actors.held.reset();
  actors.lock.reset();
  actors.guarded.reset();
  actors.guarded_bytes.reset();
  actors.held.reset();
  actors.once.reset();
  for (auto& party : actors.parties) party.reset();
}

}  // namespace kith::hostile
