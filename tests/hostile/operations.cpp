#include "tests/hostile/operations.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <sys/stat.h>
#include <utility>

#include "kith/inspect/domains.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/inspect/locks.hpp"
#include "kith/inspect/members.hpp"
#include "kith/inspect/object.hpp"

#include "tests/hostile/lock_operations.hpp"
#include "tests/hostile/wait_operations.hpp"

namespace kith::hostile {
namespace {

using namespace std::chrono_literals;
using Byte = std::uint8_t;
using Number = std::atomic<std::uint64_t>;

// ---- looking ----

void check(const ObjectFacts& facts) {
  require_printable(facts.kind, "the kind of an object");
  require_printable(facts.type_name, "the type of an object");
  require_printable(facts.creator_program, "the creator of an object");
  require(static_cast<std::uint32_t>(facts.lifetime) <= 2, "a lifetime is none");
}

void list(Actors& actors, Byte) {
  for (const ObjectFacts& facts : list_objects(actors.domain())) check(facts);
}

void show(Actors& actors, Byte argument) {
  const char* name = argument % 2 == 0 ? kObject : "nothing";
  const auto view = object_view(actors.domain(), name);
  if (!view) return;
  check(view->facts);
  for (const RoleFacts& role : view->roles) {
    require_printable(role.name, "the name of a role");
    require_printable(role.program, "the program of a role");
  }
  for (const NamedObjectFacts& named : view->named) {
    require_printable(named.name, "the name of a named object");
    require_printable(named.type_name, "the type of a named object");
  }
  for (const AttachedMember& member : view->attached) {
    require_printable(member.program, "the program of an attached member");
  }
}

void facts(Actors& actors, Byte) {
  (void)latest_facts(actors.domain(), kObject);
}

void members_seen(Actors& actors, Byte) {
  for (const MemberView& member : list_members(actors.domain())) {
    require_printable(member.facts.program, "the program of a member");
  }
}

void domain_seen(Actors& actors, Byte) {
  (void)domain_facts(actors.world().path());
}

void clean(Actors& actors, Byte argument) {
  (void)clean_domain(actors.domain(), argument % 2 == 0 ? Roles::keep : Roles::drop_vacant);
}

// ---- members ----

void join(Actors& actors, Byte) {
  actors.member = std::make_unique<Member>(Member::join(actors.domain()));
  (void)actors.member->reaped_at_joining();
}

void leave(Actors& actors, Byte) {
  actors.member.reset();
}

void members(Actors& actors, Byte) {
  if (!actors.member) return;
  (void)actors.member->id();
  for (const MemberFacts& facts : actors.member->members()) {
    require_printable(facts.program, "the program of a member");
    (void)actors.member->liveness(facts.id);
  }
}

void reap(Actors& actors, Byte) {
  if (actors.member) (void)actors.member->reap_dead();
}

void wait_for_death(Actors& actors, Byte argument) {
  if (!actors.member) return;
  const MemberId id{argument % 5u, argument};
  (void)actors.member->liveness(id);
  (void)actors.member->wait_for_death(id, Deadline::now());
}

// ---- the channel ----

constexpr std::array<const char*, 4> kRoles{"", "viewer", "logger", "nobody"};

void open_writer(Actors& actors, Byte argument) {
  actors.draft = DraftBytes();
  actors.writer.reset();
  const std::uint64_t payload_max = argument % 8 == 7 ? 64 : kChannel.payload_max;
  LatestOptions options;
  options.role = argument / 8 % 4 == 3 ? "scribe" : "";
  actors.writer =
      std::make_unique<LatestBytesWriter>(actors.domain(), kObject, payload_max, options);
  const auto last = actors.writer->last();
  require(last.size() <= actors.writer->payload_max(), "the last value is too large");
  touch(last);
}

void count(Actors& actors, WriteAnswer answer) {
  if (answer == WriteAnswer::committed) ++actors.books().writes;
  if (answer == WriteAnswer::damaged) ++actors.books().damaged;
}

void write(Actors& actors, Byte argument) {
  if (!actors.writer) return;
  const std::array<std::byte, 255> value{};
  count(actors, actors.writer->write(std::span(value).first(argument)));
}

void draft(Actors& actors, Byte argument) {
  if (!actors.writer) return;
  actors.draft = argument == 0 ? actors.writer->draft() : actors.writer->draft(argument);
  touch(actors.draft.bytes());
}

void commit(Actors& actors, Byte) {
  if (actors.draft) count(actors, actors.draft.commit());
}

void look_at_writer(Actors& actors, Byte) {
  if (!actors.writer) return;
  touch(actors.writer->last());
  (void)actors.writer->sequence();
  (void)actors.writer->readers_joined();
  (void)actors.writer->is_orphaned();
}

void close_writer(Actors& actors, Byte argument) {
  if (argument % 2 == 0) actors.draft = DraftBytes();
  actors.writer.reset();
}

void open_reader(Actors& actors, Byte argument) {
  auto& reader = actors.readers[argument % 2];
  reader.reset();
  reader =
      std::make_unique<ReaderActor>(actors.domain(), kRoles[argument / 2 % 4],
                                    argument / 8 % 2 == 0 ? Inherited::resume : Inherited::let_go);
}

// Whoever may not open the object itself is taken for a guest.
void open_guest(Actors& actors, Byte argument) {
  const std::string path = actors.world().path() + "/" + kObject;
  const ObeyingModes obeying;
  ::chmod(path.c_str(), 0);
  try {
    open_reader(actors, argument);
  } catch (...) {
    ::chmod(path.c_str(), 0600);
    throw;
  }
  ::chmod(path.c_str(), 0600);
}

ReaderActor* reader_of(Actors& actors, Byte argument) {
  return actors.readers[argument % 2].get();
}

void acquire(Actors& actors, Byte argument) {
  if (auto* reader = reader_of(actors, argument)) reader->acquire(actors.books());
}
void refresh(Actors& actors, Byte argument) {
  if (auto* reader = reader_of(actors, argument)) reader->refresh(actors.books());
}
void release(Actors& actors, Byte argument) {
  if (auto* reader = reader_of(actors, argument)) reader->release();
}
void resume(Actors& actors, Byte argument) {
  if (auto* reader = reader_of(actors, argument)) reader->resume(actors.books());
}
void copy(Actors& actors, Byte argument) {
  if (auto* reader = reader_of(actors, argument)) reader->copy(argument, actors.books());
}

void wait_newer(Actors& actors, Byte argument) {
  auto* reader = reader_of(actors, argument);
  if (reader == nullptr) return;
  (void)reader->reader().has_newer();
  (void)reader->reader().wait_newer(argument < 128 ? Deadline::now() : Deadline::after(50us));
}

void look_at_reader(Actors& actors, Byte argument) {
  auto* reader = reader_of(actors, argument);
  if (reader == nullptr) return;
  (void)reader->reader().writer_liveness();
  (void)reader->reader().is_orphaned();
}

void close_reader(Actors& actors, Byte argument) {
  auto& reader = actors.readers[argument % 2];
  if (reader && argument / 2 % 2 == 1) reader->reader().retire_role();
  reader.reset();
}

// ---- regions ----

void look_at(Actors& actors, const RegionHandle& region) {
  (void)region.is_orphaned();
  if (region.has_lost_pages()) ++actors.books().lost_pages;
}

void open_objects(Actors& actors, Byte argument) {
  actors.objects.reset();
  const ObjectRegionOptions options{.bytes = 64, .objects_max = 2};
  actors.objects = std::make_unique<ObjectRegion>(
      argument % 2 == 0 ? ObjectRegion::open(actors.domain(), kObject)
                        : ObjectRegion::open_or_create(actors.domain(), kObject, options));
}

void find_objects(Actors& actors, Byte argument) {
  if (!actors.objects) return;
  look_at(actors, *actors.objects);
  for (const std::string& name : actors.objects->object_names()) {
    require_printable(name, "the name of a named object");
  }
  if (argument % 2 == 0) {
    if (auto* thing = actors.objects->find<Thing>("thing")) {
      ++actors.books().objects;
      touch(std::as_writable_bytes(std::span(thing, 1)));
    }
  } else if (auto* number = actors.objects->find<Number>("count")) {
    ++actors.books().objects;
    number->fetch_add(1, std::memory_order_relaxed);
  }
}

void add_object(Actors& actors, Byte argument) {
  if (!actors.objects) return;
  if (argument >= 192) {  // too large for what is left
    (void)actors.objects->find_or_create<std::array<Thing, 8>>("large", Deadline::now());
  } else if (argument >= 128) {  // there already
    (void)actors.objects->create_object<Thing>("thing", Deadline::now());
  }
  const std::string name = "new" + std::to_string(argument % 4);
  auto& number = actors.objects->find_or_create<Number>(name, Deadline::now());
  number.fetch_add(1, std::memory_order_relaxed);
  ++actors.books().objects;
}

void open_type(Actors& actors, Byte argument) {
  actors.type.reset();
  actors.type = std::make_unique<Region<Thing>>(
      argument % 2 == 0 ? Region<Thing>::open(actors.domain(), kObject)
                        : Region<Thing>::open_or_create(actors.domain(), kObject));
}

void use_type(Actors& actors, Byte) {
  if (!actors.type) return;
  touch(std::as_writable_bytes(std::span(actors.type->get(), 1)));
  look_at(actors, *actors.type);
  actors.type->reattach(Deadline::now());
}

void open_bytes(Actors& actors, Byte argument) {
  actors.bytes.reset();
  actors.bytes = std::make_unique<Region<>>(
      argument % 2 == 0 ? Region<>::open(actors.domain(), kObject)
                        : Region<>::open_or_create(actors.domain(), kObject, 5000));
}

void use_bytes(Actors& actors, Byte) {
  if (!actors.bytes) return;
  touch(actors.bytes->bytes());
  look_at(actors, *actors.bytes);
  actors.bytes->reattach(Deadline::now());
}

void close_regions(Actors& actors, Byte) {
  actors.objects.reset();
  actors.type.reset();
  actors.bytes.reset();
}

void remove(Actors& actors, Byte argument) {
  (void)remove_object(actors.domain(), kObject, argument % 2 == 0 ? Force::no : Force::yes);
}

// ---- memories ----

// The descriptor that a peer sent. Where it is sealed, it is opened by who insists on that.
int received(Actors& actors) {
  return actors.world().file(0);
}
Sealing demanded(Actors& actors) {
  return is_sealed(actors.world().kind()) ? Sealing::of_size : Sealing::not_needed;
}

void open_memory(Actors& actors, Byte argument) {
  if (!is_memory(actors.world().kind())) return;
  const int number = received(actors);
  const Sealing sealing = demanded(actors);
  switch (argument % 3) {
    case 0:
      actors.memory_type =
          std::make_unique<MemfdRegion<Thing>>(MemfdRegion<Thing>::open(number, sealing));
      break;
    case 1:
      actors.memory_to_read = std::make_unique<MemfdRegion<const Thing>>(
          MemfdRegion<const Thing>::open(number, sealing));
      break;
    default:
      actors.memory_bytes = std::make_unique<MemfdRegion<>>(MemfdRegion<>::open(number, sealing));
  }
}

void use_memory(Actors& actors, Byte) {
  if (actors.memory_type) touch(std::as_writable_bytes(std::span(actors.memory_type->get(), 1)));
  if (actors.memory_to_read) touch(std::as_bytes(std::span(actors.memory_to_read->get(), 1)));
  if (actors.memory_bytes) {
    touch(actors.memory_bytes->bytes());
    require(actors.memory_bytes->is_size_sealed() == is_sealed(actors.world().kind()),
            "a seal is not what it is");
  }
}

void close_memory(Actors& actors, Byte) {
  actors.memory_type.reset();
  actors.memory_to_read.reset();
  actors.memory_bytes.reset();
}

// ---- mutexes ----

LockAnswer valid(LockAnswer answer) {
  require(to_string(answer) != "?", "an answer of a lock is none");
  return answer;
}

MutexOptions mutex_options(Byte argument) {
  MutexOptions options;
  options.recursive = argument % 2 == 1;
  return options;
}

template <class Open>
void reopen_mutex(Actors& actors, Byte argument, Open open) {
  actors.mutex.reset();
  const auto repair = [argument] { return argument / 4 % 2 == 0; };
  actors.mutex =
      std::make_unique<Mutex>(argument / 2 % 2 == 0 ? open(mutex_options(argument))
                                                    : open(mutex_options(argument), repair));
}

void open_mutex(Actors& actors, Byte argument) {
  reopen_mutex(actors, argument,
               [&](auto&&... how) { return Mutex(actors.domain(), kObject, std::move(how)...); });
}

void open_cell(Actors& actors, Byte argument) {
  const auto region = Region<GuardedThing>::open(actors.domain(), kObject);
  reopen_mutex(actors, argument,
               [&](auto&&... how) { return Mutex(region, region->lock, std::move(how)...); });
}

void acquire_mutex(Actors& actors, Byte argument) {
  if (!actors.mutex) return;
  const auto deadline = argument % 2 == 0 ? Deadline::now() : Deadline::after(1ms);
  const LockAnswer answer = valid(actors.mutex->acquire(deadline));
  require(answer != LockAnswer::released && answer != LockAnswer::not_owner,
          "acquire answers what it cannot");
  if (holds(answer)) ++actors.books().locks;
  if (answer == LockAnswer::damaged) ++actors.books().damaged;
}

void release_mutex(Actors& actors, Byte) {
  if (!actors.mutex) return;
  require(!holds(valid(actors.mutex->release())), "release answers what it cannot");
}

void check_mutex(Actors& actors, Byte) {
  if (actors.mutex) (void)valid(actors.mutex->check());
}

void declare_mutex(Actors& actors, Byte) {
  if (actors.mutex) (void)valid(actors.mutex->declare_consistent());
}

void retire_mutex(Actors& actors, Byte) {
  if (actors.mutex) (void)valid(actors.mutex->retire());
}

void lock_mutex(Actors& actors, Byte argument) {
  if (!actors.mutex) return;
  if (!actors.mutex->try_lock_for(argument * 4us)) return;
  ++actors.books().locks;
  actors.mutex->unlock();
}

void look_at_mutex(Actors& actors, Byte) {
  if (!actors.mutex) return;
  require(actors.mutex->facts().waited_ns >= 0, "somebody has waited since a time to come");
  (void)actors.mutex->is_orphaned();
}

void close_mutex(Actors& actors, Byte) {
  actors.mutex.reset();
}

void locks_seen(Actors& actors, Byte) {
  const auto locks = list_locks(actors.domain());
  for (const LockView& lock : locks) {
    require_printable(lock.object, "the object of a lock");
    require_printable(lock.mutex.program, "the program of a holder");
    for (const WaitingUser& waiting : lock.waiting) {
      require_printable(waiting.user.program, "the program of a waiter");
      require(waiting.waited_ns >= 0, "somebody waits since a time to come");
    }
  }
  for (const Deadlock& deadlock : find_deadlocks(locks)) {
    require(deadlock.users.size() == deadlock.locks.size(), "a deadlock is no circle");
    for (const std::size_t which : deadlock.locks) require(which < locks.size(), "no such lock");
  }
}

// New ones at the end: the corpora of fuzzers know them by number.
constexpr std::array kOperations{
    Operation{"list", list},
    Operation{"show", show},
    Operation{"facts", facts},
    Operation{"members_seen", members_seen},
    Operation{"domain_seen", domain_seen},
    Operation{"clean", clean},
    Operation{"join", join},
    Operation{"leave", leave},
    Operation{"members", members},
    Operation{"reap", reap},
    Operation{"wait_for_death", wait_for_death},
    Operation{"open_writer", open_writer},
    Operation{"write", write},
    Operation{"draft", draft},
    Operation{"commit", commit},
    Operation{"look_at_writer", look_at_writer},
    Operation{"close_writer", close_writer},
    Operation{"open_reader", open_reader},
    Operation{"open_guest", open_guest},
    Operation{"acquire", acquire},
    Operation{"refresh", refresh},
    Operation{"release", release},
    Operation{"resume", resume},
    Operation{"copy", copy},
    Operation{"wait_newer", wait_newer},
    Operation{"look_at_reader", look_at_reader},
    Operation{"close_reader", close_reader},
    Operation{"open_objects", open_objects},
    Operation{"find_objects", find_objects},
    Operation{"add_object", add_object},
    Operation{"open_type", open_type},
    Operation{"use_type", use_type},
    Operation{"open_bytes", open_bytes},
    Operation{"use_bytes", use_bytes},
    Operation{"close_regions", close_regions},
    Operation{"remove", remove},
    Operation{"open_memory", open_memory},
    Operation{"use_memory", use_memory},
    Operation{"close_memory", close_memory},
    Operation{"open_mutex", open_mutex},
    Operation{"open_cell", open_cell},
    Operation{"acquire_mutex", acquire_mutex},
    Operation{"release_mutex", release_mutex},
    Operation{"check_mutex", check_mutex},
    Operation{"declare_mutex", declare_mutex},
    Operation{"retire_mutex", retire_mutex},
    Operation{"lock_mutex", lock_mutex},
    Operation{"look_at_mutex", look_at_mutex},
    Operation{"close_mutex", close_mutex},
    Operation{"locks_seen", locks_seen},
    Operation{"open_waits", open_waits},
    Operation{"use_events", use_events},
    Operation{"use_signals", use_signals},
    Operation{"use_condition", use_condition},
    Operation{"open_permits", open_permits},
    Operation{"use_permits", use_permits},
    Operation{"use_barrier", use_barrier},
    Operation{"close_waits", close_waits},
    Operation{"open_rw_lock", open_rw_lock},
    Operation{"open_cells", open_cells},
    Operation{"read_lock", read_lock},
    Operation{"write_lock", write_lock},
    Operation{"upgrade_lock", upgrade_lock},
    Operation{"downgrade_lock", downgrade_lock},
    Operation{"release_lock", release_lock},
    Operation{"declare_lock", declare_lock},
    Operation{"retire_lock", retire_lock},
    Operation{"guard_lock", guard_lock},
    Operation{"look_at_lock", look_at_lock},
    Operation{"open_guarded", open_guarded},
    Operation{"change_guarded", change_guarded},
    Operation{"read_guarded", read_guarded},
    Operation{"open_guarded_bytes", open_guarded_bytes},
    Operation{"hold_bytes", hold_bytes},
    Operation{"use_held_bytes", use_held_bytes},
    Operation{"release_bytes", release_bytes},
    Operation{"open_once", open_once},
    Operation{"call_once", call_once},
    Operation{"open_barrier", open_barrier},
    Operation{"close_locks", close_locks},
};

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

std::uint8_t operation_named(const std::string& name) {
  for (std::size_t i = 0; i < kOperations.size(); ++i) {
    if (name == kOperations[i].name) return static_cast<std::uint8_t>(i);
  }
  throw std::runtime_error("no operation is called '" + name + "'");
}

void call(const Operation& operation, Actors& actors, std::uint8_t argument) {
  ++actors.books().steps;
  try {
    operation.run(actors, argument);
  } catch (const Error& error) {
    ++actors.books().refusals;
    const int code = error.code().value();
    const bool is_known = code >= 1 && code <= static_cast<int>(Errc::retired);
    require(is_known && error.code().category() == error_category(), "an error has no number");
    require(!error.text().object.empty(), "an error names no object");
    require_printable(error.what(), "the text of an error");
  } catch (const std::exception& error) {
    defect(std::string(operation.name) + " threw another exception: " + error.what());
  } catch (...) {
    defect(std::string(operation.name) + " threw something that is no exception");
  }
}

}  // namespace kith::hostile
