#include <chrono>
#include <optional>
#include <thread>

#include "kith/member/member.hpp"
#include "kith/sync/mutex.hpp"

#include "tests/prove/lock_trial.hpp"
#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

// The victim's handles, made by `before` or by the operation.
struct Victim {
  std::optional<Mutex> mutex;
  std::optional<Member> member;
};
Victim& victim() {
  static Victim only;
  return only;
}

void take(Mutex& mutex, LockAnswer expected) {
  expect(mutex.acquire(patience()), expected);
}

// Somebody who died in the middle of a change.
void die_holding(const World& world) {
  die_after([&] {
    auto* mutex = new Mutex(world.domain(), "lock");
    take(*mutex, LockAnswer::acquired);
    begin_change();
  });
}

std::string taken_and_given_back(Mutex& mutex, LockAnswer must_be) {
  const LockAnswer answer = mutex.acquire(patience());
  if (answer != must_be) {
    return "acquire answered " + std::string(to_string(answer)) + ", not " +
           std::string(to_string(must_be));
  }
  if (answer == LockAnswer::retired) return {};
  if (answer == LockAnswer::acquired && !is_whole()) return "not whole, and nobody was told";
  if (mutex.facts().recursions != 0) return "it has to be given back more than once";
  change();
  if (mutex.declare_consistent() != answer) return "it cannot be declared consistent";
  if (mutex.check() != LockAnswer::acquired) return "it is not consistent after the repair";
  if (mutex.release() != LockAnswer::released) return "it could not be given back";
  return {};
}

// After any death: told if and only if somebody died holding it; whole unless told; then as new.
std::string mutex_works(const World& world) {
  const LockAnswer must_be = due(word_in_file(world, "lock"));
  Mutex mutex(world.domain(), "lock");
  std::string wrong = taken_and_given_back(mutex, must_be);
  if (wrong.empty() && must_be != LockAnswer::retired) {
    wrong = taken_and_given_back(mutex, LockAnswer::acquired);
  }
  return wrong;
}

Subject mutex_subject(const World& world, const std::string& name) {
  Subject subject = world.subject("mutex: " + name);
  share(subject);
  subject.prepare = [world] { const Mutex mutex(world.domain(), "lock"); };
  subject.before = [world] { victim().mutex.emplace(world.domain(), "lock"); };
  subject.survivor = [world] { return mutex_works(world); };
  subject.restart = subject.survivor;
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

Subject open_subject(const World& world) {
  Subject subject = mutex_subject(world, "open or create");
  subject.prepare = nullptr;
  subject.before = nullptr;
  subject.operation = [world] { victim().mutex.emplace(world.domain(), "lock"); };
  return subject;
}

Subject open_beside_others_subject(const World& world) {
  Subject subject = mutex_subject(world, "open beside its holder");
  subject.prepare = nullptr;
  subject.before = nullptr;
  subject.bystander = [world] {
    auto* mutex = new Mutex(world.domain(), "lock");
    take(*mutex, LockAnswer::acquired);
  };
  subject.operation = [world] { victim().mutex.emplace(world.domain(), "lock"); };
  // It is the living one's, whoever dies beside it.
  subject.survivor = [world] {
    Mutex mutex(world.domain(), "lock");
    return demand(mutex.try_acquire() == LockAnswer::timed_out, "a living holder was robbed");
  };
  subject.restart = subject.survivor;
  subject.balance = [world] {
    const Member me = Member::join(world.domain());
    static_cast<void>(me.reap_dead());
    return demand(me.members().size() == 2, "leak: a dead member stays in the table");
  };
  return subject;
}

Subject close_subject(const World& world) {
  Subject subject = mutex_subject(world, "close (last of the domain)");
  const MutexOptions options{.lifetime = Lifetime::until_last_member};
  subject.prepare = nullptr;
  subject.before = [world, options] { victim().mutex.emplace(world.domain(), "lock", options); };
  subject.operation = [] { victim().mutex.reset(); };
  return subject;
}

Subject close_holding_subject(const World& world) {
  Subject subject = mutex_subject(world, "close while holding it");
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock");
    take(*victim().mutex, LockAnswer::acquired);
    begin_change();
  };
  subject.operation = [] { victim().mutex.reset(); };
  return subject;
}

Subject acquire_free_subject(const World& world) {
  Subject subject = mutex_subject(world, "acquire free");
  subject.operation = [] {
    take(*victim().mutex, LockAnswer::acquired);
    begin_change();
  };
  return subject;
}

