// The states that a search has come to, and what was left of the bounds there: a state is not worth
// another look unless more is left of something.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace kith::testkit::explore::internal {

using Budget = std::array<std::uint16_t, 4>;  // preemptions, deaths, stale reads, wakes

class Visited {
 public:
  Visited() : entries_(1u << 16) {}

  // False if the state was seen with at least so much left.
  bool insert(std::uint64_t state, const Budget& left) {
    if (state == 0) state = 1;  // 0 is an empty entry
    if ((count_ + 1) * 4 > entries_.size() * 3) grow();
    for (std::size_t at = state;; ++at) {
      Entry& entry = entries_[at & (entries_.size() - 1)];
      if (entry.state == 0) {
        entry = {state, left};
        ++count_;
        return true;
      }
      if (entry.state != state) continue;
      if (covers(entry.left, left)) return false;
      if (covers(left, entry.left)) {
        entry.left = left;
        return true;
      }
    }
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return count_; }

 private:
  struct Entry {
    std::uint64_t state = 0;
    Budget left{};
  };

  static bool covers(const Budget& more, const Budget& less) noexcept {
    for (std::size_t i = 0; i < more.size(); ++i) {
      if (more[i] < less[i]) return false;
    }
    return true;
  }

  void grow() {
    std::vector<Entry> before(entries_.size() * 2);
    before.swap(entries_);
    for (const Entry& entry : before) {
      if (entry.state == 0) continue;
      std::size_t at = entry.state;
      while (entries_[at & (entries_.size() - 1)].state != 0) ++at;
      entries_[at & (entries_.size() - 1)] = entry;
    }
  }

  std::vector<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace kith::testkit::explore::internal
