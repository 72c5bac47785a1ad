// Subjects of all that waits by an event count, events, semaphores, barriers and conditions; and of
// waits for several objects.
#include "tests/explore/any_world.hpp"
#include "tests/explore/barrier_world.hpp"
#include "tests/explore/condition_world.hpp"
#include "tests/explore/semaphore_world.hpp"
#include "tests/explore/signal_world.hpp"
#include "tests/explore/subjects.hpp"

namespace kith::explored {
namespace {

using explore::Memory;

struct WaitSubject : SubjectOf<SignalWorld, SignalSetting>,
                     SubjectOf<SemaphoreWorld, SemaphoreSetting>,
                     SubjectOf<BarrierWorld, BarrierSetting>,
                     SubjectOf<ConditionWorld, ConditionSetting>,
                     SubjectOf<AnyWorld, AnySetting> {
  using SubjectOf<SignalWorld, SignalSetting>::operator();
  using SubjectOf<SemaphoreWorld, SemaphoreSetting>::operator();
  using SubjectOf<BarrierWorld, BarrierSetting>::operator();
  using SubjectOf<ConditionWorld, ConditionSetting>::operator();
  using SubjectOf<AnyWorld, AnySetting>::operator();
};
constexpr WaitSubject subject;

// And one sleeper wakes for no reason, as by a signal.
explore::Bounds interrupted(std::uint32_t preemptions,
                            explore::Memory memory = explore::Memory::sequential) {
  explore::Bounds once = bounds(preemptions, 0, memory);
  once.spurious_wakes = 1;
  return once;
}

constexpr SignalSetting kManual{.signal = Signal::manual};
constexpr SignalSetting kAutomatic{.signal = Signal::automatic, .times = 2, .waiters = 2};
constexpr SignalSetting kCounting{.signal = Signal::counting};

// Whose processes may die.
constexpr SignalSetting mortal(SignalSetting setting) {
  setting.hurried = setting.slices = true;
  return setting;
}

}  // namespace

std::vector<Subject> signal_subjects() {
  return {
      subject("event: manual, set, reset and set again", kManual, bounds(4, 0)),
      subject("event: manual, deaths", mortal(kManual), bounds(2, 1)),
      subject("event: manual, weak memory", kManual, bounds(2, 0, Memory::weak)),
      subject("event: automatic, 2 wait", mortal({kAutomatic}), bounds(4, 0)),
      subject("event: automatic, deaths", mortal(kAutomatic), bounds(2, 1)),
      subject("event: automatic, weak memory", mortal(kAutomatic), bounds(2, 0, Memory::weak)),
      subject("event: automatic, one waits, 2 set",
              {.signal = Signal::automatic, .setters = 2, .times = 1, .waiters = 1}, bounds(4, 0)),
      subject("counting semaphore: 2 releases, 2 acquire", kCounting, bounds(4, 0)),
      subject("counting semaphore: 2 released at once",
              {.signal = Signal::counting, .times = 1, .at_once = 2}, bounds(4, 0)),
      subject("counting semaphore: 2 release",
              {.signal = Signal::counting, .setters = 2, .times = 1}, bounds(3, 0)),
      subject("counting semaphore: deaths", mortal(kCounting), bounds(2, 1)),
      subject("counting semaphore: weak memory", kCounting, bounds(2, 0, Memory::weak)),
  };
}

std::vector<Subject> semaphore_subjects() {
  return {
      subject("semaphore: 1 permit, 3 members", SemaphoreSetting{.members = 3}, bounds(3, 0)),
      subject("semaphore: 2 permits, 3 members", SemaphoreSetting{.permits = 2, .members = 3},
              bounds(3, 0)),
      subject("semaphore: 1 permit, deaths", SemaphoreSetting{.times = 2, .slices = true},
              bounds(2, 1)),
      subject("semaphore: 2 permits, 3 members, deaths",
              SemaphoreSetting{.permits = 2, .members = 3, .slices = true}, bounds(1, 1)),
      subject("semaphore: 1 permit, two deaths", SemaphoreSetting{.slices = true}, bounds(1, 2)),
      subject("semaphore: 1 permit, deaths that are not suspected",
              SemaphoreSetting{.slices = true, .doubts = false}, bounds(2, 1)),
      subject("semaphore: 1 permit, one reaps", SemaphoreSetting{.reapers = 1, .slices = true},
              bounds(2, 1)),
      subject("semaphore: weak memory", SemaphoreSetting{.times = 2}, bounds(2, 0, Memory::weak)),
      subject("semaphore: weak memory, closed while held",
              SemaphoreSetting{.closes = true, .doubts = false}, bounds(2, 0, Memory::weak)),
      subject("semaphore: weak memory, deaths", SemaphoreSetting{.reapers = 1, .slices = true},
              bounds(1, 1, Memory::weak)),
  };
}

std::vector<Subject> barrier_subjects() {
  return {
      subject("barrier: 2 parties x 2", BarrierSetting{}, bounds(4, 0)),
      subject("barrier: 3 parties x 2", BarrierSetting{.parties = 3}, bounds(2, 0)),
      subject("barrier: 2 who sit down", BarrierSetting{.seated = false}, bounds(3, 0)),
      subject("barrier: 2 who begin anew", BarrierSetting{.seated = false, .used = true},
              bounds(4, 0)),
      subject("barrier: weak memory, 2 who begin anew",
              BarrierSetting{.seated = false, .used = true}, bounds(2, 0, Memory::weak)),
      subject("barrier: 3 parties, one leaves", BarrierSetting{.parties = 3, .leaves = true},
              bounds(2, 0)),
      subject("barrier: 2 parties, deaths", BarrierSetting{.slices = true}, bounds(2, 1)),
      subject("barrier: 3 parties, deaths", BarrierSetting{.parties = 3, .slices = true},
              bounds(1, 1)),
      subject("barrier: deaths that are not suspected",
              BarrierSetting{.slices = true, .doubts = false}, bounds(2, 1)),
      subject("barrier: 2 parties, one reaps", BarrierSetting{.reapers = 1, .slices = true},
              bounds(2, 1)),
      subject("barrier: weak memory", BarrierSetting{}, bounds(2, 0, Memory::weak)),
      subject("barrier: weak memory, looks before it sleeps", BarrierSetting{.spins = 1},
              bounds(2, 0, Memory::weak)),
      subject("barrier: weak memory, one leaves", BarrierSetting{.leaves = true},
              bounds(2, 0, Memory::weak)),
      subject("barrier: weak memory, deaths", BarrierSetting{.slices = true},
              bounds(1, 1, Memory::weak)),
  };
}

std::vector<Subject> condition_subjects() {
  constexpr ConditionSetting kAll{.times = 1, .all = true};
  constexpr ConditionSetting kMortal{.times = 2, .hurried = true, .slices = true};
  return {
      subject("condition: notify one, 2 wait", ConditionSetting{}, bounds(2, 0)),
      subject("condition: notify one afterwards, 2 wait", ConditionSetting{.after = true},
              bounds(2, 0)),
      subject("condition: notify all, 2 wait", kAll, bounds(3, 0)),
      subject("condition: notify one, deaths", kMortal, bounds(1, 1)),
      subject("condition: notify all, deaths",
              ConditionSetting{.times = 1, .all = true, .hurried = true, .slices = true},
              bounds(1, 1)),
      subject("condition: notify one afterwards, one waits, deaths",
              ConditionSetting{
                  .waiters = 1, .times = 1, .after = true, .hurried = true, .slices = true},
              bounds(2, 1)),
      subject("condition: weak memory", ConditionSetting{.waiters = 1, .times = 1},
              bounds(2, 0, Memory::weak)),
  };
}

std::vector<Subject> any_subjects() {
  constexpr AnySetting kSignals{.waiters = {"ec", "ec"}, .signals = {"e", "c"}};
  constexpr AnySetting kPassedOn{.waiters = {"ec", "c"}, .signals = {"ce"}, .returns = true};
  constexpr AnySetting kLocks{.waiters = {"sm", "ms", "sm"}};
  constexpr AnySetting kMutex{.waiters = {"em", "m", "m"}, .signals = {"e"}};
  constexpr AnySetting kMortal{
      .waiters = {"se", "se"}, .signals = {"e"}, .hurried = true, .slices = true};
  constexpr AnySetting kMortalSignals{
      .waiters = {"ec", "c"}, .signals = {"ce"}, .hurried = true, .slices = true};
  constexpr AnySetting kMortalLocks{.waiters = {"sm", "ms", "sm"}, .hurried = true, .slices = true};
  return {
      subject("any: 2 wait for an event and a count, 2 signal", kSignals, bounds(3, 0)),
      subject("any: a wake for what it does not take is passed on", kPassedOn, bounds(3, 0)),
      subject("any: 3 wait for a permit or a mutex", kLocks, bounds(3, 0)),
      subject("any: one waits for an event or a mutex, 2 for the mutex", kMutex, bounds(3, 0)),
      subject(
          "any: the starving",
          AnySetting{.waiters = {"me", "m", "m"}, .signals = {"e"}, .slices = true, .losses = 1},
          bounds(2, 0)),
      subject("any: a permit or an event, deaths", kMortal, bounds(2, 1)),
      subject("any: an event or a count, deaths", kMortalSignals, bounds(1, 1)),
      subject("any: a permit or a mutex, deaths", kMortalLocks, bounds(1, 1)),
      subject("any: weak memory, a wake is passed on", kPassedOn, bounds(1, 0, Memory::weak)),
      subject("any: weak memory, a permit or a mutex", kLocks, bounds(2, 0, Memory::weak)),
      subject("any: interrupted, a count",
              AnySetting{.waiters = {"ec", "c"}, .signals = {"cc"}, .interruptible = true},
              interrupted(2)),
      subject("interrupted, of 2 who wait for a count",
              AnySetting{.waiters = {"c", "c"}, .signals = {"cc"}, .interruptible = true},
              interrupted(3)),
      subject("interrupted, of 3 who wait for a mutex",
              AnySetting{.waiters = {"m", "m", "m"}, .interruptible = true}, interrupted(2)),
      subject("interrupted, of 3 who wait for a permit",
              AnySetting{.waiters = {"s", "s", "s"}, .interruptible = true}, interrupted(2)),
  };
}

std::vector<MutationTarget> wait_targets() {
  // Smaller ones than above, where they find as much: a mutant that is excused goes by all.
  const std::vector<Subject> event = {
      subject("manual", kManual, bounds(3, 0)),
      subject("manual, weak", kManual, bounds(1, 0, Memory::weak)),
      subject("automatic", mortal(kAutomatic), bounds(2, 0)),
      subject("automatic, weak", mortal(kAutomatic), bounds(2, 0, Memory::weak)),
      subject("automatic, deaths", mortal(kAutomatic), bounds(1, 1)),
  };
  const std::vector<Subject> counting = {
      subject("2 acquire", kCounting, bounds(3, 0)),
      subject("2 release", {.signal = Signal::counting, .setters = 2, .times = 1}, bounds(2, 0)),
      subject("weak", kCounting, bounds(2, 0, Memory::weak)),
  };
  const std::vector<Subject> barrier = {
      subject("2 parties", BarrierSetting{}, bounds(2, 0)),
      subject("weak", BarrierSetting{}, bounds(1, 0, Memory::weak)),
      subject("weak, looks first", BarrierSetting{.spins = 1}, bounds(2, 0, Memory::weak)),
      subject("weak, one leaves", BarrierSetting{.leaves = true}, bounds(1, 0, Memory::weak)),
      subject("sit down", BarrierSetting{.seated = false}, bounds(2, 0)),
      subject("begin anew", BarrierSetting{.seated = false, .used = true}, bounds(3, 0)),
      subject("3 parties, one leaves", BarrierSetting{.parties = 3, .leaves = true}, bounds(1, 0)),
      subject("deaths", BarrierSetting{.slices = true}, bounds(2, 1)),
      subject("reaper", BarrierSetting{.reapers = 1, .slices = true}, bounds(1, 1)),
      subject("weak, deaths", BarrierSetting{.slices = true}, bounds(1, 1, Memory::weak)),
  };
  const std::vector<Subject> all = [&] {
    std::vector<Subject> both = event;
    for (const auto& more : {counting, condition_subjects()}) {
      both.insert(both.end(), more.begin(), more.end());
    }
    return both;
  }();
  return {
      {"event_count.hpp", "sync/internal/event_count.hpp", all},
      {"event_core.hpp", "sync/internal/event_core.hpp", event},
      {"counting_core.hpp", "sync/internal/counting_core.hpp", counting},
      {"semaphore_core.hpp", "sync/internal/semaphore_core.hpp", semaphore_subjects()},
      {"barrier_core.hpp", "sync/internal/barrier_core.hpp", barrier},
  };
}

}  // namespace kith::explored
