#include "tests/explore/any_world.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace kith::explored {

using internal::MutexCore;
using internal::MutexWord;
using internal::StepsPlace;
using internal::WaitSteps;
using testkit::explore::fail;
using testkit::explore::require;

namespace {

internal::MutexPatience patience_of(const AnySetting& setting) {
  internal::MutexPatience patience;
  patience.losses = setting.losses;
  if (!setting.slices) patience.slice = patience.reserved = std::chrono::hours(1'000'000);
  return patience;
}

template <std::size_t kCount>
std::uint32_t named(const std::array<std::string_view, kCount>& all) {
  return static_cast<std::uint32_t>(
      std::count_if(all.begin(), all.end(), [](std::string_view one) { return !one.empty(); }));
}

}  // namespace

AnyWorld::AnyWorld(const AnySetting& setting)
    : WaitsWorld(setting.slices, true),
      setting_(setting),
      setters_(named(setting.signals)),
      event_core_(event_, EventReset::automatic, patience()),
      counting_core_(count_.count, count_.announced, patience()),
      semaphore_core_(permit_announced_, std::span(&permit_, 1), patience()),
      mutex_core_(mutex_, patience_of(setting)) {
  called(&event_.set, "event");
  called(&event_.announced, "event announced");
  called(&count_.count, "count");
  called(&count_.announced, "count announced");
  called(&permit_, "permit");
  called(&permit_announced_, "permit announced");
  called(&mutex_.word, "mutex");
  called(&semaphore_held_.guarded, "what the permit stands for");
  called(&mutex_held_.guarded, "what the mutex guards");
  for (std::uint32_t i = 0; i < named(setting.waiters); ++i) {
    const Work work = [this, i] { wait(i); };
    process("waiter " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setters_; ++i) {
    const Work work = [this, i] { signal(i); };
    process("setter " + std::to_string(i), work, work);
  }
}

// Killed in the middle of a signal, one does not know whether it was one, and goes on to the next.
void AnyWorld::signal(std::uint32_t setter) {
  const std::string_view signals = setting_.signals.at(setter);
  while (begun_.at(setter) < signals.size()) {
    if (signals.at(begun_.at(setter)++) == 'e') {
      ++events_;
      event_core_.set();
    } else {
      ++counts_;
      require(counting_core_.release(1) == LockAnswer::released, "not released");
    }
  }
}

void AnyWorld::wait(std::uint32_t waiter) {
  if (done_.at(waiter)) return;
  const std::uint64_t me = MutexWord::of(born(waiter), waiter);
  Deadline deadline = setting_.hurried ? Deadline::after(std::chrono::hours(3)) : Deadline::never();
  const bool interruptible = setting_.interruptible && waiter == 0;
  if (interruptible) deadline = deadline.interruptible();
  const AnyAnswer any = wait_once(waiter, me, deadline);
  done_.at(waiter) = true;
  if (any.answer == LockAnswer::interrupted) {
    require(interruptible, "interrupted, and had not asked for it");
    return;
  }
  const std::string_view objects = setting_.waiters.at(waiter);
  if (any.answer == LockAnswer::timed_out) {
    require(setting_.hurried, "who waits for ever ran out of time");
    for (const char one : objects) require(!is_there(one), "gave up what is there");
    return;
  }
  require(holds(any.answer), "an answer that nobody expects");
  // Time goes on only while everybody waits.
  require(!deadline.has_passed(), "it slept beside what it waited for");
  take(waiter, objects.at(any.index), me, any.answer);
}

AnyAnswer AnyWorld::wait_once(std::uint32_t waiter, std::uint64_t me, Deadline deadline) {
  const std::string_view objects = setting_.waiters.at(waiter);
  if (objects.size() == 1) {
    const LockAnswer answer = wait_alone(objects.front(), me, deadline);
    return {holds(answer) ? 0 : AnyAnswer::kNone, answer};
  }
  std::array<StepsPlace, 4> places;
  std::array<WaitSteps*, 4> steps{};
  for (std::size_t i = 0; i < objects.size(); ++i) {
    StepsPlace& place = places.at(i);
    const char what = objects.at(i);
    steps.at(i) = what == 'e'   ? &place.begin(*this, event_core_.waiting())
                  : what == 'c' ? &place.begin(*this, counting_core_.waiting())
                  : what == 's'
                      ? &place.begin(*this, semaphore_core_.waiting(MutexWord::member(me), *this))
                      : &place.begin(*this, MutexCore::Waiting(mutex_core_, me, false, *this));
  }
  return internal::AnyWait(std::span(steps).first(objects.size()), deadline, patience().slice)
      .run();
}

LockAnswer AnyWorld::wait_alone(char what, std::uint64_t me, Deadline deadline) {
  switch (what) {
    case 'e':
      return event_core_.wait(*this, deadline);
    case 'c':
      return counting_core_.acquire(*this, deadline);
    case 's':
      return semaphore_core_.acquire(MutexWord::member(me), *this, deadline);
    default:
      return mutex_core_.acquire(me, false, *this, deadline);
  }
}

void AnyWorld::take(std::uint32_t waiter, char what, std::uint64_t me, LockAnswer answer) {
  if (what == 'e') {
    ++events_taken_;
  } else if (what == 'c') {
    ++counts_taken_;
    if (!setting_.returns || setting_.waiters.at(waiter).size() == 1) return;
    ++counts_;
    require(counting_core_.release(1) == LockAnswer::released, "not put back");
  } else if (what == 's') {
    use(semaphore_held_, waiter, answer);
    require(semaphore_core_.release(MutexWord::member(me)) == LockAnswer::released, "not released");
  } else {
    use(mutex_held_, waiter, answer);
    if (answer == LockAnswer::owner_died) {
      require(mutex_core_.declare_consistent(me) == answer, "not declared consistent");
    }
    require(mutex_core_.release(me) == LockAnswer::released, "not released");
  }
}

void AnyWorld::use(Held& held, std::uint32_t waiter, LockAnswer answer) {
  const bool told = answer == LockAnswer::owner_died;
  require(told == held.owed, told ? "told of a death that was none" : "not told of a death");
  held.owed = false;
  require(!held.inside, "two hold it");
  held.inside = true;
  held.by = waiter;
  held.guarded.write(held.guarded.read() + 1);
  held.inside = false;
}

bool AnyWorld::is_of_the_dead(std::uint64_t word) const {
  return internal::has_owner(word) && !lives(internal::owner_of(word));
}

// For who gives up: also what the dead hold.
bool AnyWorld::is_there(char what) const {
  const auto is_free = [this](std::uint64_t word) {
    return !internal::has_owner(word) || is_of_the_dead(word);
  };
  switch (what) {
    case 'e':
      return event_.set.peek() == 1;
    case 'c':
      return count_.count.peek() != 0;
    case 's':
      return is_free(permit_.peek());
    default:
      return is_free(mutex_.word.peek());
  }
}

void AnyWorld::died(std::size_t process) {
  WaitsWorld::died(process);
  if (is_of_the_dead(permit_.peek())) semaphore_held_.owed = true;
  if (is_of_the_dead(mutex_.word.peek())) mutex_held_.owed = true;
  for (Held* held : {&semaphore_held_, &mutex_held_}) {
    if (held->inside && held->by == process) held->inside = false;
  }
}

void AnyWorld::at_end() {
  require(events_taken_ + event_.set.peek() <= events_, "a set let two by");
  const std::uint64_t left = count_.count.peek();
  require(counts_taken_ + left <= counts_, "a signal was taken twice");
  // Of the dead, nobody knows whether they had signalled, or had taken one.
  if (!setting_.hurried) require(counts_taken_ + left == counts_, "a signal was lost");
  for (const std::uint64_t word : {permit_.peek(), mutex_.word.peek()}) {
    require(!internal::has_owner(word) || is_of_the_dead(word), "it is held at the end");
  }
}

void AnyWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  for (const Held* held : {&semaphore_held_, &mutex_held_}) {
    note(held->owed);
    note(held->inside ? held->by + 1 : 0);
  }
  for (const std::uint32_t begun : begun_) note(begun);
  for (const bool done : done_) note(done);
  for (const std::uint32_t one : {events_, counts_, events_taken_, counts_taken_}) note(one);
}

}  // namespace kith::explored
