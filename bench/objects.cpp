// Ten thousand objects open in one process: what each costs in time, descriptors and memory; and so
// what an idle object costs.
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "bench/bench.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;

// What a process and the machine hold, in bytes; descriptors in pieces.
struct Holding {
  double descriptors = 0;
  double private_memory = 0;
  double page_tables = 0;
  double kernel_slab = 0;  // of the whole machine
  double shared_memory = 0;
};

// The number after `key` in a file of lines such as "VmPTE:   64 kB".
double kilobytes(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) * 1024;
  }
  throw std::runtime_error("no " + key + " in " + path);
}

Holding holding_now() {
  Holding now;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++now.descriptors;
  }
  now.private_memory = kilobytes("/proc/self/status", "RssAnon");
  now.page_tables = kilobytes("/proc/self/status", "VmPTE");
  now.kernel_slab = kilobytes("/proc/meminfo", "Slab");
  now.shared_memory = kilobytes("/proc/meminfo", "Shmem");
  return now;
}

// What of it many objects added, for each.
Holding each(const Holding& before, const Holding& after, int count) {
  const auto share = [count](double from, double to) { return (to - from) / count; };
  return {
      after.descriptors - before.descriptors, share(before.private_memory, after.private_memory),
      share(before.page_tables, after.page_tables), share(before.kernel_slab, after.kernel_slab),
      share(before.shared_memory, after.shared_memory)};
}

std::string nth(int i) {
  return "object" + std::to_string(i);
}

// `open` makes the i-th object and keeps it open; closing all is not timed.
template <class Open>
void open_many(Stage& stage, Sheet& sheet, int count, const Open& open) {
  const Holding before = holding_now();
  {
    const Measured measured(stage, sheet);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t start = ticks();
      open(i);
      sheet.times.record(duration_ns(start, ticks()));
    }
  }
  const Holding added = each(before, holding_now(), count);
  sheet.numbers = {added.descriptors, added.private_memory, added.page_tables, added.kernel_slab,
                   added.shared_memory};
}

void note_all(Book& book, double share, const Name& name, const Sheet& sheet, int count) {
  Notes notes(book, share);
  notes.number(name, "objects", count, "count");
  notes.percentiles(name, sheet.times);
  notes.number(name, "descriptors_kept", sheet.numbers[0], "count");
  notes.number(name, "private_memory", sheet.numbers[1], "bytes for each");
  notes.number(name, "page_tables", sheet.numbers[2], "bytes for each");
  notes.number(name, "kernel_slab", sheet.numbers[3], "bytes for each");
  notes.number(name, "shared_memory", sheet.numbers[4], "bytes for each");
}

// One process creates them and keeps them; then another opens them all.
template <class Create, class Open>
Run many(const Plan& plan, const std::string& kind, int count, const Create& create,
         const Open& open) {
  return {"objects", [=](Crew& crew, Book& book) {
            Stage& stage = crew.stage();
            const auto run = [&](const auto& make) {
              const Domain domain = plan.domain;
              return crew.play(std::chrono::milliseconds(1), {{"objects", 0, [&](Sheet& sheet) {
                                                                 auto one = make(domain, count);
                                                                 open_many(stage, sheet, count,
                                                                           one);
                                                               }}});
            };
            note_all(book, run(create), {"objects_create", kind}, stage.sheet(0), count);
            note_all(book, run(open), {"objects_open", kind}, stage.sheet(0), count);
            for (int i = 0; i < count; ++i) {
              (void)remove_object(plan.domain, nth(i), Force::yes);
            }
          }};
}

Run regions(const Plan& plan, int count) {
  const auto keep = [](auto get) {
    return [get](const Domain& domain, int room) {
      auto kept = std::make_shared<std::vector<Region<>>>();
      kept->reserve(static_cast<std::size_t>(room));
      return [kept, get, domain](int i) {
        kept->push_back(get(domain, nth(i)));
        kept->back().bytes()[0] = std::byte{1};
      };
    };
  };
  return many(
      plan, "kith, region of 64 B", count, keep([](const Domain& domain, std::string name) {
        return Region<>::create(domain, name, 64);
      }),
      keep([](const Domain& domain, std::string name) { return Region<>::open(domain, name); }));
}

// Channels with a writer, or with a reader, of 8 bytes.
template <class End>
auto keep_ends() {
  return [](const Domain& domain, int room) {
    auto kept = std::make_shared<std::vector<End>>();
    kept->reserve(static_cast<std::size_t>(room));
    return [kept, domain](int i) { kept->emplace_back(domain, nth(i)); };
  };
}

Run channels(const Plan& plan, int count) {
  return many(plan, "kith, channel of 8 B", count, keep_ends<LatestWriter<std::uint64_t>>(),
              keep_ends<LatestReader<std::uint64_t>>());
}

}  // namespace

Section objects_section(const Plan& plan) {
  const int count = plan.quick ? 1000 : 10'000;
  return {"objects", plan.quick ? 1 : 3, {regions(plan, count), channels(plan, count)}};
}

}  // namespace kith::bench
