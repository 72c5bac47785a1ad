#include <chrono>
#include <cstddef>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "kith/region/layout.hpp"
#include "kith/sync/rw_lock.hpp"

#include "tests/prove/lock_trial.hpp"
#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

// The victim's handle, made by `before` or by the operation.
std::optional<RwLock>& victim() {
  static std::optional<RwLock> only;
  return only;
}

constexpr std::uint64_t kGateAt = offsetof(internal::RwLockWords, gate);

// What the next one must be told who takes it, when all others are dead.
LockAnswer due(const World& world) {
  const LockAnswer to_a_writer = prove::due(word_in_file(world, "lock"));
  const bool closed = word_in_file(world, "lock", kGateAt) == internal::kGateClosed;
  return to_a_writer == LockAnswer::owner_died && !closed ? LockAnswer::acquired : to_a_writer;
}

// Somebody who died in the middle of a change.
void die_writing(const World& world) {
  die_after([&] {
    auto* lock = new RwLock(world.domain(), "lock");
    expect(lock->acquire(patience()), LockAnswer::acquired);
    begin_change();
  });
}

// Somebody who died while it waited for readers to go.
void die_draining(const World& world) {
  die_after([&] {
    auto* lock = new RwLock(world.domain(), "lock");
    expect(lock->acquire(patience()), LockAnswer::acquired);
    std::fstream file(world.path() + "/lock", std::ios::binary | std::ios::in | std::ios::out);
    const std::uint64_t closing = internal::kGateClosing;
    file.seekp(static_cast<std::streamoff>(internal::kRegionHeaderSize + kGateAt));
    file.write(reinterpret_cast<const char*>(&closing), sizeof closing);
    if (!file.flush()) throw std::runtime_error("cannot write the lock's file");
  });
}

// ---- survivors

std::string written_and_given_back(RwLock& lock, LockAnswer answer, LockAnswer must_be) {
  if (answer != must_be) {
    return "it answered " + std::string(to_string(answer)) + ", not " +
           std::string(to_string(must_be));
  }
  if (answer == LockAnswer::retired) return {};
  if (answer == LockAnswer::acquired && !is_whole()) return "not whole, and nobody was told";
  change();
  if (lock.declare_consistent() != answer) return "it cannot be declared consistent";
  if (lock.downgrade() != LockAnswer::acquired) return "it cannot be downgraded";
  if (lock.release() != LockAnswer::released) return "it could not be given back";
  return {};
}

std::string read_and_given_back(RwLock& lock, LockAnswer must_be) {
  const LockAnswer answer = lock.acquire_shared(patience());
  if (answer != LockAnswer::acquired || must_be != LockAnswer::acquired) {
    return written_and_given_back(lock, answer, must_be);
  }
  if (!is_whole()) return "a reader sees it torn";
  if (lock.upgrade(patience()) != LockAnswer::acquired) return "somebody dead is waited for";
  change();
  if (lock.release() != LockAnswer::released) return "it could not be given back";
  return {};
}

// After any death: told if and only if a writer died inside; whole unless told; then as new.
std::string lock_works(const World& world) {
  const LockAnswer must_be = due(world);
  RwLock lock(world.domain(), "lock");
  std::string wrong = read_and_given_back(lock, must_be);
  if (must_be == LockAnswer::retired) return wrong;
  if (wrong.empty()) {
    wrong = written_and_given_back(lock, lock.acquire(patience()), LockAnswer::acquired);
  }
  return wrong.empty() ? read_and_given_back(lock, LockAnswer::acquired) : wrong;
}

