#include "tests/explore/signal_world.hpp"

#include <algorithm>
#include <numeric>
#include <string>

namespace kith::explored {

using internal::CountingCore;
using internal::EventCore;
using testkit::explore::require;

SignalWorld::SignalWorld(const SignalSetting& setting)
    : WaitsWorld(setting.slices, true), setting_(setting) {
  called(&event_.set, "set");
  called(&event_.announced, "announced");
  called(&count_.count, "count");
  called(&count_.announced, "announced");
  for (auto& done : done_) called(&done, "what was done before");
  for (std::uint32_t i = 0; i < setting.setters; ++i) {
    const Work work = [this, i] { signal(i); };
    process("setter " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.waiters; ++i) {
    const Work work = [this, i] { wait(setting_.setters + i); };
    process("waiter " + std::to_string(i), work, work);
  }
}

EventCore SignalWorld::event() {
  const bool manual = setting_.signal == Signal::manual;
  return {event_, manual ? EventReset::manual : EventReset::automatic, patience()};
}
CountingCore SignalWorld::counting() {
  return {count_.count, count_.announced, patience()};
}

// Killed in the middle of a signal, one does not know whether it was one, and goes on to the next.
void SignalWorld::signal(std::uint32_t setter) {
  while (begun_.at(setter) < setting_.times) {
    const std::uint32_t turn = begun_.at(setter);
    done_.at(setter * setting_.times + turn).write(turn + 1);
    if (setting_.signal == Signal::manual && turn > 0) static_cast<void>(event().reset());
    begun_.at(setter) = turn + 1;
    if (setting_.signal == Signal::counting) {
      require(counting().release(setting_.at_once) == LockAnswer::released, "not released");
    } else {
      event().set();
    }
  }
}

bool SignalWorld::is_there() const {
  return setting_.signal == Signal::counting ? count_.count.peek() != 0 : event_.set.peek() == 1;
}

void SignalWorld::wait(std::uint32_t waiter) {
  while (taken_.at(waiter) < setting_.waits) {
    const Deadline deadline =
        setting_.hurried ? Deadline::after(std::chrono::hours(3)) : Deadline::never();
    const LockAnswer answer = setting_.signal == Signal::counting
                                  ? counting().acquire(*this, deadline)
                                  : event().wait(*this, deadline);
    if (answer == LockAnswer::timed_out) {
      require(setting_.hurried, "who waits for ever ran out of time");
      require(!is_there(), "gave up what is there");
      return;
    }
    require(answer == LockAnswer::acquired, "an answer that nobody expects");
    const std::uint32_t before = std::accumulate(taken_.begin(), taken_.end(), 0u);
    ++taken_.at(waiter);
    // Time goes on only while everybody waits.
    require(!deadline.has_passed(), "it slept beside what it waited for");
    // The signals of one setter are in order: so many that so many could be taken were seen.
    if (setting_.setters > 1) continue;
    const std::uint32_t seen = setting_.signal == Signal::manual ? 0 : before / setting_.at_once;
    require(seen < setting_.times, "more were let by than were signalled to");
    require(done_.at(seen).read() == seen + 1, "let by before it was signalled");
  }
}

void SignalWorld::at_end() {
  const std::uint32_t begun = std::accumulate(begun_.begin(), begun_.end(), 0u);
  const std::uint32_t taken = std::accumulate(taken_.begin(), taken_.end(), 0u);
  if (setting_.signal == Signal::manual) return;
  if (setting_.signal == Signal::automatic) {
    require(taken + event_.set.peek() <= begun, "a set let two by");
    return;
  }
  const std::uint64_t left = count_.count.peek();
  require(taken + left <= begun * setting_.at_once, "a signal was taken twice");
  if (setting_.hurried) return;  // the dead took some along
  require(taken + left == begun * setting_.at_once, "a signal was lost");
}

void SignalWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  for (const std::uint32_t begun : begun_) note(begun);
  for (const std::uint32_t taken : taken_) note(taken);
}

}  // namespace kith::explored
