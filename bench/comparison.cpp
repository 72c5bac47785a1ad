// kith against a seqlock with copy, a read-write lock with copy and a robust mutex with copy: one
// writer, one reader that reads as fast as it can; 64 B to 1 MiB; the writer throttled or not.
//
// A read counts from the call until every byte of a whole value has been summed: in place, or in
// the copy. A write is one copy in from a private value in the writer's cache. Reads a second are
// counted in windows of 10 ms; the least of them shows who is starved.
#include <array>
#include <stdexcept>
#include <string>

#include "kith/channel/latest_bytes.hpp"
#include "kith/region/region.hpp"

#include "bench/bench.hpp"
#include "bench/rivals.hpp"
#include "bench/values.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr double kWindowNs = 10e6;
constexpr const char* kChannel = "comparison";

enum class Take { in_place, copy };

// One writer and one reader of a channel of ours, in the shape of a rival.
template <Take take>
class Ours {
 public:
  static constexpr const char* kName = take == Take::in_place ? "kith in place" : "kith read_copy";

  static auto writer(const Plan& plan, std::size_t bytes) {
    return [w = LatestBytesWriter(plan.domain, kChannel, bytes)](
               std::span<const std::byte> value) mutable {
      if (w.write(value) != WriteAnswer::committed) throw std::runtime_error("a write was refused");
    };
  }
  // Gives the sum of a whole value's bytes and its number to `look`.
  static auto reader(const Plan& plan, std::size_t bytes) {
    LatestOptions options;
    options.deadline = Deadline::after(std::chrono::seconds(10));
    return [r = LatestBytesReader(plan.domain, kChannel, options),
            copy = std::vector<std::byte>(bytes)](std::uint64_t, auto&& look) mutable {
      if constexpr (take == Take::in_place) {
        const PinnedBytes pinned = r.acquire();
        if (!pinned) throw std::runtime_error("a read was refused");
        look(pinned.bytes());
      } else {
        std::uint64_t size = 0;
        if (r.read_copy(copy, size) != ReadAnswer::value) {
          throw std::runtime_error("a read was refused");
        }
        look(std::span<const std::byte>(copy));
      }
      return true;
    };
  }
  static void clean(const Plan& plan) { (void)remove_object(plan.domain, kChannel); }
};

template <class Rival>
class Theirs {
 public:
  static constexpr const char* kName = Rival::kName;

  static auto writer(const Plan& plan, std::size_t bytes) {
    auto region = Region<>::create(plan.domain, kChannel, std::uint64_t{rival_memory_size(bytes)});
    Rival rival(region.bytes().data(), bytes);
    rival.prepare();
    return [region = std::move(region), rival](std::span<const std::byte> value) mutable {
      rival.write(value);
    };
  }
  static auto reader(const Plan& plan, std::size_t bytes) {
    auto region = Region<>::open(plan.domain, kChannel,
                                 {.deadline = Deadline::after(std::chrono::seconds(10))});
    Rival rival(region.bytes().data(), bytes);
    return [region = std::move(region), rival, copy = std::vector<std::byte>(bytes)](
               std::uint64_t until, auto&& look) mutable {
      if (!rival.read(copy, until)) return false;
      look(std::span<const std::byte>(copy));
      return true;
    };
  }
  static void clean(const Plan& plan) { (void)remove_object(plan.domain, kChannel); }
};

