// What the standard's verbs throw where ours answer.
#pragma once

#include <string>

#include "kith/base/error.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

// Requires an answer that is not of one who holds the lock now; but owner_died is one: the caller
// has given it back.
[[nodiscard]] Error lock_error(LockAnswer answer, const std::string& object);

}  // namespace kith::internal
