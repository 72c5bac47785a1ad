// Deadline: an absolute point of the monotonic clock until which a call may wait.
//
//   auto region = Region<Pose>::open(domain, "pose", {.deadline = Deadline::after(2s)});
//
//   lock.acquire(Deadline::after(2s).interruptible())        // or until a signal's handler ran
//
// States       now: do not wait at all; after(d)/at(t): wait until then; never: wait as long as it
//              takes. There is no default in a call that waits: the caller says how long. Besides,
//              interruptible or not: see below.
// Callers      any thread; a value of sixteen bytes.
// A peer dies  a deadline still passes: it knows only this machine's clock.
// Cost         after() reads the clock once, about 20 ns.
//
// Absolute, because a wait that is interrupted and resumed must not start anew, and because one
// deadline can then be handed through several calls (the reasons given by nsync's nsync_cv.h).
//
// A wait with an interruptible deadline whose thread handles a signal while it sleeps ends, with an
// answer of its own (`interrupted`), unless what it waits for can be had; the other waits go on. A
// handler that runs right before the thread falls asleep interrupts nothing: who must not miss what
// it was told by a handler lets that set a flag, and looks at the flag between waits of bounded
// length; or sets an Event instead, and waits for that as well (kith/sync/wait_any.hpp).
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
  // Interruptible if this one is.
  [[nodiscard]] Deadline within(std::chrono::nanoseconds slice) const noexcept {
    const Deadline end = after(slice);
    return end < *this ? Deadline{end.monotonic_ns_, interruptible_} : *this;
  }

  // The same time; and a signal that is handled meanwhile ends the wait, or does not.
  [[nodiscard]] constexpr Deadline interruptible(bool really = true) const noexcept {
    return Deadline{monotonic_ns_, really};
  }
  [[nodiscard]] constexpr bool is_interruptible() const noexcept { return interruptible_; }

  // Nanoseconds of CLOCK_MONOTONIC, the form kernel calls take.
  [[nodiscard]] constexpr std::int64_t monotonic_ns() const noexcept { return monotonic_ns_; }

  // By time alone.
  friend constexpr std::weak_ordering operator<=>(Deadline one, Deadline other) noexcept {
    return one.monotonic_ns_ <=> other.monotonic_ns_;
  }
  friend constexpr bool operator==(Deadline one, Deadline other) noexcept {
    return one.monotonic_ns_ == other.monotonic_ns_;
  }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static constexpr double kLongestSeconds = 3.0e9;  // 95 years, well inside 63 bits of ns

  explicit constexpr Deadline(std::int64_t ns, bool interruptible = false) noexcept
      : monotonic_ns_(ns), interruptible_(interruptible) {}

  std::int64_t monotonic_ns_;
  bool interruptible_;
};

}  // namespace kith
