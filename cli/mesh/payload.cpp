#include "cli/mesh/payload.hpp"

#include <algorithm>
#include <cstring>

namespace kith::mesh {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr unsigned kCountBits = 40;

// Spreads every bit of `value` over the word (the finalizer of SplitMix64).
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::uint64_t seed_of(std::uint32_t writer, std::uint64_t count) {
  return mixed((std::uint64_t{writer} << kCountBits) + count + 1);
}

std::uint64_t word_at(std::span<const std::byte> bytes, std::size_t offset) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + offset, kWord);
  return word;
}

// The filler, word by word; the last one may be cut short.
class Filler {
 public:
  Filler(std::uint32_t writer, std::uint64_t count) : state_(seed_of(writer, count)) {}
  std::uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15); }

 private:
  std::uint64_t state_;
};

std::uint64_t small_word(std::uint32_t writer, std::uint64_t count) {
  return (seed_of(writer, count) & ~kCountMax) | count;
}

// Where the filler stands in a payload of this size.
struct Middle {
  std::size_t begin;
  std::size_t end;
};
Middle middle_of(std::size_t size) {
  return {kWord, size < 2 * kWord ? size : size - kWord};
}

}  // namespace

void fill_payload(std::span<std::byte> bytes, std::uint32_t writer, std::uint64_t count) {
  const bool small = bytes.size() < 2 * kWord;
  const Middle middle = middle_of(bytes.size());
  const std::uint64_t first = small ? small_word(writer, count) : count;
  std::memcpy(bytes.data(), &first, kWord);
  Filler filler(writer, count);
  std::uint64_t sum = seed_of(writer, count);  // never 0 for bytes that are all 0
  for (std::size_t at = middle.begin; at < middle.end; at += kWord) {
    const std::uint64_t word = filler.next();
    std::memcpy(bytes.data() + at, &word, std::min(kWord, middle.end - at));
    sum += word;
  }
  if (!small) std::memcpy(bytes.data() + middle.end, &sum, kWord);
}

PayloadSeen look_at_payload(std::span<const std::byte> bytes, std::uint32_t writer) {
  if (bytes.size() < kPayloadSizeMin) return {};
  const bool small = bytes.size() < 2 * kWord;
  const Middle middle = middle_of(bytes.size());
  const std::uint64_t first = word_at(bytes, 0);
  const std::uint64_t count = first & kCountMax;
  if (first != (small ? small_word(writer, count) : count)) return {};
  Filler filler(writer, count);
  std::uint64_t sum = seed_of(writer, count);  // never 0 for bytes that are all 0
  bool same = true;
  for (std::size_t at = middle.begin; at < middle.end; at += kWord) {
    const std::uint64_t word = filler.next();
    const std::size_t size = std::min(kWord, middle.end - at);
    same = same && std::memcmp(bytes.data() + at, &word, size) == 0;
    sum += word;
  }
  if (!small && word_at(bytes, middle.end) != sum) return {};
  return {same, count};
}

}  // namespace kith::mesh
