// LockSite: the memory that one handle on a lock was opened on: a region of its own, or a cell
// inside a region of the user's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "kith/base/deadline.hpp"
#include "kith/region/internal/mapped_region.hpp"
#include "kith/sync/internal/threads.hpp"
#include "kith/sync/lock_kind.hpp"

namespace kith {

class Domain;

namespace internal {

class Membership;
class DeathWatch;
struct WaitNote;

struct LockSite {
  std::shared_ptr<Membership> membership;  // outlives the region: who closes it last is a member
  MappedRegion region;
  std::string object;               // for errors
  LockKind kind = LockKind::mutex;  // for people
  bool is_named = false;
  std::uint64_t offset = 0;  // of the lock in the content
  DeathWatch* watch = nullptr;
  WaitNote* notes = nullptr;

  [[nodiscard]] LockPlace place() const noexcept { return {region.identity(), offset}; }
  [[nodiscard]] std::byte* bytes() const noexcept { return region.content() + offset; }
};

// How a WaitNote says what is waited for.
inline constexpr unsigned kNotedKindShift = 56;
inline constexpr std::uint64_t kNotedOthers = std::uint64_t{1} << 55;  // among others
[[nodiscard]] constexpr std::uint64_t noted_place(LockKind kind, std::uint64_t offset) noexcept {
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << kNotedKindShift | offset;
}
[[nodiscard]] constexpr std::uint64_t noted_offset(std::uint64_t noted) noexcept {
  return noted & (kNotedOthers - 1);
}

// Opens or creates a region that is one lock. The word at `table_at` of its content names the
// member table that owner words in it point into; 0 before the first handle. Throws Error; orphaned
// where processes use it that are members of an older table of this domain, which somebody removed:
// who of them lives, nobody could tell.
[[nodiscard]] std::unique_ptr<LockSite> open_named_lock(const Domain& domain,
                                                        const std::string& name, LockKind kind,
                                                        const RegionSpec& spec,
                                                        std::uint64_t table_at);

// The same for one that is there, or will be before the deadline. Throws not_found, timed_out.
[[nodiscard]] std::unique_ptr<LockSite> open_existing_lock(const Domain& domain,
                                                           const std::string& name, LockKind kind,
                                                           const RegionSpec& spec,
                                                           std::uint64_t table_at,
                                                           Deadline deadline);

// On what lies at `cell` inside the region, by a mapping of its own. Throws invalid_argument if it
// lies elsewhere, orphaned if the region has lost its name.
[[nodiscard]] std::unique_ptr<LockSite> open_embedded_lock(const MappedRegion& region,
                                                           const void* cell, std::uint64_t size,
                                                           LockKind kind);

// The same for what members of one member table only can use: the word at `table_at` of it names
// that. Throws orphaned as well where others had the region open before it was opened here, and
// the word names an older table.
[[nodiscard]] std::unique_ptr<LockSite> open_embedded_lock_of_one_table(const MappedRegion& region,
                                                                        const void* cell,
                                                                        std::uint64_t size,
                                                                        LockKind kind,
                                                                        std::uint64_t table_at);

}  // namespace internal
}  // namespace kith
