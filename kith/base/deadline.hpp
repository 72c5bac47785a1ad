// Deadline: an absolute point of the monotonic clock until which a call may wait.
//
//   auto region = Region<Pose>::open(domain, "pose", {.deadline = Deadline::after(2s)});
//
// States       now: do not wait at all; after(d)/at(t): wait until then; never: wait as long as it
//              takes. There is no default in a call that waits: the caller says how long.
// Callers      any thread; a value of eight bytes.
// A peer dies  a deadline still passes: it knows only this machine's clock.
// Cost         after() reads the clock once, about 20 ns.
//
// Absolute, because a wait that is interrupted and resumed must not start anew, and because one
// deadline can then be handed through several calls (the reasons given by nsync's nsync_cv.h).
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

#if defined(KITH_MODEL)  // see base/atomics.hpp
#include KITH_MODEL
#endif

namespace kith {

#if defined(KITH_MODEL)
using MonotonicClock = model::Clock;
#else
using MonotonicClock = std::chrono::steady_clock;
#endif

// CLOCK_MONOTONIC, as it is written into shared memory for people.
[[nodiscard]] inline std::uint64_t monotonic_now_ns() noexcept {
  const auto since = MonotonicClock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(since).count());
}

class Deadline {
 public:
  using Clock = MonotonicClock;

  // Passed already: try once.
  [[nodiscard]] static constexpr Deadline now() noexcept { return Deadline{0}; }

  // Never passes.
  [[nodiscard]] static constexpr Deadline never() noexcept { return Deadline{kNever}; }

  // `wait` from this moment on; a negative wait is `now`, an enormous one is `never`.
  template <class Rep, class Period>
  [[nodiscard]] static Deadline after(std::chrono::duration<Rep, Period> wait) noexcept {
    using Seconds = std::chrono::duration<double>;
    if (std::chrono::duration_cast<Seconds>(wait) > Seconds(kLongestSeconds)) return never();
    if (wait <= wait.zero()) return now();
    return at(Clock::now() + std::chrono::duration_cast<Clock::duration>(wait));
  }

  [[nodiscard]] static Deadline at(Clock::time_point point) noexcept {
    const auto since = std::chrono::nanoseconds(point.time_since_epoch()).count();
    return Deadline{since > 0 ? since : 0};
  }

  [[nodiscard]] constexpr bool is_never() const noexcept { return monotonic_ns_ == kNever; }

  [[nodiscard]] bool has_passed() const noexcept {
    return monotonic_ns_ == 0 || (!is_never() && remaining() == std::chrono::nanoseconds::zero());
  }

  // What is left; zero once it has passed.
  [[nodiscard]] std::chrono::nanoseconds remaining() const noexcept {
    if (is_never()) return std::chrono::nanoseconds::max();
    const auto current = static_cast<std::int64_t>(monotonic_now_ns());
    return std::chrono::nanoseconds(monotonic_ns_ > current ? monotonic_ns_ - current : 0);
  }

  // The earlier of this deadline and `slice` from now: waits that must look around in between.
  [[nodiscard]] Deadline within(std::chrono::nanoseconds slice) const noexcept {
    const Deadline end = after(slice);
    return end < *this ? end : *this;
  }

  // Nanoseconds of CLOCK_MONOTONIC, the form kernel calls take.
  [[nodiscard]] constexpr std::int64_t monotonic_ns() const noexcept { return monotonic_ns_; }

  friend constexpr auto operator<=>(Deadline, Deadline) noexcept = default;

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static constexpr double kLongestSeconds = 3.0e9;  // 95 years, well inside 63 bits of ns

  explicit constexpr Deadline(std::int64_t ns) noexcept : monotonic_ns_(ns) {}

  std::int64_t monotonic_ns_;
};

}  // namespace kith
