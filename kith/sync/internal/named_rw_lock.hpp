// A read-write lock that is an object by itself: the content of a region of kind "rwlock".
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kith/sync/internal/lock_site.hpp"
#include "kith/sync/internal/rw_lock_core.hpp"

namespace kith::internal {

struct NamedRwLock {
  RwLockWords words;
  // Identity of the member table that holders' ids point into; 0 before the first handle.
  RealAtomics::Word<std::uint64_t> member_table;
};
static_assert(sizeof(NamedRwLock) == 136);

// Opens it, or creates it. Throws what open_named_lock() throws.
[[nodiscard]] std::unique_ptr<LockSite> open_named_rw_lock(const Domain& domain,
                                                           const std::string& name,
                                                           Lifetime lifetime, const Rights& rights);
[[nodiscard]] NamedRwLock& named_rw_lock_in(const MappedRegion& region) noexcept;

}  // namespace kith::internal
