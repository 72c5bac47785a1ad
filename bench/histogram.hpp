// Histogram: counts times by size, in constant memory and with an error below 0.2 %, so that it can
// lie in memory that two processes share and be written while something is measured.
//
// States       empty -> counted; clear() empties it again. All zero bits is a valid empty one.
// Callers      one thread at a time.
// Cost         record(): a few ns; 88 KiB.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace kith::bench {

class Histogram {
 public:
  void clear() noexcept { *this = Histogram(); }

  void record(double ns) noexcept {
    const double picoseconds = std::clamp(ns * 1000, 0.0, 1e16);
    ++buckets_[index_of(static_cast<std::uint64_t>(picoseconds))];
    ++count_;
    max_ns_ = std::max(max_ns_, ns);
    sum_ns_ += ns;
  }

  void add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
    sum_ns_ += other.sum_ns_;
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] double max_ns() const noexcept { return max_ns_; }
  [[nodiscard]] double mean_ns() const noexcept {
    return count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_);
  }
  // The smallest recorded time that `share` (0..1) of all do not exceed; 0 if there is none.
  [[nodiscard]] double percentile_ns(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * share));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= wanted && seen > 0) return std::min(middle_of(i) / 1000, max_ns_);
    }
    return max_ns_;
  }

 private:
  // Below 2 * kFine every picosecond has a bucket; above, each power of two has kFine of them.
  static constexpr unsigned kFineBits = 8;
  static constexpr std::uint64_t kFine = std::uint64_t{1} << kFineBits;
  static constexpr unsigned kPowers = 44;

  static std::size_t index_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kFineBits + 1) return value;
    const unsigned shift = width - kFineBits - 1;
    const std::size_t index = shift * kFine + (value >> shift);
    return std::min<std::size_t>(index, (kPowers + 1) * kFine - 1);
  }
  static double middle_of(std::size_t index) noexcept {
    if (index < 2 * kFine) return static_cast<double>(index);
    const std::uint64_t shift = index / kFine - 1;
    const std::uint64_t low = (index - shift * kFine) << shift;
    return static_cast<double>(low) + std::ldexp(0.5, static_cast<int>(shift));
  }

  std::array<std::uint64_t, (kPowers + 1) * kFine> buckets_{};
  std::uint64_t count_ = 0;
  double max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace kith::bench