Subject rw_lock_subject(const World& world, const std::string& name) {
  Subject subject = world.subject("rw lock: " + name);
  share(subject);
  subject.prepare = [world] { const RwLock lock(world.domain(), "lock"); };
  subject.before = [world] { victim().emplace(world.domain(), "lock"); };
  subject.survivor = [world] { return lock_works(world); };
  subject.restart = subject.survivor;
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

// ---- subjects

Subject open_subject(const World& world) {
  Subject subject = rw_lock_subject(world, "open or create");
  subject.prepare = nullptr;
  subject.before = nullptr;
  subject.operation = [world] { victim().emplace(world.domain(), "lock"); };
  return subject;
}

void read() {
  expect(victim()->acquire_shared(patience()), LockAnswer::acquired);
  if (!is_whole()) throw std::runtime_error("a reader sees it torn");
}
void write() {
  expect(victim()->acquire(patience()), LockAnswer::acquired);
  begin_change();
}

// `before` is done once the handle is open, and then `operation`, in which it is killed.
Subject step_subject(const World& world, const std::string& name, void (*before)(),
                     void (*operation)()) {
  Subject subject = rw_lock_subject(world, name);
  subject.before = [world, before] {
    victim().emplace(world.domain(), "lock");
    if (before != nullptr) before();
  };
  subject.operation = operation;
  return subject;
}

// Over what somebody dead has left.
Subject after_a_death_subject(const World& world, const std::string& name,
                              void (*die)(const World&), void (*operation)()) {
  Subject subject = rw_lock_subject(world, name);
  subject.before = [world, die] {
    victim().emplace(world.domain(), "lock");
    die(world);
  };
  subject.operation = operation;
  return subject;
}

Subject write_beside_a_reader_subject(const World& world) {
  Subject subject = rw_lock_subject(world, "write (killed asleep)");
  subject.bystander = [world] {
    auto* lock = new RwLock(world.domain(), "lock");
    expect(lock->acquire_shared(patience()), LockAnswer::acquired);
  };
  subject.operation = [] { static_cast<void>(victim()->acquire(Deadline::after(80ms))); };
  subject.survivor = [world] {
    RwLock lock(world.domain(), "lock");
    if (lock.acquire(Deadline::after(1ms)) != LockAnswer::timed_out) {
      return std::string("a living reader was robbed");
    }
    return demand(lock.acquire_shared(patience()) == LockAnswer::acquired, "no reader comes in");
  };
  subject.restart = subject.survivor;
  subject.balance = nullptr;  // the reader lives on
  return subject;
}

// The one asleep, in a process of its own: waits without an end for the victim, which reads.
void sleep_for_it(const World& world) {
  RwLock lock(world.domain(), "lock");
  while (lock.facts().readers == 0) std::this_thread::yield();
  const LockAnswer told = lock.acquire(Deadline::never());
  const bool fine = told == LockAnswer::acquired && is_whole();
  if (holds(told)) static_cast<void>(lock.release());
  lock.close();
  say_sleeper(fine);
}

Subject leave_to_a_sleeper_subject(const World& world) {
  Subject subject = rw_lock_subject(world, "release a read with a writer asleep");
  subject.bystander = [world] { std::thread(sleep_for_it, world).detach(); };
  subject.before = [world] {
    victim().emplace(world.domain(), "lock");
    read();
    while (!victim()->facts().draining) std::this_thread::yield();
  };
  subject.operation = [] { static_cast<void>(victim()->release()); };
  subject.survivor = [world] {
    const std::string wrong = sleeper_was_woken();
    return wrong.empty() ? lock_works(world) : wrong;
  };
  return subject;
}

}  // namespace

std::vector<Subject> rw_lock_subjects(const World& world) {
  return {
      open_subject(world),
      step_subject(world, "read", nullptr, &read),
      step_subject(world, "read inside of a read", &read, &read),
      step_subject(world, "release a read", &read, [] { static_cast<void>(victim()->release()); }),
      step_subject(world, "write", nullptr, &write),
      step_subject(world, "release a write", &write,
                   [] {
                     end_change();
                     static_cast<void>(victim()->release());
                   }),
      step_subject(world, "upgrade", &read,
                   [] {
                     expect(victim()->upgrade(patience()), LockAnswer::acquired);
                     begin_change();
                   }),
      step_subject(world, "downgrade", &write,
                   [] {
                     end_change();
                     expect(victim()->downgrade(), LockAnswer::acquired);
                   }),
      after_a_death_subject(world, "read after a draining writer", &die_draining, &read),
      after_a_death_subject(world, "read after a dead writer", &die_writing,
                            [] {
                              expect(victim()->acquire_shared(patience()), LockAnswer::owner_died);
                              change();
                              static_cast<void>(victim()->declare_consistent());
                              expect(victim()->downgrade(), LockAnswer::acquired);
                            }),
      leave_to_a_sleeper_subject(world),
      write_beside_a_reader_subject(world),
      step_subject(world, "close while reading", &read, [] { victim().reset(); }),
      step_subject(world, "close while writing", &write, [] { victim().reset(); }),
  };
}

}  // namespace kith::prove
