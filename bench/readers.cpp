// What a write costs with 1, 10, 100, 1000 readers joined, 64 bytes, 1000 possible.
//
// idle            the readers have joined and hold nothing: their claims do not change.
// holding         each holds another value, so that just one slot is left for the writer.
// holding, spares the same in a channel with as many spare slots as readers.
// active          the other process reads with each of them in turn, as fast as it can.
#include <memory>
#include <stdexcept>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "bench/bench.hpp"
#include "bench/values.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr std::uint64_t kEnough = ~std::uint64_t{0};
enum class Readers { idle, holding, holding_spares, active };

const char* name_of(Readers readers) {
  switch (readers) {
    case Readers::idle:
      return "idle";
    case Readers::holding:
      return "holding";
    case Readers::holding_spares:
      return "holding, spares";
    case Readers::active:
      break;
  }
  return "active";
}

LatestOptions options_for(int count, Readers readers) {
  LatestOptions options;
  options.readers_max = 1000;
  if (readers == Readers::holding_spares) options.spare_slots = static_cast<std::uint32_t>(count);
  options.deadline = Deadline::after(std::chrono::seconds(10));
  return options;
}

void read_role(const Plan& plan, Stage& stage, Sheet& sheet, int count, Readers readers) {
  std::vector<std::unique_ptr<LatestReader<Value64>>> joined;
  for (int i = 0; i < count; ++i) {
    joined.push_back(std::make_unique<LatestReader<Value64>>(plan.domain, "readers",
                                                             options_for(count, readers)));
  }
  const bool hold = readers == Readers::holding || readers == Readers::holding_spares;
  std::vector<Pinned<Value64>> held;
  std::uint64_t wanted = 0;
  for (auto& reader : joined) {
    // Ask for one value more, and wait for it.
    stage.ping.value.store(++wanted, std::memory_order_release);
    while (stage.pong.value.load(std::memory_order_acquire) != wanted) {
    }
    if (hold) held.push_back(reader->acquire());
  }
  stage.ping.value.store(kEnough, std::memory_order_release);
  const Measured measured(stage, sheet);
  while (stage.goes_on()) {
    if (readers != Readers::active) continue;
    for (auto& reader : joined) {
      if (!reader->acquire()) throw std::runtime_error("a read was refused");
      ++sheet.operations;
    }
  }
}

void write_role(const Plan& plan, Stage& stage, Sheet& sheet, int count, Readers readers) {
  while (stage.ping.value.load(std::memory_order_acquire) == 0) {
  }
  LatestWriter<Value64> writer(plan.domain, "readers", options_for(count, readers));
  Value64 value{};
  const auto write = [&] {
    ++value.number;
    if (writer.write(value) != WriteAnswer::committed) {
      throw std::runtime_error("a write was refused");
    }
  };
  if (writer.readers_joined() != static_cast<std::uint32_t>(count)) {
    throw std::runtime_error("not all readers have joined");
  }
  for (std::uint64_t written = 0;;) {
    const std::uint64_t wanted = stage.ping.value.load(std::memory_order_acquire);
    if (wanted == kEnough) break;
    if (wanted == written) continue;
    write();
    stage.pong.value.store(++written, std::memory_order_release);
  }
  time_batches(stage, sheet, 20, write);
}

Run many(const Plan& plan, int count, Readers readers) {
  const Name name{"write_with_readers", "kith, " + std::to_string(count) + " " + name_of(readers),
                  64, "exchange_store"};
  return {
      name.what, [plan, name, count, readers](Crew& crew, Book& book) {
        Stage& stage = crew.stage();
        const double share = crew.play(
            plan.time(120),
            {{"writer", 0, [&](Sheet& sheet) { write_role(plan, stage, sheet, count, readers); }},
             {"readers", 1, [&](Sheet& sheet) { read_role(plan, stage, sheet, count, readers); }}});
        (void)remove_object(plan.domain, "readers");
        Notes notes(book, share);
        const Sheet& writer = stage.sheet(0);
        notes.percentiles(name, writer.times);
        notes.throughput(name, static_cast<double>(writer.operations), writer.seconds);
      }};
}

}  // namespace

Section readers_section(const Plan& plan) {
  Section section{"readers", plan.repeats(9), {}};
  section.runs.push_back(exchange_store_run(plan));
  for (const Readers readers :
       {Readers::idle, Readers::holding, Readers::holding_spares, Readers::active}) {
    for (const int count : {1, 10, 100, 1000}) {
      section.runs.push_back(many(plan, count, readers));
    }
  }
  return section;
}

}  // namespace kith::bench
