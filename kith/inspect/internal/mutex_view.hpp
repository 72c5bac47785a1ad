// A mutex as bytes to read: see sync/internal/mutex_core.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "kith/inspect/internal/look.hpp"
#include "kith/inspect/internal/member_table.hpp"
#include "kith/inspect/locks.hpp"

namespace kith::internal {

// The one that lies at `offset` of the content, with what the table knows of its holder; empty if
// nothing can lie there.
[[nodiscard]] std::optional<MutexView> mutex_at(const Look& look, std::uint64_t offset,
                                                const MemberTable& table);

}  // namespace kith::internal
