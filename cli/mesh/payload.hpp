// Payload: a value of the mesh as bytes, every one of which follows from who wrote it and how
// often.
//
//   fill_payload(draft.bytes(), 3, 17);                       // process 3 writes for the 17th time
//   const PayloadSeen seen = look_at_payload(pinned.bytes(), 3);
//   if (!seen.whole) ...;                                      // bytes of two values: torn
//
// From 16 bytes up: the count (8 bytes), filler, a checksum over all that (8 bytes). Below: a
// count of 40 bits and a checksum of 24 in one word, then filler. So even values of 8 bytes show a
// tear, and large ones cannot hide one: a reader knows what each byte must be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kith::mesh {

inline constexpr std::uint64_t kPayloadSizeMin = 8;
inline constexpr std::uint64_t kPayloadSizeMax = std::uint64_t{64} << 20;
// What a count of 40 bits can hold: 30 years at a thousand values a second.
inline constexpr std::uint64_t kCountMax = (std::uint64_t{1} << 40) - 1;

struct PayloadSeen {
  bool whole = false;
  std::uint64_t count = 0;  // means something only if it is whole
};

// Requires at least kPayloadSizeMin bytes and a count of at most kCountMax.
void fill_payload(std::span<std::byte> bytes, std::uint32_t writer, std::uint64_t count);

[[nodiscard]] PayloadSeen look_at_payload(std::span<const std::byte> bytes, std::uint32_t writer);

}  // namespace kith::mesh
