#pragma once

#include <cstdint>

namespace kith::testkit::explore::internal {

[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93u;
  return hash ^ hash >> 29;
}

}  // namespace kith::testkit::explore::internal
