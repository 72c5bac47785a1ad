// Attaching to a region and touching it once, against the bare sequence of what that asks of the
// kernel: the same system calls with the same arguments, and the same page faults.
//
// The sequence is not written down here: it is recorded from the real thing when this runs, and
// issued again without the library. Both take turns, one by one, in one process. Closing is not
// timed.
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "bench/bench.hpp"
#include "bench/system_calls.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;

struct Counter {
  std::atomic<std::uint64_t> value{0};
};

long page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// The real thing, opened, touched and closed by name.
class Attached {
 public:
  explicit Attached(const Domain& domain) : domain_(domain) {}
  void open() {
    region_.emplace(Region<Counter>::open(domain_, "attach"));
    (*region_)->value.fetch_add(1, std::memory_order_relaxed);
  }
  void close() { region_.reset(); }

 private:
  Domain domain_;
  std::optional<Region<Counter>> region_;
};

class Bare {
 public:
  Bare(std::vector<SystemCall> opening, std::vector<SystemCall> closing)
      : opening_(std::move(opening)), closing_(std::move(closing)) {}
  // The last `faults` pages of what was mapped are touched.
  void open(long faults) noexcept {
    opening_.issue();
    std::byte* page = opening_.mapped() + opening_.mapped_size();
    for (long i = 0; i < faults; ++i) {
      page -= 4096;
      reinterpret_cast<std::atomic<std::uint64_t>*>(page)->fetch_add(1, std::memory_order_relaxed);
    }
  }
  void close() noexcept {
    closing_.continue_after(opening_);
    closing_.issue();
  }
  void require_same() const {
    if (!opening_.same_results() || !closing_.same_results()) {
      throw std::runtime_error("the bare sequence did not do what the real one does");
    }
  }

 private:
  BareSequence opening_;
  BareSequence closing_;
};

void attach_role(const Plan& plan, Stage& stage, Sheet& sheet) {
  auto owner = Region<Counter>::open_or_create(plan.domain, "attach");
  Attached real(plan.domain);
  auto [opening, closing] = record_system_calls([&] {
    return TwoSteps{[&] { real.open(); }, [&] { real.close(); }};
  });
  sheet.numbers[0] = static_cast<double>(opening.size());
  Bare bare(std::move(opening), std::move(closing));
  real.open();
  real.close();
  const long before = page_faults();
  real.open();
  const long faults = page_faults() - before;
  real.close();
  sheet.numbers[1] = static_cast<double>(faults);
  bare.open(0);
  bare.close();
  const long bare_before = page_faults();
  bare.open(faults);
  if (page_faults() - bare_before != faults) {
    throw std::runtime_error("the bare sequence faults another number of times");
  }
  bare.close();
  const Measured measured(stage, sheet);
  while (stage.goes_on()) {
    const std::uint64_t start = ticks();
    bare.open(faults);
    sheet.times.record(duration_ns(start, ticks()));
    bare.close();
    const std::uint64_t middle = ticks();
    real.open();
    sheet.more_times.record(duration_ns(middle, ticks()));
    real.close();
    ++sheet.operations;
  }
  bare.require_same();
}

Run attach_region(const Plan& plan) {
  return {"attach", [plan](Crew& crew, Book& book) {
            Stage& stage = crew.stage();
            const double share =
                crew.play(plan.time(200),
                          {{"attach", 0, [&](Sheet& sheet) { attach_role(plan, stage, sheet); }}});
            Notes notes(book, share);
            const Sheet& sheet = stage.sheet(0);
            notes.percentiles({"limit.attach_sequence", "machine"}, sheet.times);
            const Name name{"attach", "kith, region", 8, "attach_sequence"};
            notes.percentiles(name, sheet.more_times);
            notes.number(name, "system_calls", sheet.numbers[0], "calls");
            notes.number(name, "page_faults", sheet.numbers[1], "faults");
          }};
}

// A reader of a channel takes a role besides: nothing to compare it with.
Run attach_channel(const Plan& plan) {
  return {"attach", [plan](Crew& crew, Book& book) {
            Stage& stage = crew.stage();
            const double share =
                crew.play(plan.time(200), {{"attach", 0, [&](Sheet& sheet) {
                                              const LatestWriter<std::uint64_t> writer(
                                                  plan.domain, "attach.channel");
                                              std::optional<LatestReader<std::uint64_t>> reader;
                                              const Measured measured(stage, sheet);
                                              while (stage.goes_on()) {
                                                const std::uint64_t start = ticks();
                                                reader.emplace(plan.domain, "attach.channel");
                                                sheet.times.record(duration_ns(start, ticks()));
                                                reader.reset();
                                              }
                                            }}});
            Notes(book, share)
                .percentiles({"attach", "kith, reader of a channel", 8}, stage.sheet(0).times);
          }};
}

// A writer and a reader in one process.
class Ends {
 public:
  explicit Ends(const Domain& domain) : writer_(domain, "calls"), reader_(domain, "calls") {}
  void write() { require(writer_.write(++number_) == WriteAnswer::committed); }
  void read() {
    const auto value = reader_.acquire();
    require(value && *value == number_);
  }
  void draft() {
    auto draft = writer_.draft();
    require(bool(draft));
    *draft = ++number_;
    require(draft.commit() == WriteAnswer::committed);
  }
  void look() {
    require(reader_.has_newer());
    read();
    require(!reader_.has_newer());
  }

 private:
  static void require(bool so) {
    if (!so) throw std::runtime_error("an operation was refused");
  }

  LatestWriter<std::uint64_t> writer_;
  LatestReader<std::uint64_t> reader_;
  std::uint64_t number_ = 0;
};

}  // namespace

Section attach_section(const Plan& plan) {
  return {"attach", plan.repeats(11), {attach_region(plan), attach_channel(plan)}};
}

// Facts, not times: how many system calls an operation makes.
Section system_calls_section(const Plan& plan) {
  const auto measure = [plan](Crew& crew, Book& book) {
    Stage& stage = crew.stage();
    const auto count = [&](Sheet& sheet) {
      const auto reading = record_system_calls([&] {
        auto ends = std::make_shared<Ends>(plan.domain);
        return TwoSteps{[ends] { ends->write(); }, [ends] { ends->read(); }};
      });
      const auto drafting = record_system_calls([&] {
        auto ends = std::make_shared<Ends>(plan.domain);
        return TwoSteps{[ends] { ends->draft(); }, [ends] { ends->look(); }};
      });
      sheet.numbers = {
          static_cast<double>(reading.first.size()), static_cast<double>(reading.second.size()),
          static_cast<double>(drafting.first.size()), static_cast<double>(drafting.second.size())};
      const Measured measured(stage, sheet);
    };
    const double share = crew.play(std::chrono::milliseconds(1), {{"calls", 0, count}});
    (void)remove_object(plan.domain, "calls");
    Notes notes(book, share);
    const auto& numbers = stage.sheet(0).numbers;
    const Name name{"system_calls", "kith, nobody asleep", 8};
    notes.number(name, "write", numbers[0], "calls");
    notes.number(name, "read", numbers[1], "calls");
    notes.number(name, "draft", numbers[2], "calls");
    notes.number(name, "look", numbers[3], "calls");
  };
  return {"system_calls", 1, {{"system_calls", measure}}};
}

}  // namespace kith::bench
