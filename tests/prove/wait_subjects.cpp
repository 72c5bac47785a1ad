// Events, semaphores, barriers and conditions under the step killer.
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "kith/member/member.hpp"
#include "kith/sync/barrier.hpp"
#include "kith/sync/condition.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/semaphore.hpp"

#include "tests/prove/wait_roles.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

constexpr std::uint32_t kPermits = 2;
constexpr std::uint64_t kPhases = 3;

// The victim's handles, made by `before` or by the operation.
struct Victim {
  std::optional<Event> event;
  std::optional<CountingSemaphore> count;
  std::optional<Semaphore> semaphore;
  std::optional<Barrier> barrier;
  std::optional<Mutex> mutex;
  std::optional<Condition> condition;
  std::optional<Member> member;
};
Victim& victim() {
  static Victim only;
  return only;
}

// ---- events

Subject event_set_subject(const World& world) {
  Subject subject = wait_subject(world, "event: set with somebody asleep");
  subject.prepare = [world] { const Event event(world.domain(), "it"); };
  subject.bystander = sleeper([world] {
    Event event(world.domain(), "it");
    return event.wait(Deadline::never()) == AwaitAnswer::happened;
  });
  subject.before = [world] {
    victim().event.emplace(world.domain(), "it");
    until_somebody_waits(world, sizeof(std::uint64_t));
  };
  subject.operation = [] { victim().event->set(); };
  subject.survivor = [world] {
    Event event(world.domain(), "it");
    // If it is set, that is enough, whoever was to wake those who wait.
    if (!event.is_set()) event.set();
    const std::string wrong = sleeper_was_woken();
    if (!wrong.empty()) return wrong;
    return demand(event.wait(Deadline::now()) == AwaitAnswer::happened, "it does not stay set");
  };
  return subject;
}

Subject event_wait_subject(const World& world) {
  Subject subject = wait_subject(world, "event: wait (automatic, let by)");
  const EventOptions automatic{.reset = EventReset::automatic};
  subject.prepare = [world, automatic] { Event(world.domain(), "it", automatic).set(); };
  subject.before = [world, automatic] { victim().event.emplace(world.domain(), "it", automatic); };
  subject.operation = [] {
    must(victim().event->wait(patience()) == AwaitAnswer::happened, "it was not let by");
  };
  subject.survivor = [world, automatic] {
    Event event(world.domain(), "it", automatic);
    event.set();
    if (event.wait(patience()) != AwaitAnswer::happened) return std::string("a set lets nobody by");
    return demand(event.wait(Deadline::now()) == AwaitAnswer::timed_out, "a set let two by");
  };
  return subject;
}

// ---- counting semaphores

Subject counting_release_subject(const World& world) {
  Subject subject = wait_subject(world, "counting semaphore: release with somebody asleep");
  subject.prepare = [world] { const CountingSemaphore count(world.domain(), "it"); };
  subject.bystander = sleeper([world] {
    CountingSemaphore count(world.domain(), "it");
    return count.acquire(Deadline::never()) == LockAnswer::acquired;
  });
  subject.before = [world] {
    victim().count.emplace(world.domain(), "it");
    until_somebody_waits(world, sizeof(std::uint64_t));
  };
  subject.operation = [] {
    must(victim().count->release() == LockAnswer::released, "it was not released");
  };
  subject.survivor = [world] {
    CountingSemaphore count(world.domain(), "it");
    const bool counted = count.count() != 0 || shared().sleeper.load(std::memory_order_acquire);
    if (!counted && count.release() != LockAnswer::released) return std::string("not released");
    const std::string wrong = sleeper_was_woken();
    if (!wrong.empty()) return wrong;
    // It may have taken the victim's signal before it could say so: then ours is left.
    if (count.count() != 0) static_cast<void>(count.try_acquire());
    return demand(count.try_acquire() == LockAnswer::timed_out, "a signal was counted twice");
  };
  return subject;
}

