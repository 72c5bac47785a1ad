// A mutex that is an object by itself: the content of a region of kind "mutex".
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kith/sync/internal/lock_site.hpp"
#include "kith/sync/internal/mutex_core.hpp"
#include "kith/sync/mutex_facts.hpp"

namespace kith::internal {

inline constexpr const char* kMutexKind = "mutex";
// These have a mutex inside, which lies where that of kind "mutex" does.
inline constexpr const char* kGuardedKind = "guarded";
inline constexpr const char* kGuardedBytesKind = "guarded_bytes";
inline constexpr const char* kOnceKind = "once";

// Of any of these kinds.
[[nodiscard]] bool has_named_mutex(const std::string& kind) noexcept;

struct NamedMutex {
  MutexWords words;
  // Identity of the member table that holders' ids point into; 0 before the first handle.
  RealAtomics::Word<std::uint64_t> member_table;
};
static_assert(sizeof(NamedMutex) == 40);

// Opens it, or creates it. Throws what open_named_lock() throws.
[[nodiscard]] std::unique_ptr<LockSite> open_named_mutex(const Domain& domain,
                                                         const std::string& name, Lifetime lifetime,
                                                         const Rights& rights);
[[nodiscard]] NamedMutex& named_mutex_in(const MappedRegion& region) noexcept;

[[nodiscard]] MutexFacts facts_of(const MutexWords& words) noexcept;

}  // namespace kith::internal
