// Book: what was measured, repeat by repeat, and the rows that come of it.
//
// A reading is one number of one run in one repeat. A row is the median of a reading over the
// repeats in which the machine was left to us. A ratio is formed inside each repeat, against a
// limit measured in that same repeat, and then the median is taken: what drifts, drifts in both.
//
// States       begin_repeat(), then note() for each reading, again and again; rows() at any time.
// Callers      one thread at a time.
// Cost         a few strings.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace kith::bench {

// Above this share of processor time taken by others, a run counts only if too few are left.
inline constexpr double kForeignShareMax = 0.06;
inline constexpr std::size_t kRepeatsLeast = 3;

struct Reading {
  std::string what;  // the case
  std::string peer;
  std::uint64_t payload_bytes = 0;
  std::string metric;
  std::string unit;
  double value = 0;
  std::string limit{};                    // the ratio is against `limit.NAME`, metric p50
  std::vector<std::string> minus{};       // limits that are subtracted before: they are allowed for
  std::uint64_t limit_payload_bytes = 0;  // which size of that limit; those of `minus` have ours
};

struct Row {
  std::string what;
  std::string peer;
  std::uint64_t payload_bytes = 0;
  std::string metric;
  double value = 0;
  std::string unit;
  std::optional<double> ratio{};
  std::string limit{};
};

class Book {
 public:
  void begin_repeat() { ++repeat_; }
  // `foreign_share`: how much of the processors others took while this was measured.
  void note(const Reading& reading, double foreign_share);

  // In the order in which they were first noted; after those of one case and peer, how many repeats
  // were used and how much of the machine others took in them.
  [[nodiscard]] std::vector<Row> rows() const;

 private:
  using Key = std::tuple<std::string, std::string, std::uint64_t, std::string>;
  struct Entry {
    int repeat = 0;
    double value = 0;
    double foreign_share = 0;
  };
  struct Line {
    Reading like;
    std::vector<Entry> entries;
  };
  struct Used {
    std::vector<double> values;
    std::vector<double> ratios;
    std::vector<double> shares;
  };

  [[nodiscard]] Used used(const Line& line) const;
  [[nodiscard]] std::optional<double> limit_in(int repeat, const std::string& name,
                                               std::uint64_t payload_bytes) const;
  [[nodiscard]] std::optional<double> ratio_of(const Line& line, const Entry& entry) const;

  int repeat_ = 0;
  std::vector<Line> lines_;
  std::map<Key, std::size_t> places_;
};

[[nodiscard]] double median(std::vector<double> values);

[[nodiscard]] std::string json_rows(std::span<const Row> rows);
// For people: aligned, one line for each case, peer and size, with its percentiles.
[[nodiscard]] std::string table(std::span<const Row> rows);

}  // namespace kith::bench