Subject counting_acquire_subject(const World& world) {
  Subject subject = wait_subject(world, "counting semaphore: acquire");
  subject.prepare = [world] {
    static_cast<void>(CountingSemaphore(world.domain(), "it").release(2));
  };
  subject.before = [world] { victim().count.emplace(world.domain(), "it"); };
  subject.operation = [] {
    must(victim().count->acquire(patience()) == LockAnswer::acquired, "it was not acquired");
  };
  subject.survivor = [world] {
    CountingSemaphore count(world.domain(), "it");
    const std::uint64_t left = count.count();
    if (left != 1 && left != 2) return "it took " + std::to_string(2 - left);
    for (std::uint64_t i = 0; i < left; ++i) {
      if (count.try_acquire() != LockAnswer::acquired) return std::string("one is not there");
    }
    if (count.try_acquire() != LockAnswer::timed_out) return std::string("one is there twice");
    if (count.release() != LockAnswer::released) return std::string("not released");
    return demand(count.acquire(patience()) == LockAnswer::acquired, "released, and not there");
  };
  // What the survivor left.
  subject.restart = [world] {
    return demand(CountingSemaphore(world.domain(), "it").count() == 0, "a count from nowhere");
  };
  return subject;
}

// ---- semaphores

// All permits can be had; so many come from the dead.
std::string all_permits_come_back(Semaphore& semaphore, std::uint32_t from_the_dead) {
  std::uint32_t told = 0;
  for (std::uint32_t i = 0; i < semaphore.permits(); ++i) {
    const LockAnswer answer = semaphore.acquire(patience());
    if (!holds(answer)) return "acquire answered " + std::string(to_string(answer));
    if (answer == LockAnswer::owner_died) ++told;
  }
  if (semaphore.try_acquire() != LockAnswer::timed_out) return "there are more than there were";
  for (std::uint32_t i = 0; i < semaphore.permits(); ++i) {
    if (semaphore.release() != LockAnswer::released) return "one could not be given back";
  }
  if (semaphore.release() != LockAnswer::not_owner) return "one could be given back twice";
  return demand(told == from_the_dead, "told of " + std::to_string(told) + " from the dead, not " +
                                           std::to_string(from_the_dead));
}

std::string semaphore_works(const World& world) {
  std::uint32_t from_the_dead = 0;
  for (std::uint32_t i = 0; i < kPermits; ++i) {
    const std::uint64_t offset = sizeof(internal::SemaphoreWords) + i * sizeof(std::uint64_t);
    if (word_in_file(world, "it", offset) != 0) ++from_the_dead;
  }
  Semaphore semaphore(world.domain(), "it", kPermits);
  const std::string wrong = all_permits_come_back(semaphore, from_the_dead);
  return wrong.empty() ? all_permits_come_back(semaphore, 0) : wrong;
}

Subject semaphore_subject(const World& world, const std::string& name) {
  Subject subject = wait_subject(world, "semaphore: " + name);
  subject.prepare = [world] { const Semaphore semaphore(world.domain(), "it", kPermits); };
  subject.before = [world] { victim().semaphore.emplace(world.domain(), "it", kPermits); };
  subject.survivor = [world] { return semaphore_works(world); };
  subject.restart = subject.survivor;
  return subject;
}

void take_all_of_them(const World& world) {
  auto* semaphore = new Semaphore(world.domain(), "it", kPermits);
  for (std::uint32_t i = 0; i < kPermits; ++i) {
    must(holds(semaphore->acquire(patience())), "it was not acquired");
  }
}

Subject semaphore_acquire_subject(const World& world) {
  Subject subject = semaphore_subject(world, "acquire");
  subject.operation = [] {
    must(victim().semaphore->acquire(patience()) == LockAnswer::acquired, "it was not acquired");
  };
  return subject;
}

Subject semaphore_inherit_subject(const World& world) {
  Subject subject = semaphore_subject(world, "acquire from a dead holder");
  subject.before = [world] {
    victim().semaphore.emplace(world.domain(), "it", kPermits);
    die_after([&] { take_all_of_them(world); });
  };
  subject.operation = [] {
    must(victim().semaphore->acquire(patience()) == LockAnswer::owner_died, "it was not told");
  };
  return subject;
}