// Writes a second; 0 is as fast as it goes.
constexpr std::array<int, 3> kRates = {0, 10'000, 1000};

std::string rate_name(int rate) {
  return rate == 0 ? "full_speed" : std::to_string(rate / 1000) + "_kHz";
}

template <class Peer>
void write_role(const Plan& plan, Stage& stage, Sheet& sheet, std::size_t bytes, int rate) {
  auto write = Peer::writer(plan, bytes);
  Source source(bytes);
  std::uint64_t number = 0;
  for (int i = 0; i < 100; ++i) write(source.next(++number));
  stage.ping.value.store(1, std::memory_order_release);  // there is a value, the reader may begin
  const auto gap = rate == 0 ? 0 : static_cast<std::uint64_t>(1e9 / rate / ticking().ns_per_tick);
  const Measured measured(stage, sheet);
  for (std::uint64_t next = ticks(); stage.goes_on(); next += gap) {
    while (rate != 0 && ticks() < next && stage.goes_on()) {
    }
    const auto value = source.next(++number);
    const std::uint64_t before = ticks();
    write(value);
    sheet.times.record(duration_ns(before, ticks()));
    ++sheet.operations;
  }
}

// Reads counted in windows of time; the last, unfinished one does not count.
class Windows {
 public:
  Windows() : end_(ticks() + length()) {}

  void count(std::uint64_t now) {
    pass(now);
    ++reads_;
  }
  void pass(std::uint64_t now) {
    for (; now >= end_; end_ += length()) {
      least_ = std::min(least_, reads_);
      reads_ = 0;
    }
  }
  // Reads a second in the worst window.
  [[nodiscard]] double least_rate() const {
    return least_ == kNone ? 0 : static_cast<double>(least_) / (kWindowNs * 1e-9);
  }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  static std::uint64_t length() {
    return static_cast<std::uint64_t>(kWindowNs / ticking().ns_per_tick);
  }

  std::uint64_t end_;
  std::uint64_t reads_ = 0;
  std::uint64_t least_ = kNone;
};

template <class Peer>
void read_role(const Plan& plan, Stage& stage, Sheet& sheet, std::size_t bytes) {
  while (stage.ping.value.load(std::memory_order_acquire) == 0) {
  }
  auto read = Peer::reader(plan, bytes);
  std::uint64_t last = 0;
  bool whole = true;
  bool forward = true;
  const auto look = [&](std::span<const std::byte> value) {
    const std::uint64_t number = number_of(value);
    whole &= sum_of(value) == sum_expected(number, value.size());
    forward &= number >= last;
    last = number;
  };
  (void)read(ticks() + 1'000'000'000, look);
  const Measured measured(stage, sheet);
  Windows windows;
  while (stage.goes_on()) {
    const std::uint64_t before = ticks();
    const bool done = read(stage.end_ticks(), look);
    const std::uint64_t after = ticks();
    if (!done) {
      windows.pass(after);
      break;
    }
    sheet.times.record(duration_ns(before, after));
    windows.count(after);
    ++sheet.operations;
  }
  sheet.numbers[0] = windows.least_rate();
  if (!whole) throw std::runtime_error("a reader saw a value that nobody wrote");
  if (!forward) throw std::runtime_error("a reader saw an older value after a newer one");
}

template <class Peer>
Run compare(const Plan& plan, std::size_t bytes, int rate) {
  const std::string peer = Peer::kName;
  const std::string what = "_" + rate_name(rate);
  return {"comparison", [plan, peer, what, bytes, rate](Crew& crew, Book& book) {
            Stage& stage = crew.stage();
            Peer::clean(plan);
            const double share = crew.play(
                plan.time(160),
                {{peer + " writer", 0,
                  [&](Sheet& sheet) { write_role<Peer>(plan, stage, sheet, bytes, rate); }},
                 {peer + " reader", 1,
                  [&](Sheet& sheet) { read_role<Peer>(plan, stage, sheet, bytes); }}});
            Peer::clean(plan);
            Notes notes(book, share);
            const Sheet& writer = stage.sheet(0);
            const Sheet& reader = stage.sheet(1);
            const Name write{"comparison_write" + what, peer, bytes, "memcpy", {}, bytes};
            notes.percentiles(write, writer.times);
            notes.throughput(write, static_cast<double>(writer.operations), writer.seconds);
            const Name read{"comparison_read" + what, peer, bytes, "memcpy", {}, bytes};
            notes.percentiles(read, reader.times);
            notes.throughput(read, static_cast<double>(reader.operations), reader.seconds);
            notes.number(read, "least_throughput", reader.numbers[0], "1/s");
          }};
}

// Both sides hot: the source in the cache, and where it goes.
Run copy_run(const Plan& plan, std::size_t bytes) {
  const Name name{"limit.memcpy", "machine", bytes};
  return {name.what, [plan, name, bytes](Crew& crew, Book& book) {
            const double share = crew.play(
                plan.time(40), {{name.what, 0, [&](Sheet& sheet) {
                                   std::vector<std::byte> from(bytes);
                                   std::vector<std::byte> to(bytes);
                                   std::size_t size = bytes;
                                   auto copy = [&] {
                                     keep(size);
                                     std::memcpy(to.data(), from.data(), size);
                                     keep(to);
                                   };
                                   time_batches(crew.stage(), sheet, bytes < 65536 ? 50 : 1, copy);
                                 }}});
            Notes(book, share).percentiles(name, crew.stage().sheet(0).times);
          }};
}

}  // namespace

Section comparison_section(const Plan& plan) {
  Section section{"comparison", plan.repeats(5), {}};
  for (const std::size_t bytes : {64u, 1024u, 4096u, 16'384u, 65'536u, 262'144u, 1'048'576u}) {
    section.runs.push_back(copy_run(plan, bytes));
    for (const int rate : kRates) {
      section.runs.push_back(compare<Ours<Take::in_place>>(plan, bytes, rate));
      section.runs.push_back(compare<Ours<Take::copy>>(plan, bytes, rate));
      section.runs.push_back(compare<Theirs<Seqlock>>(plan, bytes, rate));
      section.runs.push_back(compare<Theirs<LockedByRwlock>>(plan, bytes, rate));
      section.runs.push_back(compare<Theirs<LockedByRobustMutex>>(plan, bytes, rate));
    }
  }
  return section;
}

}  // namespace kith::bench
