// Trail: the choices of one run, and the way from one run to the next.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace kith::testkit::explore::internal {

class Trail {
 public:
  // With random choices from `seed`; else always the first that was not tried.
  void at_random(std::uint64_t seed) {
    choices_.clear();
    random_.seed(seed);
    is_random_ = true;
    next_ = 0;
  }
  void again() noexcept { next_ = 0; }

  [[nodiscard]] bool is_new() const noexcept { return next_ == choices_.size(); }
  [[nodiscard]] std::size_t left() const noexcept { return choices_.size() - next_; }
  [[nodiscard]] bool is_random() const noexcept { return is_random_; }

  // None if the choice to be repeated is not there.
  std::optional<std::uint32_t> choose(std::uint32_t count) {
    if (!is_new()) {
      Choice& choice = choices_[next_++];
      if (choice.count == 0) choice.count = count;  // from a replay
      if (choice.count != count || choice.taken >= count) return std::nullopt;
      return choice.taken;
    }
    // Mostly the first, which is to go on: else a run would be nothing but preemptions.
    std::uint32_t taken = 0;
    if (is_random_ && random_() % 4 == 0) taken = static_cast<std::uint32_t>(random_() % count);
    choices_.push_back({taken, count});
    ++next_;
    return taken;
  }

  // To the next run, depth first; false if that was the last.
  bool advance() {
    choices_.resize(next_);  // the rest belonged to a longer run
    while (!choices_.empty() && choices_.back().taken + 1 == choices_.back().count) {
      choices_.pop_back();
    }
    next_ = 0;
    if (choices_.empty()) return false;
    ++choices_.back().taken;
    return true;
  }

  // As "0 2 1*3": what was chosen, repeats counted; trailing zeros left out.
  [[nodiscard]] std::string text() const;
  static Trail from_text(const std::string& text);

 private:
  struct Choice {
    std::uint32_t taken;
    std::uint32_t count;
  };
  std::vector<Choice> choices_;
  std::size_t next_ = 0;
  std::mt19937_64 random_;
  bool is_random_ = false;
};

}  // namespace kith::testkit::explore::internal
