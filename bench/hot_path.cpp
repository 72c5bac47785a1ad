// The operations of a channel that nobody disturbs, in the cache, against what the machine must do
// at least: one atomic exchange and one store.
//
// Percentiles are over batches of operations: a single one takes no longer than the clock.
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "bench/bench.hpp"
#include "bench/values.hpp"

namespace kith::bench {
namespace {

constexpr const char* kExchange = "exchange_store";
using Name = Notes::Name;

void require(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

template <class Make>
Run alone(const Plan& plan, const Name& name, const Make& make) {
  return {name.what, [plan, name, make](Crew& crew, Book& book) {
            (void)time_alone(plan, 120, crew, book, name, make);
          }};
}

Run copy_64(const Plan& plan) {
  return alone(plan, {"limit.memcpy", "machine", 64}, [] {
    return [from = Value64{}, to = std::make_unique<Value64>()]() mutable {
      std::size_t size = sizeof from;
      keep(size);  // else it is eight moves that the compiler knows
      std::memcpy(to.get(), &from, size);
      keep(*to);
    };
  });
}

Run clock_read(const Plan& plan) {
  return alone(plan, {"limit.clock", "machine"}, [] {
    return [] {
      auto now = std::chrono::steady_clock::now();
      keep(now);
    };
  });
}

Run system_call(const Plan& plan) {
  return alone(plan, {"limit.system_call", "machine"},
               [] { return [] { ::syscall(SYS_getppid); }; });
}

// The reader's whole way: exchange, two looks, a store; and the store that ends it. A value that
// was let go is fetched again by the same steps as a newer one.
Run read_again(const Plan& plan) {
  return alone(plan, {"read", "kith, same value again", 64, kExchange}, [plan] {
    auto writer = std::make_unique<LatestWriter<Value64>>(plan.domain, "hot.read");
    require(writer->write({1, {}}) == WriteAnswer::committed, "the first write was refused");
    return [writer = std::move(writer),
            reader = LatestReader<Value64>(plan.domain, "hot.read")]() mutable {
      const auto value = reader.acquire();
      if (!value || value->number != 1) throw std::runtime_error("a read gave another value");
    };
  });
}

// A writer and a reader of one channel in one process.
struct Ends {
  Ends(const Domain& domain, const std::string& channel)
      : writer(domain, channel), reader(domain, channel) {}
  void write() {
    ++value.number;
    fine &= writer.write(value) == WriteAnswer::committed;
  }
  void read() {
    const auto pinned = reader.acquire();
    fine &= pinned && pinned->number == value.number;
  }

  LatestWriter<Value64> writer;
  LatestReader<Value64> reader;
  Value64 value{};
  bool fine = true;
};

template <class Operation>
double time_of(int count, const Operation& operation) {
  const std::uint64_t before = ticks();
  for (int i = 0; i < count; ++i) operation(i);
  return duration_ns(before, ticks());
}

// Each read gets a value that it has not seen: several channels are written, and then the reads of
// all of them are timed. Not more channels than a set of the cache has ways: all begin a page.
void read_new_role(const Plan& plan, Stage& stage, Sheet& sheet) {
  constexpr int kChannels = 8;
  std::vector<std::unique_ptr<Ends>> all;
  for (int i = 0; i < kChannels; ++i) {
    all.push_back(std::make_unique<Ends>(plan.domain, "hot.new" + std::to_string(i)));
  }
  const auto once = [&] {
    for (auto& ends : all) ends->write();
    return time_of(kChannels, [&](int i) { all[static_cast<std::size_t>(i)]->read(); });
  };
  for (int i = 0; i < 1000; ++i) (void)once();
  {
    const Measured measured(stage, sheet);
    while (stage.goes_on()) sheet.times.record(once() / kChannels);
  }
  for (auto& ends : all) require(ends->fine, "a read gave another value than was written");
}

// The same found in another way: a write and a read in turn, less the same writes alone.
void read_after_write_role(const Plan& plan, Stage& stage, Sheet& sheet) {
  Ends ends(plan.domain, "hot.turn");
  const auto write = [&](int) { ends.write(); };
  const auto both = [&](int) { ends.write(), ends.read(); };
  for (int i = 0; i < 20 * kBatch; ++i) both(i);
  {
    const Measured measured(stage, sheet);
    while (stage.goes_on()) {
      const double alone = time_of(kBatch, write);
      sheet.times.record(std::max(0.0, time_of(kBatch, both) - alone) / kBatch);
    }
  }
  require(ends.fine, "a read gave another value than was written");
}

template <class Role>
Run read_new(const Plan& plan, const std::string& peer, const Role& role) {
  const Name name{"read", peer, 64, kExchange};
  return {name.what, [plan, name, role](Crew& crew, Book& book) {
            const double share =
                crew.play(plan.time(120),
                          {{name.what, 0, [&](Sheet& sheet) { role(plan, crew.stage(), sheet); }}});
            Notes(book, share).percentiles(name, crew.stage().sheet(0).times);
          }};
}

Run unchanged(const Plan& plan) {
  return alone(plan, {"read_unchanged", "kith, refresh", 64, kExchange}, [plan] {
    auto writer = std::make_unique<LatestWriter<Value64>>(plan.domain, "hot.same");
    auto reader = std::make_unique<LatestReader<Value64>>(plan.domain, "hot.same");
    require(writer->write({1, {}}) == WriteAnswer::committed, "the first write was refused");
    return [pinned = reader->acquire(), writer = std::move(writer),
            reader = std::move(reader)]() mutable {
      if (pinned.refresh() != ReadAnswer::unchanged) throw std::runtime_error("a value changed");
    };
  });
}

Run look(const Plan& plan) {
  return alone(plan, {"read_unchanged", "kith, has_newer", 64, kExchange}, [plan] {
    auto writer = std::make_unique<LatestWriter<Value64>>(plan.domain, "hot.look");
    auto reader = std::make_unique<LatestReader<Value64>>(plan.domain, "hot.look");
    require(writer->write({1, {}}) == WriteAnswer::committed, "the first write was refused");
    require(bool(reader->acquire()), "the first read was refused");
    return [writer = std::move(writer), reader = std::move(reader)]() mutable {
      if (reader->has_newer()) throw std::runtime_error("a value changed");
    };
  });
}

// A reader has joined, in another process, and holds nothing meanwhile.
Run write_64(const Plan& plan, const Name& name, bool commit_time) {
  return {name.what, [plan, name, commit_time](Crew& crew, Book& book) {
            Stage& stage = crew.stage();
            LatestOptions options;
            options.commit_time = commit_time;
            const std::string channel = commit_time ? "hot.write_time" : "hot.write";
            const auto write = [&](Sheet& sheet) {
              LatestWriter<Value64> writer(plan.domain, channel, options);
              Value64 value{};
              auto once = [&] {
                ++value.number;
                if (writer.write(value) != WriteAnswer::committed) {
                  throw std::runtime_error("a write was refused");
                }
              };
              time_batches(stage, sheet, kBatch, once);
              sheet.numbers[0] = writer.readers_joined();
            };
            const auto wait = [&](Sheet& sheet) {
              options.deadline = Deadline::after(std::chrono::seconds(10));
              LatestReader<Value64> reader(plan.domain, channel, options);
              const Measured measured(stage, sheet);
              while (stage.goes_on()) {
              }
            };
            const double share =
                crew.play(plan.time(120), {{name.what, 0, write}, {"joined reader", 1, wait}});
            Notes notes(book, share);
            const Sheet& sheet = stage.sheet(0);
            notes.percentiles(name, sheet.times);
            notes.throughput(name, static_cast<double>(sheet.operations), sheet.seconds);
          }};
}

// A value of any size, in place: what the reader does must not depend on how many bytes there are.
void by_size_role(const Plan& plan, std::size_t bytes, Stage& stage, Sheet& sheet) {
  const std::string channel = "hot.size" + std::to_string(bytes);
  LatestOptions options;
  options.readers_max = 1;
  LatestBytesWriter writer(plan.domain, channel, bytes, options);
  LatestBytesReader reader(plan.domain, channel, options);
  bool fine = true;
  std::uint64_t number = 0;
  const auto once = [&] {
    auto draft = writer.draft();
    ++number;
    std::memcpy(draft.bytes().data(), &number, sizeof number);
    fine &= draft.commit() == WriteAnswer::committed;
    const std::uint64_t before = ticks();
    {
      const auto pinned = reader.acquire();
      fine &= pinned && number_of(pinned.bytes()) == number && pinned.bytes().size() == bytes;
    }
    sheet.times.record(duration_ns(before, ticks()));
  };
  for (int i = 0; i < 1000; ++i) once();
  sheet.times.clear();
  {
    const Measured measured(stage, sheet);
    while (stage.goes_on()) once();
  }
  require(fine, "a read gave another value than was written");
}

Run read_by_size(const Plan& plan, std::size_t bytes) {
  const Name name{"read_by_size", "kith, in place", bytes, kExchange};
  return {name.what, [plan, bytes, name](Crew& crew, Book& book) {
            const double share =
                crew.play(plan.time(60), {{name.what, 0, [&](Sheet& sheet) {
                                             by_size_role(plan, bytes, crew.stage(), sheet);
                                           }}});
            (void)remove_object(plan.domain, "hot.size" + std::to_string(bytes));
            Notes(book, share).percentiles(name, crew.stage().sheet(0).times);
          }};
}

}  // namespace

Run exchange_store_run(const Plan& plan) {
  return alone(plan, {"limit.exchange_store", "machine"}, [] {
    return [word = std::make_unique<SharedWord>(), i = std::uint64_t{0}]() mutable {
      // What a claim is at least: seq_cst, and then the release that ends it.
      word->value.exchange(++i, std::memory_order_seq_cst);
      word->value.store(0, std::memory_order_release);
    };
  });
}

Section hot_path_section(const Plan& plan) {
  Section section{"hot_path", plan.repeats(15), {}};
  section.runs = {
      exchange_store_run(plan),
      read_new(plan, "kith", read_new_role),
      read_new(plan, "kith, after a write", read_after_write_role),
      read_again(plan),
      unchanged(plan),
      look(plan),
      copy_64(plan),
      clock_read(plan),
      write_64(plan, {"write", "kith", 64, kExchange, {"memcpy"}}, false),
      write_64(plan, {"write", "kith, commit time", 64, kExchange, {"memcpy", "clock"}}, true),
      system_call(plan),
  };
  for (std::size_t bytes = 8; bytes <= 64u << 20; bytes *= 8) {
    section.runs.push_back(read_by_size(plan, bytes));
  }
  section.runs.push_back(read_by_size(plan, 64u << 20));
  return section;
}

}  // namespace kith::bench
