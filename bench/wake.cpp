// From the call of write() until a reader that slept has the value in hand, against a bare futex:
// a store, FUTEX_WAKE, and a sleeper in FUTEX_WAIT without a deadline.
//
// Both are woken in turns by the same two processes, so that they meet the same machine. The
// sleeper says that it goes to sleep; a moment later, long enough for it to sleep, it is woken.
#include <atomic>
#include <climits>
#include <linux/futex.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "bench/bench.hpp"
#include "bench/values.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr double kFallAsleepNs = 60'000;
constexpr const char* kChannel = "wake";

// ping: the number that the sleeper waits for next. pong: the futex of the bare wake. spare: when
// the last wake was begun, in ns of the clock that both share; 0 ends the game.
std::uint32_t* futex_word(Stage& stage) {
  return reinterpret_cast<std::uint32_t*>(&stage.pong.value);
}

void wait_for(std::atomic<std::uint64_t>& word, std::uint64_t wanted) {
  while (word.load(std::memory_order_acquire) != wanted) {
  }
}

double fall_asleep_and_begin(Stage& stage) {
  const double until = shared_now_ns() + kFallAsleepNs;
  while (shared_now_ns() < until) {
  }
  const double now = shared_now_ns();
  stage.spare.value.store(static_cast<std::uint64_t>(now), std::memory_order_relaxed);
  return now;
}

// Odd numbers wake by the bare futex, even ones by the channel.
void wake_role(const Plan& plan, Stage& stage, Sheet& sheet) {
  LatestWriter<Value64> writer(plan.domain, kChannel);
  std::uint32_t* const futex = futex_word(stage);
  std::atomic_ref<std::uint32_t> word(*futex);
  Value64 value{};
  const Measured measured(stage, sheet);
  for (std::uint64_t number = 1;; ++number) {
    wait_for(stage.ping.value, number);
    const double begun = fall_asleep_and_begin(stage);
    const bool last = !stage.goes_on() && number % 2 == 1;
    if (last) stage.spare.value.store(0, std::memory_order_relaxed);
    if (number % 2 == 1) {
      word.fetch_add(1, std::memory_order_release);
      const long woken = ::syscall(SYS_futex, futex, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
      sheet.numbers[0] += woken == 1 ? 1 : 0;
      sheet.times.record(shared_now_ns() - begun);
    } else {
      value.number = number;
      if (writer.write(value) != WriteAnswer::committed) {
        throw std::runtime_error("a write was refused");
      }
      sheet.more_times.record(shared_now_ns() - begun);
    }
    if (last) return;
    ++sheet.operations;
  }
}

void sleep_role(const Plan& plan, Stage& stage, Sheet& sheet) {
  LatestReader<Value64> reader(plan.domain, kChannel);
  std::uint32_t* const futex = futex_word(stage);
  std::atomic_ref<std::uint32_t> word(*futex);
  const Measured measured(stage, sheet);
  for (std::uint64_t number = 1;; ++number) {
    const std::uint32_t before = word.load(std::memory_order_acquire);
    stage.ping.value.store(number, std::memory_order_release);
    if (number % 2 == 1) {
      while (word.load(std::memory_order_acquire) == before) {
        ::syscall(SYS_futex, futex, FUTEX_WAIT, before, nullptr, nullptr, 0);
      }
      const double now = shared_now_ns();
      const auto begun = static_cast<double>(stage.spare.value.load(std::memory_order_relaxed));
      if (begun == 0) return;
      sheet.times.record(now - begun);
    } else {
      if (reader.wait_newer(Deadline::after(std::chrono::seconds(10))) != WaitAnswer::newer) {
        throw std::runtime_error("nobody wrote");
      }
      const auto value = reader.acquire();
      const double now = shared_now_ns();
      if (!value || value->number != number) throw std::runtime_error("another value came");
      sheet.more_times.record(
          now - static_cast<double>(stage.spare.value.load(std::memory_order_relaxed)));
    }
  }
}

}  // namespace

Section wake_section(const Plan& plan) {
  const auto measure = [plan](Crew& crew, Book& book) {
    Stage& stage = crew.stage();
    const double share =
        crew.play(plan.time(600),
                  {{"waker", 0, [&](Sheet& sheet) { wake_role(plan, stage, sheet); }},
                   {"sleeper", 1, [&](Sheet& sheet) { sleep_role(plan, stage, sheet); }, true}});
    (void)remove_object(plan.domain, kChannel);
    Notes notes(book, share);
    notes.percentiles({"limit.futex_wake", "machine"}, stage.sheet(1).times);
    notes.percentiles({"wake", "kith", 64, "futex_wake"}, stage.sheet(1).more_times);
    notes.percentiles({"limit.futex_wake_call", "machine"}, stage.sheet(0).times);
    notes.percentiles({"wake_call", "kith, write() that wakes", 64, "futex_wake_call"},
                      stage.sheet(0).more_times);
  };
  return {"wake", plan.repeats(11), {{"wake", measure}}};
}

}  // namespace kith::bench
