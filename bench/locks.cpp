// A mutex that nobody else wants, one that two processes want all the time, and one that a crowd
// wants, ours beside the usual ones.
//
// What is guarded is a count and the name of the last holder, on a line of its own: as short as a
// critical section can be. A hand-over is a holder that finds another's name there. The contestants
// of one run take turns within each repeat, and a ratio is formed in that repeat.
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/bench.hpp"
#include "bench/lock_rivals.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr int kWarm = 100;
constexpr std::uint64_t kTimedEvery = 16;  // a clock read in each round would be most of it

// ---- nobody else wants it

Run alone(const Plan& plan) {
  return {"lock", [plan](Crew& crew, Book& book) {
            const TimedAlone ours =
                time_lock<KithLock>(plan, crew, book, "lock", "kith, acquire and release");
            const TimedAlone standard =
                time_lock<KithStandardLock>(plan, crew, book, "lock", KithStandardLock::kName);
            for_each_rival_lock([&]<class Lock>() {
              const TimedAlone rival = time_lock<Lock>(plan, crew, book, "lock", Lock::kName);
              const double slower = std::max(ours.p50_ns, standard.p50_ns);
              Notes notes(book, std::max({ours.share, standard.share, rival.share}));
              notes.number({"lock_against", Lock::kName}, "p50_ratio", slower / rival.p50_ns, "x");
            });
          }};
}

// ---- several want it

struct Guarded {
  std::uint64_t count = 0;
  std::uint64_t last = 0;
};

struct Wanted {
  int processes = 2;
  int ms = 100;
  double outside_ns = 0;  // that each spends elsewhere before it wants the lock again
};

void spend(double ns) {
  if (ns == 0) return;
  const auto end = ticks() + static_cast<std::uint64_t>(ns / ticking().ns_per_tick);
  while (ticks() < end) {
  }
}

// numbers[0]: hand-overs.
template <class Lock>
void want_role(const LockPlace& place, const Wanted& wanted, std::size_t part, Stage& stage,
               Sheet& sheet) {
  Lock lock(place);
  auto& guarded = *static_cast<Guarded*>(place.guarded());
  std::uint64_t hand_overs = 0;
  const auto use = [&] {
    ++guarded.count;
    hand_overs += guarded.last != part ? 1 : 0;
    guarded.last = part;
    lock.unlock();
    spend(wanted.outside_ns);
  };
  for (int i = 0; i < kWarm; ++i) lock.lock(), use();
  hand_overs = 0;
  {
    const Measured measured(stage, sheet);
    while (stage.goes_on()) {
      for (std::uint64_t i = 1; i < kTimedEvery; ++i) lock.lock(), use();
      const std::uint64_t before = ticks();
      lock.lock();
      const std::uint64_t after = ticks();
      use();
      sheet.times.record(duration_ns(before, after));
      sheet.operations += kTimedEvery;
    }
  }
  sheet.numbers[0] = static_cast<double>(hand_overs);
}

struct Got {
  double throughput = 0;
  double hand_overs = 0;
  double p99_ns = 0;
  double share = 0;
};

template <class Lock>
Got contend(const Plan& plan, Crew& crew, Book& book, const Wanted& wanted, const Name& name) {
  const LockPlace place(plan.domain);
  Lock::prepare(place);
  Stage& stage = crew.stage();
  std::vector<Part> parts;
  const auto count = static_cast<std::size_t>(wanted.processes);
  for (std::size_t i = 0; i < count; ++i) {
    parts.push_back({name.peer + " " + std::to_string(i), i,
                     [&, i](Sheet& sheet) { want_role<Lock>(place, wanted, i, stage, sheet); },
                     true});
  }
  Got got;
  got.share = crew.play(plan.time(wanted.ms), parts);
  Histogram waits;
  double operations = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Sheet& sheet = stage.sheet(i);
    waits.add(sheet.times);
    operations += static_cast<double>(sheet.operations);
    got.throughput += static_cast<double>(sheet.operations) / sheet.seconds;
    got.hand_overs += sheet.numbers[0] / sheet.seconds;
  }
  const auto counted = static_cast<double>(static_cast<Guarded*>(place.guarded())->count);
  if (counted != operations + kWarm * static_cast<double>(count)) {
    throw std::runtime_error(name.peer + ": two held the lock at once");
  }
  got.p99_ns = waits.percentile_ns(0.99);
  Notes notes(book, got.share);
  notes.percentiles(name, waits);
  notes.number(name, "throughput", got.throughput, "1/s");
  notes.number(name, "hand_overs", got.hand_overs, "1/s");
  return got;
}

Run two(const Plan& plan, const std::string& what, double outside_ns) {
  const Wanted wanted{2, 100, outside_ns};
  return {what, [plan, what, wanted](Crew& crew, Book& book) {
            const Got ours = contend<KithLock>(plan, crew, book, wanted, {what, KithLock::kName});
            for_each_rival_lock([&]<class Lock>() {
              const Got rival = contend<Lock>(plan, crew, book, wanted, {what, Lock::kName});
              const Name name{what + "_against", Lock::kName};
              Notes notes(book, std::max(ours.share, rival.share));
              notes.number(name, "throughput_ratio", ours.throughput / rival.throughput, "x");
              notes.number(name, "hand_overs_ratio", ours.hand_overs / rival.hand_overs, "x");
              notes.number(name, "p99_ratio", ours.p99_ns / rival.p99_ns, "x");
            });
          }};
}

Run crowd(const Plan& plan, int processes) {
  const Wanted wanted{processes, 60 + 10 * processes, 0};  // a few turns for each
  return {
      "lock_crowd", [plan, wanted](Crew& crew, Book& book) {
        const auto name = [&](const char* lock) {
          return Name{"lock_crowd", std::string(lock) + ", " + std::to_string(wanted.processes)};
        };
        contend<KithLock>(plan, crew, book, wanted, name(KithLock::kName));
        using Plain = PthreadLock<false>;
        contend<Plain>(plan, crew, book, wanted, name(Plain::kName));
        using Robust = PthreadLock<true>;
        contend<Robust>(plan, crew, book, wanted, name(Robust::kName));
      }};
}

}  // namespace

Section locks_section(const Plan& plan) {
  return {"locks",
          plan.repeats(21),
          {exchange_store_run(plan), alone(plan), two(plan, "lock_two", 0),
           two(plan, "lock_two_apart", 500)}};
}

Section lock_crowd_section(const Plan& plan) {
  Section section{"lock_crowd", plan.repeats(5), {}};
  for (const int processes : {1, 2, 4, 8, 16, 32, 64}) {
    section.runs.push_back(crowd(plan, processes));
  }
  return section;
}

}  // namespace kith::bench
