// MemberId: which process, in which of its lives. The word that stands in every owned cell.
#pragma once

#include <cstdint>

namespace kith {

// A place in the domain's member table and the incarnation that sits there. Two processes, or one
// process and its restart, never have the same id within 2^32 joins of one place.
struct MemberId {
  std::uint32_t index = 0;
  std::uint32_t incarnation = 0;
  friend bool operator==(const MemberId&, const MemberId&) noexcept = default;
};

enum class Liveness {
  alive,
  dead,
  unknown,  // the kernel would not say (no descriptor left); counts as alive
};

namespace internal {

// An owner as it lies in shared memory: [incarnation:32 | flags:16 | index + 1:16]; 0 is nobody.
inline constexpr std::uint64_t kOwnerIndexMask = 0xffff;
inline constexpr std::uint64_t kOwnerMask = ~std::uint64_t{0xffff0000};

[[nodiscard]] constexpr std::uint64_t owner_word(MemberId id) noexcept {
  return (std::uint64_t{id.incarnation} << 32) | (id.index + 1);
}
[[nodiscard]] constexpr bool has_owner(std::uint64_t word) noexcept {
  return (word & kOwnerIndexMask) != 0;
}
// Requires has_owner(word).
[[nodiscard]] constexpr MemberId owner_of(std::uint64_t word) noexcept {
  return {static_cast<std::uint32_t>((word & kOwnerIndexMask) - 1),
          static_cast<std::uint32_t>(word >> 32)};
}

}  // namespace internal
}  // namespace kith
