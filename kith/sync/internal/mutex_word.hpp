// The word of a mutex: who holds it, and what its next holder must know.
//
//   bits 0-15    place of the holder's process in the member table, plus one; 0: nobody holds it
//   bits 16-27   the thread of that process that holds it
//   bit 28       nested: its holder took it more than once
//   bit 29       starving: one who was often too late waits; newcomers leave it alone for a moment
//   bit 30       inconsistent: its holder died, and nobody has repaired what it guards
//   bit 31       waiters: who gives it back wakes somebody
//   bits 32-63   incarnation of the holder's process
//
// Without waiters, a free mutex is all zero bits. Claim and claimer are one store, so whoever is
// killed at any instruction holds it under its name, or does not hold it. The futex of those who
// wait is the lower half.
#pragma once

#include <cstdint>

#include "kith/member/member_id.hpp"

namespace kith::internal {

struct MutexWord {
  static constexpr std::uint64_t kNested = std::uint64_t{1} << 28;
  static constexpr std::uint64_t kStarving = std::uint64_t{1} << 29;
  static constexpr std::uint64_t kInconsistent = std::uint64_t{1} << 30;
  static constexpr std::uint64_t kWaiters = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kFlags = kNested | kStarving | kInconsistent | kWaiters;

  static constexpr unsigned kThreadShift = 16;
  static constexpr std::uint32_t kThreadsMax = 1u << 12;  // of one process, that hold locks at once
  static constexpr std::uint64_t kThread = std::uint64_t{kThreadsMax - 1} << kThreadShift;

  // A thread of nobody. Never taken back.
  static constexpr std::uint64_t kRetired = kInconsistent | kThread;

  // `member` is an owner word of kith/member.
  [[nodiscard]] static constexpr std::uint64_t of(std::uint64_t member,
                                                  std::uint32_t thread) noexcept {
    return member | std::uint64_t{thread} << kThreadShift;
  }
  // Process and thread, without the flags.
  [[nodiscard]] static constexpr std::uint64_t holder(std::uint64_t word) noexcept {
    return word & ~kFlags;
  }
  [[nodiscard]] static constexpr std::uint32_t thread(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word & kThread) >> kThreadShift);
  }
  [[nodiscard]] static constexpr std::uint64_t member(std::uint64_t word) noexcept {
    return word & kOwnerMask;
  }
  [[nodiscard]] static constexpr bool is_held(std::uint64_t word) noexcept {
    return has_owner(word);
  }
  [[nodiscard]] static constexpr bool is_retired(std::uint64_t word) noexcept {
    return !has_owner(word) && thread(word) != 0;
  }
};
static_assert((MutexWord::kFlags | MutexWord::kThread | kOwnerMask) == ~std::uint64_t{0});
static_assert((MutexWord::kFlags & MutexWord::kThread) == 0);
static_assert(MutexWord::is_retired(MutexWord::kRetired));

}  // namespace kith::internal
