// Locks that are objects by themselves, and those inside a user's region: how each is opened.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "kith/base/atomics.hpp"
#include "kith/sync/internal/lock_site.hpp"
#include "kith/sync/internal/waiting.hpp"

namespace kith::internal {

// What a waiter does before it sleeps: about 2 us, less than a wake costs.
inline constexpr WaitPatience kSpinning{.spins = 50};
// Where a look asks the kernel who lives.
inline constexpr WaitPatience kSleeping{.spins = 0};

// The content of a region that is one lock of a fixed size.
template <class Words>
struct NamedLock {
  Words words;
  // Identity of the member table that owners' ids point into; 0 before the first handle.
  RealAtomics::Word<std::uint64_t> member_table;
};

struct LockSpec : RegionSpec {
  LockSpec(LockKind of_kind, std::uint64_t size, Lifetime of_lifetime, const Rights& of_rights) {
    kind = to_string(of_kind);
    content_size = size;
    lifetime = of_lifetime;
    rights = of_rights;
  }
};

// Makes the State of a handle on a lock of its own: State(LockSite*, Words&, more...). Throws
// Error.
template <class State, class Words, class... More>
[[nodiscard]] State* open_named(const Domain& domain, const std::string& name, LockKind kind,
                                Lifetime lifetime, const Rights& rights, More&&... more) {
  using Named = NamedLock<Words>;
  const LockSpec spec(kind, sizeof(Named), lifetime, rights);
  auto site = open_named_lock(domain, name, kind, spec, offsetof(Named, member_table));
  auto& words = reinterpret_cast<Named*>(site->bytes())->words;
  return new State(site.release(), words, std::forward<More>(more)...);
}

// The same on words inside a region of the user's.
template <class State, class Words, class... More>
[[nodiscard]] State* open_embedded(const MappedRegion& region, const Words& words, LockKind kind,
                                   More&&... more) {
  auto site = open_embedded_lock(region, &words, sizeof words, kind);
  auto& own = *reinterpret_cast<Words*>(site->bytes());
  return new State(site.release(), own, std::forward<More>(more)...);
}

// Healers; registered together, so that any program heals them all.
bool heal_semaphore(MappedRegion& region, std::uint64_t dead_owner, Deadline patience);
bool heal_barrier(MappedRegion& region, std::uint64_t dead_owner, Deadline patience);

}  // namespace kith::internal
