// Driver: runs scripts in a process of its own, starts another one after each that ended in it, and
// counts. What libFuzzer does, for every compiler, without its eyes for new paths.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/hostile/books.hpp"
#include "tests/hostile/execution.hpp"

namespace kith::hostile {

struct Finding {
  std::string how;   // "signal 11 (Segmentation fault)"
  std::string text;  // the script
};

struct Result {
  std::string subject;
  std::uint64_t tried = 0;
  std::uint64_t failed = 0;
  std::string detail;
  double seconds = 0;
  std::vector<Finding> findings;  // the first few
  Books books;

  // A run in which nothing went through, or nothing was refused, has tried nothing.
  [[nodiscard]] bool fine() const { return failed == 0 && tried > 0; }
};

// The next script to run, by its number; empty after the last.
using Source = std::function<std::optional<Script>(std::uint64_t number)>;

// `stage` is used in the worker processes only.
[[nodiscard]] Result run_all(const std::string& subject, Stage& stage, const Source& source);

// Scripts of one list, in order.
[[nodiscard]] Source each_of(const std::vector<Script>& scripts);

struct Limit {
  std::uint64_t runs = 0;  // 0: no limit
  double seconds = 0;      // 0: no limit
};
// Mutations of a pool, the same for the same seed, whatever the limit is.
[[nodiscard]] Source mutations_of(const std::vector<Script>& pool, const World& world,
                                  Target target, std::uint64_t seed, Limit limit);

}  // namespace kith::hostile
