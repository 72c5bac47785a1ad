// What every case is made of: a plan of runs that are repeated in turns, and the place where their
// readings go.
//
// A section is a list of runs that take turns: A B C A B C ... So a slow minute of the machine
// slows all of them, and a ratio is always against a limit measured a moment before.
//
// States       sections are made once; each repeat calls every run of a section.
// Callers      one thread.
// A peer dies  a failed run ends the program, with the name of the run.
// Cost         what the runs take.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kith/region/domain.hpp"

#include "bench/book.hpp"
#include "bench/crew.hpp"

namespace kith::bench {

struct Plan {
  bool quick = false;
  bool large = false;  // also what takes gigabytes, and minutes
  Domain domain;

  // How long one run measures, and how often a section repeats.
  [[nodiscard]] std::chrono::milliseconds time(int ms) const {
    return std::chrono::milliseconds(quick ? std::max(ms / 8, 5) : ms);
  }
  [[nodiscard]] int repeats(int full) const { return quick ? 2 : full; }
};

// Where one run writes its readings.
class Notes {
 public:
  Notes(Book& book, double foreign_share) : book_(book), foreign_share_(foreign_share) {}

  struct Name {
    std::string what;
    std::string peer = "kith";
    std::uint64_t payload_bytes = 0;
    std::string limit{};
    std::vector<std::string> minus{};
    std::uint64_t limit_payload_bytes = 0;
  };
  // p50, p90, p99, p99.9, max, mean; the ratio to the limit is that of p50.
  void percentiles(const Name& name, const Histogram& times);
  void number(const Name& name, const std::string& metric, double value, const std::string& unit);
  // How many a second.
  void throughput(const Name& name, double count, double seconds) {
    number(name, "throughput", seconds > 0 ? count / seconds : 0, "1/s");
  }

 private:
  Book& book_;
  double foreign_share_;
};

struct Run {
  std::string name;  // of the case: `--only` chooses by it
  std::function<void(Crew&, Book&)> measure;
};

struct Section {
  std::string name;
  int repeats = 1;
  std::vector<Run> runs;
};

// Keeps the compiler from leaving out what makes `value`, or from knowing what it is.
template <class T>
inline void keep(T& value) noexcept {
  asm volatile("" : "+m"(value) : : "memory");
}

inline constexpr int kBatch = 100;  // of operations that are shorter than reading the clock

// Runs `operation` in batches until the time is over; each batch gives one time, for one operation.
template <class Operation>
void time_batches(Stage& stage, Sheet& sheet, int batch, Operation& operation) {
  for (int i = 0; i < 20 * batch; ++i) operation();  // warm
  const Measured measured(stage, sheet);
  while (stage.goes_on()) {
    const std::uint64_t before = ticks();
    for (int i = 0; i < batch; ++i) operation();
    sheet.times.record(duration_ns(before, ticks()) / batch);
    sheet.operations += static_cast<std::uint64_t>(batch);
  }
}

struct TimedAlone {
  double p50_ns = 0;
  double share = 0;  // see Crew::play
};

// Runs what `make()` returns in one process alone, a hundred to a batch, for `ms` of the plan.
template <class Make>
TimedAlone time_alone(const Plan& plan, int ms, Crew& crew, Book& book, const Notes::Name& name,
                      const Make& make) {
  const double share =
      crew.play(plan.time(ms), {{name.peer, 0, [&](Sheet& sheet) {
                                   auto operation = make();
                                   time_batches(crew.stage(), sheet, kBatch, operation);
                                 }}});
  const Sheet& sheet = crew.stage().sheet(0);
  Notes notes(book, share);
  notes.percentiles(name, sheet.times);
  notes.throughput(name, static_cast<double>(sheet.operations), sheet.seconds);
  return {sheet.times.percentile_ns(0.5), share};
}

// The limit that most ratios are against; a section that needs it measures it.
[[nodiscard]] Run exchange_store_run(const Plan& plan);

// One file each; what a section measures stands at the top of its file.
[[nodiscard]] Section hot_path_section(const Plan& plan);
[[nodiscard]] Section hand_over_section(const Plan& plan);
[[nodiscard]] Section wake_section(const Plan& plan);
[[nodiscard]] Section readers_section(const Plan& plan);
[[nodiscard]] Section comparison_section(const Plan& plan);
[[nodiscard]] Section locks_section(const Plan& plan);
[[nodiscard]] Section lock_crowd_section(const Plan& plan);
[[nodiscard]] Section lock_death_section(const Plan& plan);
[[nodiscard]] Section lock_death_by_size_section(const Plan& plan);
[[nodiscard]] Section lock_wake_section(const Plan& plan);
[[nodiscard]] Section read_locks_section(const Plan& plan);
[[nodiscard]] Section guarded_section(const Plan& plan);
[[nodiscard]] Section attach_section(const Plan& plan);
[[nodiscard]] Section objects_section(const Plan& plan);
[[nodiscard]] Section start_section(const Plan& plan);
[[nodiscard]] Section system_calls_section(const Plan& plan);

}  // namespace kith::bench
