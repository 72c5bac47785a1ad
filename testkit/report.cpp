#include "testkit/report.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace kith::testkit {
namespace {

const char* name_of(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::hang:
      return "hang";
    case Failure::Kind::leaked:
      return "leaked";
    case Failure::Kind::wrong:
      break;
  }
  return "wrong";
}

std::string padded(std::string text, std::size_t width, bool to_the_right) {
  if (text.size() >= width) return text;
  const std::string space(width - text.size(), ' ');
  return to_the_right ? space + text : text + space;
}

std::string row_of(const std::string& name, std::size_t name_width,
                   std::span<const std::string> cells) {
  std::string row = padded(name, name_width, false);
  for (const std::string& cell : cells) row += "  " + padded(cell, 12, true);
  return row + "\n";
}

std::string numbers_of(const Report& report) {
  return "instructions " + std::to_string(report.instructions) + ", system calls " +
         std::to_string(report.calls) + ", changes " + std::to_string(report.changes) + ", kills " +
         std::to_string(report.kills) + ", hangs " + std::to_string(report.hangs) + ", wrong " +
         std::to_string(report.wrong) + ", leaked " + std::to_string(report.leaked) + ", skipped " +
         std::to_string(report.skipped) + ", diverged " + std::to_string(report.diverged);
}

nlohmann::ordered_json row_as_json(const Report& report) {
  std::string detail = numbers_of(report);
  if (!report.broken.empty()) detail += "; broken: " + report.broken;
  if (!report.failures.empty()) detail += "; first: " + to_string(report.failures.front());
  if (!report.note.empty()) detail += "; " + report.note;
  nlohmann::ordered_json row;
  row["proof"] = "step";
  row["subject"] = report.subject;
  row["tried"] = report.kills;
  // What could not be tried counts as one failure: silence must not pass for success.
  row["failed"] = report.fine() ? 0 : std::max<std::uint64_t>(report.failed(), 1);
  row["detail"] = detail;
  return row;
}

std::string in_json(const nlohmann::ordered_json& value, int indent) {
  // Texts come from dying processes: bytes that are not UTF-8 are replaced instead of thrown at us.
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string to_string(const Failure& failure) {
  std::string text = "kill point " + std::to_string(failure.kill_point) + " (" +
                     name_of(failure.kind) + ")" + (failure.inside_call ? " asleep in " : " at ") +
                     failure.where;
  return text + ": " + failure.who + ": " + failure.text;
}

std::string table(std::span<const Report> reports) {
  std::size_t width = 8;
  for (const Report& report : reports) width = std::max(width, report.subject.size());
  const std::string heads[] = {"instructions", "kills",   "hangs",    "wrong",
                               "leaked",       "skipped", "diverged", "seconds"};
  std::string text = row_of("subject", width, heads);
  std::string remarks;
  for (const Report& report : reports) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.1f", report.seconds);
    const std::string cells[] = {
        std::to_string(report.instructions), std::to_string(report.kills),
        std::to_string(report.hangs),        std::to_string(report.wrong),
        std::to_string(report.leaked),       std::to_string(report.skipped),
        std::to_string(report.diverged),     seconds};
    text += row_of(report.subject, width, cells);
    if (!report.broken.empty()) remarks += report.subject + ": broken: " + report.broken + "\n";
    if (!report.failures.empty()) {
      remarks += report.subject + ": " + to_string(report.failures.front()) + "\n";
    }
    if (!report.divergences.empty()) {
      remarks += report.subject + ": diverged: " + report.divergences.front() + "\n";
    }
    if (!report.note.empty()) remarks += report.subject + ": " + report.note + "\n";
  }
  return text + remarks;
}

std::string json_row(const Report& report) {
  return in_json(row_as_json(report), -1);
}

std::string json_rows(std::span<const Report> reports) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Report& report : reports) rows.push_back(row_as_json(report));
  return in_json(rows, 1) + "\n";
}

}  // namespace kith::testkit
