#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <optional>

#include "kith/inspect/inspect.hpp"

#include "cli/commands.hpp"
#include "cli/place.hpp"

namespace kith::cli {
namespace {

constexpr std::size_t kColumns = 8;
using Row = std::array<std::string, kColumns>;
const Row kHead = {"NAME", "KIND", "SIZE", "MEMORY", "IN USE", "LIFETIME", "CREATED", "NOTES"};

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

const char* lifetime_text(Lifetime lifetime) {
  switch (lifetime) {
    case Lifetime::until_removed:
      return "until removed";
    case Lifetime::until_last_member:
      return "last member";
    case Lifetime::while_creator_lives:
      return "creator";
  }
  return "unknown";
}

std::string creation_text(const ObjectFacts& object) {
  const std::time_t seconds = object.created_ns / 1'000'000'000;
  return fmt::format("{:%Y-%m-%d %H:%M:%S} by {}, process {}{}", fmt::localtime(seconds),
                     object.creator_program, object.creator_pid,
                     object.creator_lives ? "" : " (gone)");
}

std::string channel_text(const LatestFacts& facts) {
  return fmt::format("value {}, {}, readers {}, away {}, pinned {}", facts.sequence,
                     facts.has_writer ? "a writer" : "no writer", facts.readers_held,
                     facts.readers_vacant,
                     facts.pinned_held + facts.pinned_vacant + facts.pinned_by_nobody);
}

std::string notes_on(const Domain& domain, const ObjectFacts& object) {
  if (object.kind != "latest") return object.type_name;
  const auto facts = latest_facts(domain, object.name);
  if (!facts) return object.type_name;
  // Roles and messages stay in the books until somebody reaps, which looking does not.
  const bool all_dead = !object.in_use && (facts->has_writer || facts->readers_held != 0);
  return object.type_name + (object.type_name.empty() ? "" : ", ") + channel_text(*facts) +
         (all_dead ? " (holders are dead, not reaped yet)" : "");
}

Row row_of(const Domain& domain, const ObjectFacts& object) {
  if (!object.problem.empty()) return {object.name, "?", "", "", "", "", "", object.problem};
  return {object.name,
          object.kind,
          size_text(object.size),
          size_text(object.allocated_bytes),
          object.in_use ? "yes" : "no",
          lifetime_text(object.lifetime),
          creation_text(object),
          notes_on(domain, object)};
}

void print(const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < kColumns; ++i) line += fmt::format("{:<{}}", row[i], widths[i] + 2);
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

}  // namespace

int list_command(const Domain& domain) {
  const auto objects = list_objects(domain);
  if (objects.empty()) {
    fmt::print("{} {}\n", domain.exists() ? "nothing in" : "there is no domain at", domain.path());
    return kFine;
  }
  std::vector<Row> rows = {kHead};
  for (const ObjectFacts& object : objects) rows.push_back(row_of(domain, object));
  print(rows);
  const bool problem = std::any_of(objects.begin(), objects.end(), [](const ObjectFacts& object) {
    return !object.problem.empty();
  });
  return problem ? kProblem : kFine;
}

}  // namespace kith::cli
