// From the call of write() until a reader on another core has the value in hand, against the least
// that two cores need to tell each other something: one cache line handed over.
//
// Both are half a round trip. The bare one: each side stores a number into a line of its own and
// spins on the other's. Ours: each side writes into its own channel and spins on the other's; it
// has the value once acquire() or refresh() gave it and its first word was looked at.
#include <stdexcept>
#include <sys/mman.h>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "bench/bench.hpp"
#include "bench/values.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr std::uint64_t kWarm = 20'000;
constexpr std::uint64_t kEnd = ~std::uint64_t{0};

// Two words on new pages for each run: how long a line takes also depends on where in the machine
// it happens to be at home, and one place for all repeats would be luck, good or bad.
class FreshLines {
 public:
  FreshLines()
      : memory_(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::runtime_error("no memory for two lines");
  }
  ~FreshLines() { ::munmap(memory_, kSize); }
  FreshLines(const FreshLines&) = delete;
  FreshLines& operator=(const FreshLines&) = delete;

  [[nodiscard]] SharedWord& there() const noexcept { return static_cast<SharedWord*>(memory_)[0]; }
  [[nodiscard]] SharedWord& back() const noexcept {
    return static_cast<SharedWord*>(memory_)[kSize / sizeof(SharedWord) / 2];
  }

 private:
  static constexpr std::size_t kSize = 8192;
  void* memory_;
};

// One side of a game in which a number goes there and comes back. `give` sends a number; `take`
// returns the next that comes.
template <class Give, class Take>
void lead(Stage& stage, Sheet& sheet, const Give& give, const Take& take) {
  std::uint64_t number = 0;
  const auto round = [&] {
    give(++number);
    if (take() != number) throw std::runtime_error("another number came back");
  };
  while (number < kWarm) round();
  {
    const Measured measured(stage, sheet);
    while (stage.goes_on()) {
      const std::uint64_t before = ticks();
      round();
      sheet.times.record(duration_ns(before, ticks()) / 2);
      ++sheet.operations;
    }
  }
  give(kEnd);
}

template <class Give, class Take>
void follow(Stage& stage, Sheet& sheet, const Give& give, const Take& take) {
  for (std::uint64_t round = 0; round < kWarm; ++round) give(take());
  const Measured measured(stage, sheet);
  for (std::uint64_t number = take(); number != kEnd; number = take()) give(number);
}

Run bare(const Plan& plan) {
  const Name name{"limit.hand_over", "machine"};
  return {name.what, [plan, name](Crew& crew, Book& book) {
            Stage& stage = crew.stage();
            const FreshLines lines;
            const auto give_to = [](SharedWord& word) {
              return [&word](std::uint64_t number) {
                word.value.store(number, std::memory_order_release);
              };
            };
            const auto take_from = [](SharedWord& word) {
              return [&word, last = std::uint64_t{0}]() mutable {
                std::uint64_t number = last;
                while (number == last) number = word.value.load(std::memory_order_acquire);
                return last = number;
              };
            };
            const double share =
                crew.play(plan.time(100),
                          {{"lead", 0,
                            [&](Sheet& sheet) {
                              auto take = take_from(lines.back());
                              lead(stage, sheet, give_to(lines.there()), [&] { return take(); });
                            }},
                           {"follow", 1, [&](Sheet& sheet) {
                              auto take = take_from(lines.there());
                              follow(stage, sheet, give_to(lines.back()), [&] { return take(); });
                            }}});
            Notes(book, share).percentiles(name, stage.sheet(0).times);
          }};
}

// Both ends that one process has.
class Ends {
 public:
  Ends(const Plan& plan, const std::string& mine, const std::string& other)
      : writer_(plan.domain, mine), reader_(plan.domain, other) {}

  void give(std::uint64_t number) {
    value_.number = number;
    if (writer_.write(value_) != WriteAnswer::committed) {
      throw std::runtime_error("a write was refused");
    }
  }
  std::uint64_t take_and_release() {
    while (!reader_.has_newer()) {
    }
    const auto value = reader_.acquire();
    if (!value) throw std::runtime_error("a read was refused");
    return value->number;
  }
  std::uint64_t take_and_hold() {
    if (!held_) {
      while (!reader_.has_newer()) {
      }
      held_ = reader_.acquire();
    } else {
      while (held_.refresh() == ReadAnswer::unchanged) {
      }
    }
    if (!held_) throw std::runtime_error("a read was refused");
    return held_->number;
  }

 private:
  LatestWriter<Value64> writer_;
  LatestReader<Value64> reader_;
  Pinned<Value64> held_;
  Value64 value_{};
};

Run ours(const Plan& plan, bool holds) {
  const Name name{"write_to_seen", holds ? "kith, reader holds" : "kith, reader releases", 64,
                  "hand_over"};
  return {
      name.what, [plan, name, holds](Crew& crew, Book& book) {
        Stage& stage = crew.stage();
        const auto role = [&](Sheet& sheet, auto side, const char* mine, const char* other) {
          Ends ends(plan, mine, other);
          const auto give = [&](std::uint64_t number) { ends.give(number); };
          if (holds) {
            side(stage, sheet, give, [&] { return ends.take_and_hold(); });
          } else {
            side(stage, sheet, give, [&] { return ends.take_and_release(); });
          }
        };
        const auto leads = [](auto&&... all) { lead(all...); };
        const auto follows = [](auto&&... all) { follow(all...); };
        const std::string there = holds ? "seen.hold.there" : "seen.there";
        const std::string back = holds ? "seen.hold.back" : "seen.back";
        const double share = crew.play(
            plan.time(100),
            {{"lead", 0, [&](Sheet& sheet) { role(sheet, leads, there.c_str(), back.c_str()); }},
             {"follow", 1,
              [&](Sheet& sheet) { role(sheet, follows, back.c_str(), there.c_str()); }}});
        for (const auto& channel : {there, back}) (void)remove_object(plan.domain, channel);
        Notes(book, share).percentiles(name, stage.sheet(0).times);
      }};
}

}  // namespace

Section hand_over_section(const Plan& plan) {
  return {"hand_over", plan.repeats(21), {bare(plan), ours(plan, false), ours(plan, true)}};
}

}  // namespace kith::bench
