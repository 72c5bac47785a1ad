// Crew: the parts of one run, each played by a real process that is pinned to a core of its own.
//
//   Stage& stage = crew.stage();
//   crew.play(100ms, {{"writer", 0, [&](Sheet& sheet) {
//                        LatestWriter<Value> writer(domain, "x");
//                        warm_up(writer);
//                        const Measured measured(stage, sheet);    // all parts begin here
//                        while (stage.goes_on()) ...
//                      }},
//                     {"reader", 1, ...}});
//   stage.sheet(0).times.percentile_ns(0.5);
//
// Processes get the highest priority if this user may ask for it, in a scheduling group of their
// own; it ends with them, so there is nothing to restore.
//
// States       idle -> play() returns when every part has ended, or throws if one failed.
// Callers      one thread.
// A peer dies  a part that fails, crashes or hangs fails the run by name; the others are killed.
// Cost         about a millisecond for each part.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <sys/types.h>
#include <vector>

#include "bench/clock.hpp"
#include "bench/histogram.hpp"

namespace kith::bench {

inline constexpr std::size_t kPartsMax = 64;
// Two lines: the processor fetches the neighbour of a line too.
inline constexpr std::size_t kLinePair = 128;

// What one part writes down; read by the others after the run.
struct Sheet {
  Histogram times;
  Histogram more_times;
  std::uint64_t operations = 0;
  double seconds = 0;               // between the beginning and the end of measuring
  std::array<double, 8> numbers{};  // whatever the case wants
  double foreign_share = 0;         // of this core's time while measuring, taken by others
};

struct alignas(kLinePair) SharedWord {
  std::atomic<std::uint64_t> value{0};
};

// Memory that all parts of a run share: zero when a run begins.
class Stage {
 public:
  explicit Stage(std::size_t parts);

  // Every part must come here, or the run fails; the time runs from when the last one came.
  void meet() noexcept;
  [[nodiscard]] bool goes_on() const noexcept { return ticks() < end_.load(kRelaxed); }
  [[nodiscard]] std::uint64_t end_ticks() const noexcept { return end_.load(kRelaxed); }
  [[nodiscard]] Sheet& sheet(std::size_t part) noexcept {
    return *std::launder(reinterpret_cast<Sheet*>(&sheets_[part * sizeof(Sheet)]));
  }

  // Free for the case: a word for each side, on lines that nothing else shares.
  SharedWord ping;
  SharedWord pong;
  SharedWord spare;

 private:
  friend class Crew;
  static constexpr auto kRelaxed = std::memory_order_relaxed;

  SharedWord parts_;    // how many must come
  SharedWord arrived_;  // how many came
  alignas(kLinePair) std::atomic<std::uint64_t> end_{0};
  std::uint64_t duration_ticks_ = 0;
  // Only those of the parts that play are made: all of them are 12 MiB.
  alignas(Sheet) std::array<std::byte, kPartsMax * sizeof(Sheet)> sheets_;
};

// The time in which a part is measured: begins when all have met, writes down how long it took and
// how much of the core others had.
class Measured {
 public:
  Measured(Stage& stage, Sheet& sheet);
  ~Measured();
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;

 private:
  Sheet& sheet_;
  std::uint64_t start_;
  double start_cpu_ns_;
};

struct Part {
  std::string name;
  std::size_t core;  // even or odd: the first or the second of ours
  std::function<void(Sheet&)> act;
  bool sleeps = false;  // not busy all the time: others' share is then taken from /proc/stat
};

class Crew {
 public:
  explicit Crew(std::vector<int> cores);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Throws std::runtime_error that names the part and what went wrong. Returns the share of the
  // processors' time that others took.
  double play(std::chrono::nanoseconds duration, const std::vector<Part>& parts);
  [[nodiscard]] Stage& stage() noexcept { return *stage_; }

 private:
  void enter(std::size_t core) const;

  std::vector<int> cores_;
  Stage* stage_;
};

}  // namespace kith::bench
