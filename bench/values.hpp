// The values that are sent, and how a reader knows that it got a whole one.
//
// Every 512 bytes begin with the value's number; all other words are the same in every value. So
// two values mixed differ in the sum over all words, and making the next value costs the writer a
// word in 512 bytes, not a pass over all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace kith::bench {

inline constexpr std::size_t kStampEvery = 64;  // words
inline constexpr std::uint64_t kFiller = 0x0101010101010101;

struct Value64 {
  std::uint64_t number;
  std::uint64_t words[7];
};

[[nodiscard]] constexpr std::size_t words_in(std::size_t bytes) noexcept {
  return bytes / 8;
}
[[nodiscard]] constexpr std::size_t stamps_in(std::size_t bytes) noexcept {
  return (words_in(bytes) + kStampEvery - 1) / kStampEvery;
}

// The sum of all words of value `number`.
[[nodiscard]] constexpr std::uint64_t sum_expected(std::uint64_t number,
                                                   std::size_t bytes) noexcept {
  return number * stamps_in(bytes) + kFiller * (words_in(bytes) - stamps_in(bytes));
}

// Looks at every byte, 16 at a time, so that lines come from the other core as fast as they can.
[[nodiscard]] inline std::uint64_t sum_of(std::span<const std::byte> value) noexcept {
  using Wide [[gnu::vector_size(16)]] = std::uint64_t;
  Wide sums[4] = {};
  const std::byte* at = value.data();
  const std::byte* const end = at + value.size();
  for (; end - at >= 64; at += 64) {
    Wide wide[4];
    std::memcpy(wide, at, 64);
    for (int i = 0; i < 4; ++i) sums[i] += wide[i];
  }
  const Wide all = sums[0] + sums[1] + sums[2] + sums[3];
  std::uint64_t sum = all[0] + all[1];
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    sum += word;
  }
  return sum;
}

// The number that a value claims to be.
[[nodiscard]] inline std::uint64_t number_of(std::span<const std::byte> value) noexcept {
  std::uint64_t number = 0;
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

[[nodiscard]] inline bool is_whole(std::span<const std::byte> value) noexcept {
  return sum_of(value) == sum_expected(number_of(value), value.size());
}

// The writer's private value, made into the next one in place.
class Source {
 public:
  explicit Source(std::size_t bytes) : words_(words_in(bytes), kFiller) {}

  std::span<const std::byte> next(std::uint64_t number) noexcept {
    for (std::size_t i = 0; i < words_.size(); i += kStampEvery) words_[i] = number;
    return std::as_bytes(std::span(words_));
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace kith::bench
