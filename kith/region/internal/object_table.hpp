// The bytes of an object region's content: a table of names, and behind it the named objects.
//
//   0     ObjectTable: how many entries count
//   128   ObjectEntry, one for each object, in the order of their creation
//   ...   the objects
// An object exists once `count` covers its entry: creating one is a single store, made last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kith/base/atomics.hpp"

namespace kith::internal {

inline constexpr const char* kObjectsKind = "objects";

struct ObjectEntry {
  std::array<char, 64> name;
  std::uint64_t fingerprint;
  std::uint64_t offset;  // from the beginning of the content
  std::uint64_t size;
  std::array<char, 40> type_name;
};
static_assert(sizeof(ObjectEntry) == 128);

struct ObjectTable {
  RealAtomics::Word<std::uint32_t> count;
};

inline constexpr std::uint64_t kEntriesOffset = 128;
inline constexpr std::size_t kObjectsMaxWord = 0;  // word of the geometry
inline constexpr std::uint32_t kObjectsMaxMax = 1u << 20;

}  // namespace kith::internal
