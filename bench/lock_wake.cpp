// From the call that wakes until a process that slept runs on: by each thing that one can wait on,
// ours and the usual ones, against a pair of bare futexes. And what that call costs while nobody
// waits.
//
// Two processes wake each other in turn, each asleep until the other calls. They go through all
// contestants, again and again, so that all meet the same machine. Who is woken gives the other one
// a moment, long enough to fall asleep, before it calls.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <vector>

#include "bench/bench.hpp"
#include "bench/wakers.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr double kFallAsleepNs = 60'000;
constexpr std::size_t kBurst = 4;  // round trips with one, before it is the next one's turn

// Both directions of each contestant, in one process; the bare futexes come first.
struct WakerPair {
  std::unique_ptr<Waker> there;
  std::unique_ptr<Waker> back;
};
using Wakers = std::vector<WakerPair>;

Wakers make_wakers(const WakePlace& place) {
  Wakers all;
  for_each_waker([&]<class One>() {
    all.push_back({std::make_unique<One>(place, WakePlace::there),
                   std::make_unique<One>(place, WakePlace::back)});
  });
  return all;
}

// What one side saw of one contestant.
struct Seen {
  Histogram times;
  std::uint64_t sleeps = 0;  // times that the kernel took the processor away meanwhile
};

// Of both sides, in memory that they share.
class Records {
 public:
  explicit Records(std::size_t contestants)
      : size_(2 * contestants * sizeof(Seen)),
        memory_(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::runtime_error("no memory for what is seen");
  }
  ~Records() { ::munmap(memory_, size_); }
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  // Zero, which is an empty one.
  [[nodiscard]] Seen& of(std::size_t contestant, std::size_t side) const noexcept {
    return static_cast<Seen*>(memory_)[2 * contestant + side];
  }

 private:
  std::size_t size_;
  void* memory_;
};

void require(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string(what) + " was refused");
}

std::uint64_t sleeps_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_nvcsw);
}

// One side of the game. spare: when the last wake was begun, in ns of the clock that both share; 0
// ends the game.
class Player {
 public:
  Player(Stage& stage, const Records& records, std::size_t side)
      : stage_(stage), records_(records), side_(side) {}

  void call(Waker& waker, bool last) {
    waker.prepare();
    const double until = shared_now_ns() + kFallAsleepNs;
    while (shared_now_ns() < until) {
    }
    const auto begun = last ? 0 : static_cast<std::uint64_t>(shared_now_ns());
    stage_.spare.value.store(begun, std::memory_order_relaxed);
    waker.wake();
  }
  // False if the game is over.
  bool sleep(Waker& waker, std::size_t contestant) {
    Seen& seen = records_.of(contestant, side_);
    const std::uint64_t before = sleeps_so_far();
    waker.wait();
    const double now = shared_now_ns();
    const std::uint64_t begun = stage_.spare.value.load(std::memory_order_relaxed);
    const bool slept = sleeps_so_far() != before;
    waker.settle();
    if (begun == 0) return false;
    seen.times.record(now - static_cast<double>(begun));
    seen.sleeps += slept ? 1 : 0;
    return true;
  }

 private:
  Stage& stage_;
  const Records& records_;
  std::size_t side_;
};

void lead(Stage& stage, Sheet& sheet, const Wakers& wakers, const Records& records) {
  Player player(stage, records, 0);
  const Measured measured(stage, sheet);
  for (std::size_t round = 0;; ++round) {
    const std::size_t turn = round / kBurst % wakers.size();
    const bool last = !stage.goes_on();
    player.call(*wakers[turn].there, last);
    if (last) return;
    player.sleep(*wakers[turn].back, turn);
    ++sheet.operations;
  }
}

void follow(Stage& stage, Sheet& sheet, const Wakers& wakers, const Records& records) {
  Player player(stage, records, 1);
  const Measured measured(stage, sheet);
  for (std::size_t round = 0;; ++round) {
    const std::size_t turn = round / kBurst % wakers.size();
    if (!player.sleep(*wakers[turn].there, turn)) return;
    player.call(*wakers[turn].back, false);
  }
}

Run woken(const Plan& plan) {
  return {
      "lock_wake", [plan](Crew& crew, Book& book) {
        Stage& stage = crew.stage();
        const WakePlace place(plan.domain);
        std::vector<std::string> names;
        for_each_waker([&]<class One>() { names.push_back(One::kName); });
        const Records records(names.size());
        const auto leads = [&](Sheet& sheet) { lead(stage, sheet, make_wakers(place), records); };
        const auto follows = [&](Sheet& sheet) {
          follow(stage, sheet, make_wakers(place), records);
        };
        const double share =
            crew.play(plan.time(1200), {{"lead", 0, leads, true}, {"follow", 1, follows, true}});
        Notes notes(book, share);
        for (std::size_t i = 0; i < names.size(); ++i) {
          const Name name = i == 0 ? Name{"limit.futex_pair", names[i]}
                                   : Name{"lock_wake", names[i], 0, "futex_pair"};
          Seen& seen = records.of(i, 0);
          const Seen& other = records.of(i, 1);
          seen.times.add(other.times);
          const auto wakes = static_cast<double>(seen.times.count());
          notes.percentiles(name, seen.times);
          notes.number(name, "slept", static_cast<double>(seen.sleeps + other.sleeps) / wakes,
                       "of all");
        }
      }};
}

// What a call costs that wakes nobody, with what makes it possible again.
Run nobody(const Plan& plan) {
  return {
      "lock_signal", [plan](Crew& crew, Book& book) {
        const WakePlace place(plan.domain);
        const auto time = [&](const std::string& peer, const auto& make) {
          (void)time_alone(plan, 60, crew, book, {"lock_signal", peer, 0, "exchange_store"}, make);
        };
        time("kith, Event: set, reset", [&] {
          const auto region = place.ours(WakePlace::there);
          return [event = Event(region, region->manual)]() mutable {
            event.set();
            event.reset();
          };
        });
        time("kith, Condition: notify_one", [&] {
          const auto region = place.ours(WakePlace::there);
          return [condition = Condition(region, region->condition)]() mutable {
            condition.notify_one();
          };
        });
        time("kith, Semaphore: acquire, release", [&] {
          const auto region = place.ours(WakePlace::there);
          return [permit = Semaphore(region, region->permit)]() mutable {
            require(holds(permit.try_acquire()), "a permit");
            require(permit.release() == LockAnswer::released, "a release");
          };
        });
        time("kith, CountingSemaphore: release, acquire", [&] {
          const auto region = place.ours(WakePlace::there);
          return [count = CountingSemaphore(region, region->count)]() mutable {
            require(count.release() == LockAnswer::released, "a release");
            require(holds(count.try_acquire()), "a signal");
          };
        });
        RivalWords& rivals = place.rivals(WakePlace::there);
        time("pthread condition: signal",
             [&] { return [&] { ::pthread_cond_signal(&rivals.condition); }; });
        time("sem_t: post, wait", [&] {
          return [&] {
            ::sem_post(&rivals.count);
            ::sem_wait(&rivals.count);
          };
        });
      }};
}

}  // namespace

Section lock_wake_section(const Plan& plan) {
  return {"lock_wake", plan.repeats(11), {woken(plan), exchange_store_run(plan), nobody(plan)}};
}

}  // namespace kith::bench