Subject semaphore_reap_subject(const World& world) {
  Subject subject = semaphore_subject(world, "reap a dead holder");
  subject.before = [world] {
    victim().member = Member::join(world.domain());
    die_after([&] { take_all_of_them(world); });
  };
  subject.operation = [] { static_cast<void>(victim().member->reap_dead()); };
  return subject;
}

Subject semaphore_close_subject(const World& world) {
  Subject subject = semaphore_subject(world, "close while holding one");
  subject.before = [world] {
    victim().semaphore.emplace(world.domain(), "it", kPermits);
    must(holds(victim().semaphore->acquire(patience())), "it was not acquired");
  };
  subject.operation = [] { victim().semaphore.reset(); };
  return subject;
}

Subject semaphore_release_subject(const World& world) {
  Subject subject = semaphore_subject(world, "release with somebody asleep");
  subject.bystander = [world] {
    std::thread([world] {
      Semaphore semaphore(world.domain(), "it", kPermits);
      while (semaphore.held() != kPermits) std::this_thread::yield();
      const bool fine = holds(semaphore.acquire(Deadline::never())) &&
                        semaphore.release() == LockAnswer::released;
      semaphore.close();
      shared().sleeper.store(fine ? 1 : 2, std::memory_order_release);
    }).detach();
  };
  subject.before = [world] {
    victim().semaphore.emplace(world.domain(), "it", kPermits);
    for (std::uint32_t i = 0; i < kPermits; ++i) {
      must(holds(victim().semaphore->acquire(patience())), "it was not acquired");
    }
    until_somebody_waits(world, 0);
  };
  subject.operation = [] {
    must(victim().semaphore->release() == LockAnswer::released, "it was not released");
  };
  subject.survivor = [world] {
    const std::string wrong = sleeper_was_woken();
    return wrong.empty() ? semaphore_works(world) : wrong;
  };
  return subject;
}

// ---- barriers of two parties

// The other party, which takes part until so many phases are over.
bool take_part(const World& world) {
  Barrier barrier(world.domain(), "it", 2);
  while (barrier.phase() < kPhases) {
    const AwaitAnswer answer = barrier.arrive_and_wait(Deadline::never());
    if (answer != AwaitAnswer::happened && answer != AwaitAnswer::party_died) return false;
  }
  return true;
}

Subject barrier_subject(const World& world, const std::string& name) {
  Subject subject = wait_subject(world, "barrier: " + name);
  subject.prepare = [world] { Barrier(world.domain(), "it", 2).leave(); };
  subject.bystander = sleeper([world] { return take_part(world); });
  subject.before = [world] {
    victim().barrier.emplace(world.domain(), "it", 2);
    until_somebody_waits(world, sizeof(std::uint64_t));
  };
  subject.survivor = [world] {
    Barrier barrier(world.domain(), "it", 2);
    while (barrier.phase() < kPhases) {
      const AwaitAnswer answer = barrier.arrive_and_wait(patience());
      if (answer == AwaitAnswer::happened || answer == AwaitAnswer::party_died) continue;
      return "the barrier answered " + std::string(to_string(answer));
    }
    barrier.close();
    return sleeper_was_woken();
  };
  return subject;
}

Subject barrier_arrive_subject(const World& world) {
  Subject subject = barrier_subject(world, "arrive and wait");
  subject.operation = [] {
    must(victim().barrier->arrive_and_wait(patience()) == AwaitAnswer::happened, "not passed");
  };
  return subject;
}

Subject barrier_sit_down_subject(const World& world) {
  Subject subject = barrier_subject(world, "sit down");
  subject.before = [world] { until_somebody_waits(world, sizeof(std::uint64_t)); };
  subject.operation = [world] { victim().barrier.emplace(world.domain(), "it", 2); };
  return subject;
}

Subject barrier_leave_subject(const World& world) {
  Subject subject = barrier_subject(world, "leave");
  subject.operation = [] { victim().barrier->leave(); };
  return subject;
}

// ---- conditions

