// The bytes of a region, the same for every process that maps it.
//
//   offset 0      RegionHeader: who made it, what two programs must agree on, whether it is retired
//   offset 4096   content: a T, plain bytes, named objects, a channel
//
// Everything but `retired` is written before the region has a name and never changes, so it is read
// once at opening, checked, and copied to private memory; after that nobody trusts the shared copy.
// This header needs no system header: it compiles wherever C++20 does.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kith/base/atomics.hpp"

namespace kith::internal {

// The one region of a domain that is not a user's: its member table. The leading dot keeps it out
// of the users' names and of listings.
inline constexpr const char* kMembersName = ".members";

inline constexpr std::array<char, 8> kRegionMagic{'k', 'i', 't', 'h', '\0', 'r', 'g', 'n'};
inline constexpr std::uint32_t kByteOrderMark = 0x01020304;
inline constexpr std::uint16_t kFormatMajor = 1;  // equal major numbers interoperate
inline constexpr std::uint16_t kFormatMinor = 0;  // a higher minor number only adds
inline constexpr std::uint32_t kWordBits = sizeof(void*) * 8;

inline constexpr std::uint64_t kRegionHeaderSize = 4096;
inline constexpr std::uint64_t kRegionSizeMax = std::uint64_t{1} << 46;
inline constexpr std::size_t kGeometryWords = 8;

// Bytes on which the life-cycle locks of a region lie, far beyond any content (a lock needs no byte
// of the file). Every attached handle holds `use` shared; the creator holds `creator` for its life;
// who removes holds `remove`; who changes roles or named objects holds `admin`.
struct RegionLock {
  static constexpr std::uint64_t kUse = (std::uint64_t{1} << 50) + 0;
  static constexpr std::uint64_t kCreator = (std::uint64_t{1} << 50) + 1;
  static constexpr std::uint64_t kRemove = (std::uint64_t{1} << 50) + 2;
  static constexpr std::uint64_t kAdmin = (std::uint64_t{1} << 50) + 3;
};

using Geometry = std::array<std::uint64_t, kGeometryWords>;

struct RegionHeader {
  std::array<char, 8> magic;
  std::uint32_t byte_order;
  std::uint16_t format_major;
  std::uint16_t format_minor;
  std::uint32_t word_bits;
  std::uint32_t lifetime;
  std::uint64_t size;          // bytes of the whole file
  std::uint64_t content_size;  // bytes from kRegionHeaderSize on that were asked for
  std::uint64_t fingerprint;   // of the type that lies in the content; 0 for bytes
  std::array<std::uint64_t, 2> identity;
  std::int64_t created_ns;  // wall clock, for people
  std::uint32_t creator_pid;
  std::uint32_t has_satellites;  // 1: further files belong to it (internal/satellite.hpp)
  std::array<char, 16> creator_program;
  std::array<char, 24> kind;        // "bytes", "type", "objects", "latest", "members"
  std::array<char, 120> type_name;  // for people; decides nothing
  Geometry geometry;                // what the kind makes of it

  // 0 while the region may be opened; 1 once its name was taken away. Written under the lock on
  // RegionLock::kRemove, after the name went; never taken back. Killed in between, a remover leaves
  // the missing name, which says the same.
  alignas(128) RealAtomics::Word<std::uint32_t> retired;
};

static_assert(offsetof(RegionHeader, byte_order) == 8);
static_assert(offsetof(RegionHeader, word_bits) == 16);
static_assert(offsetof(RegionHeader, size) == 24);
static_assert(offsetof(RegionHeader, fingerprint) == 40);
static_assert(offsetof(RegionHeader, identity) == 48);
static_assert(offsetof(RegionHeader, created_ns) == 64);
static_assert(offsetof(RegionHeader, creator_program) == 80);
static_assert(offsetof(RegionHeader, kind) == 96);
static_assert(offsetof(RegionHeader, type_name) == 120);
static_assert(offsetof(RegionHeader, geometry) == 240);
static_assert(offsetof(RegionHeader, retired) == 384);
static_assert(sizeof(RegionHeader) == 512 && sizeof(RegionHeader) <= kRegionHeaderSize);

// Text in a fixed field: cut to fit, always ended, the rest zero.
template <std::size_t N>
void put_text(std::array<char, N>& field, std::string_view text) noexcept {
  field.fill('\0');
  for (std::size_t i = 0; i + 1 < N && i < text.size(); ++i) field[i] = text[i];
}

// What a stranger wrote into a text field: ended by the field if nothing else ends it, with bytes
// that could disturb a terminal shown as '?'.
template <std::size_t N>
[[nodiscard]] std::string get_text(const std::array<char, N>& field) {
  std::string text;
  for (const char c : field) {
    if (c == '\0') break;
    text += (c >= 0x20 && c < 0x7f) ? c : '?';
  }
  return text;
}

// True if put_text() would have left the field so; nothing is allocated.
template <std::size_t N>
[[nodiscard]] bool holds_text(const std::array<char, N>& field, std::string_view text) noexcept {
  return text.size() < N && field[text.size()] == '\0' &&
         std::string_view(field.data(), text.size()) == text;
}

// A header as one process read it, once. `retired` is left out: it is read where it lies.
struct RegionFacts {
  std::uint32_t lifetime = 0;
  std::uint64_t size = 0;
  std::uint64_t content_size = 0;
  std::uint64_t fingerprint = 0;
  std::int64_t created_ns = 0;
  std::uint32_t creator_pid = 0;
  bool has_satellites = false;
  std::string creator_program;
  std::string kind;
  std::string type_name;
  Geometry geometry{};
};

enum class HeaderFault { none, not_ours, byte_order, version, word_size, damaged };

// Checks a header against the size of the file it was read from.
[[nodiscard]] HeaderFault check_header(const RegionHeader& header,
                                       std::uint64_t file_size) noexcept;
[[nodiscard]] RegionFacts facts_from(const RegionHeader& header);

}  // namespace kith::internal
