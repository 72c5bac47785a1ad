// RoleRecord: a role as it lies in shared memory; role.hpp says what becomes of it.
#pragma once

#include <array>
#include <cstdint>

#include "kith/base/atomics.hpp"

namespace kith::internal {

template <class Atomics>
struct RoleRecord {
  // An owner word (member_id.hpp) with flags: bit 16 named, bit 17 vacant (then nobody owns it).
  // 0 is a free role. Stored last when claiming, so a name without an owner means nothing.
  typename Atomics::template Word<std::uint64_t> owner;
  std::array<char, 64> name;  // empty for an unnamed role
  std::array<char, 56> reserved;
};
static_assert(sizeof(RoleRecord<RealAtomics>) == 128);

inline constexpr std::uint64_t kRoleNamed = std::uint64_t{1} << 16;
inline constexpr std::uint64_t kRoleVacant = std::uint64_t{1} << 17;

[[nodiscard]] constexpr bool is_vacant(std::uint64_t owner) noexcept {
  return (owner & kRoleVacant) != 0;
}

struct ClaimedRole {
  std::uint32_t index = 0;
  bool inherited = false;  // the role existed and may hold something
};

}  // namespace kith::internal
