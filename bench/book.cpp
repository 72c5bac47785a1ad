#include "bench/book.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <set>

namespace kith::bench {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void Book::note(const Reading& reading, double foreign_share) {
  const Key key{reading.what, reading.peer, reading.payload_bytes, reading.metric};
  const auto [place, is_new] = places_.try_emplace(key, lines_.size());
  if (is_new) lines_.push_back({reading, {}});
  lines_[place->second].entries.push_back({repeat_, reading.value, foreign_share});
}

std::optional<double> Book::limit_in(int repeat, const std::string& name,
                                     std::uint64_t payload_bytes) const {
  for (const Line& line : lines_) {
    if (line.like.what != "limit." + name || line.like.metric != "p50") continue;
    if (line.like.payload_bytes != payload_bytes) continue;
    for (const Entry& entry : line.entries) {
      if (entry.repeat == repeat) return entry.value;
    }
  }
  return std::nullopt;
}

std::optional<double> Book::ratio_of(const Line& line, const Entry& entry) const {
  const Reading& like = line.like;
  if (like.limit.empty()) return std::nullopt;
  const auto limit = limit_in(entry.repeat, like.limit, like.limit_payload_bytes);
  if (!limit || *limit <= 0) return std::nullopt;
  double value = entry.value;
  for (const std::string& name : like.minus) {
    auto allowed = limit_in(entry.repeat, name, like.payload_bytes);
    if (!allowed) allowed = limit_in(entry.repeat, name, 0);
    if (!allowed) return std::nullopt;
    value -= *allowed;
  }
  return std::max(value, 0.0) / *limit;
}

Book::Used Book::used(const Line& line) const {
  std::vector<Entry> entries = line.entries;
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.foreign_share < b.foreign_share;
  });
  Used used;
  for (const Entry& entry : entries) {
    if (entry.foreign_share > kForeignShareMax && used.values.size() >= kRepeatsLeast) break;
    used.values.push_back(entry.value);
    used.shares.push_back(entry.foreign_share);
    if (const auto ratio = ratio_of(line, entry)) used.ratios.push_back(*ratio);
  }
  return used;
}

std::vector<Row> Book::rows() const {
  std::vector<Row> rows;
  std::set<std::tuple<std::string, std::string, std::uint64_t>> told;
  for (const Line& first : lines_) {
    const auto group = std::tuple(first.like.what, first.like.peer, first.like.payload_bytes);
    if (!told.insert(group).second) continue;
    Row row{first.like.what, first.like.peer, first.like.payload_bytes, {}, 0, {}};
    std::vector<double> shares;
    for (const Line& line : lines_) {
      if (std::tuple(line.like.what, line.like.peer, line.like.payload_bytes) != group) continue;
      const Used numbers = used(line);
      row.metric = line.like.metric;
      row.unit = line.like.unit;
      row.value = median(numbers.values);
      row.ratio = numbers.ratios.empty() ? std::nullopt : std::optional(median(numbers.ratios));
      row.limit = row.ratio ? line.like.limit : "";
      rows.push_back(row);
      shares = numbers.shares;
    }
    row.ratio.reset();
    row.limit.clear();
    row.metric = "repeats_used";
    row.unit = "count";
    row.value = static_cast<double>(shares.size());
    rows.push_back(row);
    row.metric = "foreign_share";
    row.unit = "of processor time";
    row.value = median(shares);
    rows.push_back(row);
  }
  return rows;
}

std::string json_rows(std::span<const Row> rows) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json one;
    one["case"] = row.what;
    one["peer"] = row.peer;
    one["payload_bytes"] = row.payload_bytes;
    one["metric"] = row.metric;
    one["value"] = row.value;
    one["unit"] = row.unit;
    one["ratio"] = row.ratio ? nlohmann::ordered_json(*row.ratio) : nlohmann::ordered_json();
    one["limit"] = row.limit.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(row.limit);
    all.push_back(one);
  }
  // Names of processors are what the firmware says: bytes that are not UTF-8 are replaced.
  return all.dump(0, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

namespace {

std::string in_short(const Row& row) {
  if (row.unit == "ns" && row.value >= 1e6) return fmt::format("{:.3g} ms", row.value / 1e6);
  if (row.unit == "ns" && row.value >= 1e4) return fmt::format("{:.3g} us", row.value / 1e3);
  if (row.unit == "1/s" && row.value >= 1e6) return fmt::format("{:.3g} M/s", row.value / 1e6);
  if (row.unit == "1/s" && row.value >= 1e4) return fmt::format("{:.3g} k/s", row.value / 1e3);
  return fmt::format("{:.4g} {}", row.value, row.unit == "1/s" ? "/s" : row.unit);
}

}  // namespace

std::string table(std::span<const Row> rows) {
  std::string text;
  std::string head;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) text += line + "\n";
    line.clear();
  };
  for (const Row& row : rows) {
    const std::string bytes =
        row.payload_bytes == 0 ? "" : " " + std::to_string(row.payload_bytes) + " B";
    const std::string name = row.what + " [" + row.peer + "]" + bytes;
    if (name != head) flush();
    if (name != head || line.empty()) line = fmt::format("{:<52}", name);
    head = name;
    if (row.metric == "foreign_share") continue;
    if (row.metric == "repeats_used") {
      line += fmt::format("  ({:.0f})", row.value);
    } else {
      line += fmt::format("  {} {}", row.metric, in_short(row));
      if (row.ratio) line += fmt::format(" = {:.2f} x {}", *row.ratio, row.limit);
    }
  }
  flush();
  return text;
}

}  // namespace kith::bench
