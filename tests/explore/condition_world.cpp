#include "tests/explore/condition_world.hpp"

#include <algorithm>
#include <numeric>
#include <string>

namespace kith::explored {

using internal::ConditionCore;
using internal::MutexCore;
using internal::MutexWord;
using internal::Wake;
using testkit::explore::require;

ConditionWorld::ConditionWorld(const ConditionSetting& setting)
    : WaitsWorld(setting.slices, true), setting_(setting) {
  called(&lock_.word, "mutex");
  called(&lock_.depth, "depth");
  called(&announced_, "announced");
  called(&pieces_, "pieces");
  for (std::uint32_t i = 0; i < setting.notifiers; ++i) {
    const Work work = [this, i] { notify(i); };
    process("notifier " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.waiters; ++i) {
    const Work work = [this, i] { take(setting_.notifiers + i); };
    process("waiter " + std::to_string(i), work, work);
  }
}

MutexCore ConditionWorld::mutex() {
  internal::MutexPatience mutex_patience;
  mutex_patience.losses = 100;
  mutex_patience.slice = mutex_patience.reserved = patience().slice;
  return MutexCore(lock_, mutex_patience);
}
ConditionCore ConditionWorld::condition() {
  return {announced_, patience()};
}

void ConditionWorld::lock(std::uint64_t me) {
  const LockAnswer answer = mutex().acquire(me, false, *this, Deadline::never());
  require(holds(answer), "an answer that nobody expects");
  // One write changes all that is guarded: it is whole.
  if (answer == LockAnswer::owner_died) static_cast<void>(mutex().declare_consistent(me));
}
void ConditionWorld::unlock(std::uint64_t me) {
  require(mutex().release(me) == LockAnswer::released, "not given back");
}

// As ConditionState::wait().
LockAnswer ConditionWorld::wait(std::uint64_t me, Deadline deadline) {
  const internal::EventCount::Ticket ticket = condition().arrive();
  unlock(me);
  const LockAnswer slept = condition().sleep(ticket, *this, deadline);
  lock(me);
  return slept;
}

void ConditionWorld::notify(std::uint32_t notifier) {
  const std::uint64_t me = MutexWord::of(born(notifier), notifier);
  const Wake whom = setting_.all ? Wake::all : Wake::one;
  while (made_.at(notifier) < setting_.times) {
    lock(me);
    pieces_.write(pieces_.read() + (setting_.all ? setting_.waiters : 1));
    ++made_.at(notifier);
    if (!setting_.after) condition().notify(whom);
    unlock(me);
    if (setting_.after) condition().notify(whom);
  }
}

void ConditionWorld::take(std::uint32_t waiter) {
  if (taken_.at(waiter)) return;
  const std::uint64_t me = MutexWord::of(born(waiter), waiter);
  const Deadline deadline =
      setting_.hurried ? Deadline::after(std::chrono::hours(3)) : Deadline::never();
  lock(me);
  LockAnswer answer = LockAnswer::acquired;
  while (pieces_.read() == 0 && answer == LockAnswer::acquired) answer = wait(me, deadline);
  const std::uint64_t pieces = pieces_.read();
  require(setting_.hurried || answer == LockAnswer::acquired, "who waits for ever ran out of time");
  // Time goes on only while everybody waits.
  require(answer == LockAnswer::acquired || pieces == 0, "it slept beside what it waited for");
  if (pieces != 0) {
    taken_.at(waiter) = true;
    pieces_.write(pieces - 1);
  }
  unlock(me);
}

void ConditionWorld::at_end() {
  const std::uint64_t made = std::accumulate(made_.begin(), made_.end(), 0u) *
                             (setting_.all ? setting_.waiters : std::uint64_t{1});
  const auto taken = static_cast<std::uint64_t>(std::count(taken_.begin(), taken_.end(), true));
  // A death may come between a change and the ghost of it, so then there may be one more.
  if (!setting_.hurried) require(pieces_.peek() + taken == made, "a piece was lost, or made up");
}

void ConditionWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  for (const std::uint32_t made : made_) note(made);
  for (const bool taken : taken_) note(taken);
}

}  // namespace kith::explored
