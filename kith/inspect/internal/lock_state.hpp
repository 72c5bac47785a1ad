// Locks other than mutexes as bytes to read: what they are, in words, and who holds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kith/inspect/internal/look.hpp"
#include "kith/inspect/internal/member_table.hpp"
#include "kith/inspect/locks.hpp"
#include "kith/sync/lock_kind.hpp"

namespace kith::internal {

// The kind of a region that is one lock, or has a mutex inside; empty for others.
[[nodiscard]] std::optional<LockKind> lock_kind_of(const std::string& region_kind);

// The lock of that kind at `offset` of the content; empty if nothing of it can be read. How many
// permits or parties one inside a region has is not written there, so nothing is said of them.
[[nodiscard]] std::optional<LockState> lock_state_at(const Look& look, LockKind kind,
                                                     std::uint64_t offset, bool named,
                                                     const MemberTable& table);

}  // namespace kith::internal
