// Clock: the processor's own tick counter, made into nanoseconds, with its own cost known.
//
// Callers      any thread, after the first call of ticking(), which takes 50 ms; a forked child
//              inherits what was found.
// Cost         ticks(): about 10 ns, which duration_ns() subtracts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace kith::bench {

// Waits until what stands before it has been executed.
inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  unsigned processor = 0;
  return __builtin_ia32_rdtscp(&processor);
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

struct Ticking {
  double ns_per_tick = 1;
  double cost_ticks = 0;  // of two calls of ticks(), one after the other: median

  [[nodiscard]] double ns(std::uint64_t count) const noexcept {
    return static_cast<double>(count) * ns_per_tick;
  }
  [[nodiscard]] double cost_ns() const noexcept { return cost_ticks * ns_per_tick; }
};

[[nodiscard]] inline Ticking measure_ticking() {
  using std::chrono::steady_clock;
  Ticking found;
  const auto start = steady_clock::now();
  const std::uint64_t first = ticks();
  std::vector<std::uint64_t> gaps(20'000);
  for (auto& gap : gaps) {
    const std::uint64_t before = ticks();
    gap = ticks() - before;
  }
  std::nth_element(gaps.begin(), gaps.begin() + 10'000, gaps.end());
  found.cost_ticks = static_cast<double>(gaps[10'000]);
  while (steady_clock::now() - start < std::chrono::milliseconds(50)) {
  }
  const std::uint64_t last = ticks();
  const std::chrono::duration<double, std::nano> passed = steady_clock::now() - start;
  found.ns_per_tick = passed.count() / static_cast<double>(last - first);
  return found;
}

[[nodiscard]] inline const Ticking& ticking() {
  static const Ticking found = measure_ticking();
  return found;
}

// What lay between two calls of ticks(), without what the clock itself takes.
[[nodiscard]] inline double duration_ns(std::uint64_t from, std::uint64_t to) {
  const double all = ticking().ns(to - from) - ticking().cost_ns();
  return std::max(all, 0.0);
}

// Of the clock that all processes share; for a wake, whose two ends lie on two cores.
[[nodiscard]] inline double shared_now_ns() noexcept {
  return static_cast<double>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace kith::bench