Subject release_subject(const World& world) {
  Subject subject = mutex_subject(world, "release");
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock");
    take(*victim().mutex, LockAnswer::acquired);
    begin_change();
  };
  subject.operation = [] {
    end_change();
    static_cast<void>(victim().mutex->release());
  };
  return subject;
}

Subject recursive_subject(const World& world) {
  Subject subject = mutex_subject(world, "acquire and release again (recursive)");
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock", MutexOptions{.recursive = true});
    take(*victim().mutex, LockAnswer::acquired);
    begin_change();
  };
  subject.operation = [] {
    take(*victim().mutex, LockAnswer::acquired);
    end_change();
    static_cast<void>(victim().mutex->release());
    static_cast<void>(victim().mutex->release());
  };
  return subject;
}

Subject inherit_subject(const World& world) {
  Subject subject = mutex_subject(world, "acquire from a dead holder");
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock");
    die_holding(world);
  };
  subject.operation = [] { take(*victim().mutex, LockAnswer::owner_died); };
  return subject;
}

Subject repair_subject(const World& world, const std::string& name, void (*last)(Mutex&)) {
  Subject subject = mutex_subject(world, name);
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock");
    die_holding(world);
    take(*victim().mutex, LockAnswer::owner_died);
  };
  subject.operation = [last] {
    change();
    last(*victim().mutex);
  };
  return subject;
}

Subject reap_subject(const World& world) {
  Subject subject = mutex_subject(world, "reap a dead holder");
  subject.before = [world] {
    victim().member = Member::join(world.domain());
    die_holding(world);
  };
  subject.operation = [] { static_cast<void>(victim().member->reap_dead()); };
  return subject;
}

Subject wait_subject(const World& world) {
  Subject subject = mutex_subject(world, "acquire (killed asleep)");
  subject.bystander = [world] {
    auto* mutex = new Mutex(world.domain(), "lock");
    take(*mutex, LockAnswer::acquired);
  };
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock");
    static_cast<void>(victim().mutex->try_acquire());  // what only the first time takes is done
  };
  subject.operation = [] { static_cast<void>(victim().mutex->acquire(Deadline::after(80ms))); };
  subject.survivor = [world] {
    Mutex mutex(world.domain(), "lock");
    return demand(mutex.acquire(Deadline::after(1ms)) == LockAnswer::timed_out,
                  "a living holder was robbed");
  };
  subject.restart = subject.survivor;
  subject.balance = nullptr;  // the holder lives on
  return subject;
}

// The one asleep, in a process of its own: waits without an end from when the victim has the mutex.
void sleep_for_it(const World& world) {
  Mutex mutex(world.domain(), "lock");
  while (!mutex.facts().held) std::this_thread::yield();
  const LockAnswer told = mutex.acquire(Deadline::never());
  const bool fine = told == LockAnswer::owner_died || (told == LockAnswer::acquired && is_whole());
  if (holds(told)) {
    end_change();
    static_cast<void>(mutex.declare_consistent());
    static_cast<void>(mutex.release());
  }
  mutex.close();
  say_sleeper(fine);
}

Subject release_to_a_sleeper_subject(const World& world) {
  Subject subject = mutex_subject(world, "release with somebody asleep");
  subject.bystander = [world] { std::thread(sleep_for_it, world).detach(); };
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock");
    take(*victim().mutex, LockAnswer::acquired);
    begin_change();
    while (!victim().mutex->facts().has_waiters) std::this_thread::yield();
  };
  subject.operation = [] {
    end_change();
    static_cast<void>(victim().mutex->release());
  };
  subject.survivor = [world] {
    const std::string wrong = sleeper_was_woken();
    return wrong.empty() ? mutex_works(world) : wrong;
  };
  return subject;
}

}  // namespace

std::vector<Subject> mutex_subjects(const World& world) {
  return {
      open_subject(world),
      open_beside_others_subject(world),
      acquire_free_subject(world),
      release_subject(world),
      recursive_subject(world),
      inherit_subject(world),
      repair_subject(world, "declare consistent",
                     [](Mutex& mutex) { static_cast<void>(mutex.declare_consistent()); }),
      repair_subject(world, "retire", [](Mutex& mutex) { static_cast<void>(mutex.retire()); }),
      release_to_a_sleeper_subject(world),
      wait_subject(world),
      reap_subject(world),
      close_holding_subject(world),
      close_subject(world),
  };
}

}  // namespace kith::prove