// Waits until the value is set.
bool wait_for_value(const World& world, Deadline deadline) {
  Mutex lock(world.domain(), "lock");
  Condition changed(world.domain(), "it");
  if (!holds(lock.acquire(Deadline::never()))) return false;
  AwaitAnswer answer = AwaitAnswer::owner_died;
  while (answer == AwaitAnswer::owner_died) {
    static_cast<void>(lock.declare_consistent());
    answer = changed.wait(lock, deadline, is_value_set);
  }
  return lock.release() == LockAnswer::released && answer == AwaitAnswer::happened;
}

// Sets it unless it is set; then nobody notifies.
std::string set_value_if_need_be(const World& world, void (Condition::*notify)() noexcept) {
  Mutex lock(world.domain(), "lock");
  Condition changed(world.domain(), "it");
  if (!holds(lock.acquire(patience()))) return "the mutex cannot be had";
  static_cast<void>(lock.declare_consistent());
  const bool ours = !is_value_set();
  set_value();
  if (lock.release() != LockAnswer::released) return "the mutex cannot be given back";
  if (ours) (changed.*notify)();
  return {};
}

Subject condition_subject(const World& world, const std::string& name) {
  Subject subject = wait_subject(world, "condition: " + name);
  subject.prepare = [world] {
    const Mutex lock(world.domain(), "lock");
    const Condition changed(world.domain(), "it");
  };
  subject.bystander = sleeper([world] { return wait_for_value(world, Deadline::never()); });
  subject.before = [world] {
    victim().mutex.emplace(world.domain(), "lock");
    victim().condition.emplace(world.domain(), "it");
    until_somebody_waits(world, 0);
  };
  subject.survivor = [world] {
    const std::string wrong = set_value_if_need_be(world, &Condition::notify_one);
    return wrong.empty() ? sleeper_was_woken() : wrong;
  };
  return subject;
}

Subject condition_notify_subject(const World& world) {
  Subject subject = condition_subject(world, "change and notify with somebody asleep");
  subject.operation = [] {
    must(holds(victim().mutex->acquire(patience())), "the mutex was not acquired");
    set_value();
    static_cast<void>(victim().mutex->release());
    victim().condition->notify_one();
  };
  return subject;
}

// Another one waits, and a third notifies when both do.
Subject condition_wait_subject(const World& world) {
  Subject subject = condition_subject(world, "wait, and be notified");
  subject.bystander = [world, other = subject.bystander] {
    other();
    std::thread([world] {
      // Or the survivor did it.
      while (arrivals(world, 0) < 2 && !is_value_set()) std::this_thread::yield();
      if (!is_value_set()) {
        static_cast<void>(set_value_if_need_be(world, &Condition::notify_all));
      }
      shared().others.store(1, std::memory_order_release);
    }).detach();
  };
  subject.survivor = [survivor = subject.survivor] {
    const std::string wrong = survivor();
    const Deadline deadline = patience();
    while (shared().others.load(std::memory_order_acquire) == 0) {
      if (deadline.has_passed()) return std::string("who was to notify did not");
      std::this_thread::yield();
    }
    return wrong;
  };
  subject.operation = [] {
    must(holds(victim().mutex->acquire(patience())), "the mutex was not acquired");
    const AwaitAnswer answer = victim().condition->wait(*victim().mutex, patience(), is_value_set);
    must(answer == AwaitAnswer::happened, "it was not notified");
    static_cast<void>(victim().mutex->release());
  };
  return subject;
}

}  // namespace

std::vector<Subject> wait_subjects(const World& world) {
  return {
      event_set_subject(world),         event_wait_subject(world),
      counting_release_subject(world),  counting_acquire_subject(world),
      semaphore_acquire_subject(world), semaphore_release_subject(world),
      semaphore_inherit_subject(world), semaphore_reap_subject(world),
      semaphore_close_subject(world),   barrier_arrive_subject(world),
      barrier_sit_down_subject(world),  barrier_leave_subject(world),
      condition_notify_subject(world),  condition_wait_subject(world),
  };
}

}  // namespace kith::prove
