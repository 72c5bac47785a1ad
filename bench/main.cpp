// kith_bench: measures, prints a table, and writes the rows as JSON. `bench.sh` builds it, adds
// what the compiler costs, and makes the documents.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/core.h>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <unistd.h>

#include "bench/bench.hpp"
#include "bench/machine.hpp"
#include "bench/scratch_folder.hpp"

namespace {

using namespace kith;
using namespace kith::bench;

std::vector<Section> all_sections(const Plan& plan) {
  return {hot_path_section(plan),   hand_over_section(plan),
          wake_section(plan),       readers_section(plan),
          locks_section(plan),      lock_crowd_section(plan),
          read_locks_section(plan), guarded_section(plan),
          lock_wake_section(plan),  lock_death_section(plan),
          attach_section(plan),     objects_section(plan),
          start_section(plan),      system_calls_section(plan),
          comparison_section(plan), lock_death_by_size_section(plan)};
}

// `only` names a section or a case; the limits of its section are measured with it, for the ratios.
std::vector<Section> chosen(std::vector<Section> sections, const std::string& only) {
  if (only.empty()) return sections;
  std::vector<Section> some;
  for (Section& section : sections) {
    const bool all = section.name == only;
    const bool has = std::any_of(section.runs.begin(), section.runs.end(),
                                 [&](const Run& run) { return run.name == only; });
    if (!all && !has) continue;
    if (!all) {
      std::erase_if(section.runs, [&](const Run& run) {
        return run.name != only && !run.name.starts_with("limit.");
      });
    }
    some.push_back(std::move(section));
  }
  return some;
}

void measure(const Section& section, Crew& crew, Book& book) {
  for (int repeat = 0; repeat < section.repeats; ++repeat) {
    book.begin_repeat();
    for (const Run& run : section.runs) {
      try {
        run.measure(crew, book);
      } catch (const std::exception& error) {
        throw std::runtime_error("case " + run.name + ": " + error.what());
      }
    }
    if (::isatty(STDERR_FILENO) == 1) {
      fmt::print(stderr, "\rkith: {}: {} of {} repeats ", section.name, repeat + 1,
                 section.repeats);
    }
  }
  if (::isatty(STDERR_FILENO) == 1) fmt::print(stderr, "\n");
}

int run(const std::string& json, const std::string& only, bool quick, bool large, bool list) {
  const ScratchFolder folder;
  const Plan plan{quick, large, Domain::at(folder.path())};
  const auto sections = chosen(all_sections(plan), only);
  if (sections.empty()) {
    fmt::print(stderr, "kith_bench: there is no case `{}`; --list names them\n", only);
    return 2;
  }
  if (list) {
    for (const Section& section : sections) {
      fmt::print("{}\n", section.name);
      for (const Run& one : section.runs) fmt::print("  {}\n", one.name);
    }
    return 0;
  }
  Crew crew(two_cores());
  Book book;
  for (const Section& section : sections) measure(section, crew, book);
  std::vector<Row> rows = machine_rows(quick);
  const std::vector<Row> measured = book.rows();
  rows.insert(rows.end(), measured.begin(), measured.end());
  std::cout << table(measured);
  if (!json.empty()) {
    std::ofstream file(json);
    file << json_rows(rows);
    if (!file.flush()) throw std::runtime_error("writing " + json + " failed");
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("Measures kith against the machine's limits and against others.", "kith_bench");
  std::string json;
  std::string only;
  bool quick = false;
  bool large = false;
  bool list = false;
  app.add_option("--json", json, "write the rows into this file");
  app.add_option("--only", only, "measure one section or case");
  app.add_flag("--quick", quick, "short runs: does it work? The figures mean nothing");
  app.add_flag("--large", large, "also what takes gigabytes of memory");
  app.add_flag("--list", list, "name the sections and their cases");
  CLI11_PARSE(app, count, arguments);
  try {
    return run(json, only, quick, large, list);
  } catch (const std::exception& error) {
    fmt::print(stderr, "\nkith_bench: {}\n", error.what());
  }
  return 1;
}
