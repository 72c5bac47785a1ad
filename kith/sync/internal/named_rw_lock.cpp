#include "kith/sync/internal/named_rw_lock.hpp"

#include <cstddef>

#include "kith/member/internal/membership.hpp"

namespace kith::internal {
namespace {

struct RwLockSpec final : RegionSpec {
  RwLockSpec() {
    kind = to_string(LockKind::rwlock);
    content_size = sizeof(NamedRwLock);
  }
};

// What a dead member read needs no healing: it does not count.
bool heal_rw_lock(MappedRegion& region, std::uint64_t dead_owner, Deadline) {
  if (region.content_size() < sizeof(NamedRwLock)) return true;  // nobody can have it open
  MutexCore(named_rw_lock_in(region).words.mutex).heal(dead_owner);
  return true;
}

// Any program that contains this code can heal read-write locks, also one that only ever joins.
[[maybe_unused]] const bool kRegistered = (register_healer("rwlock", &heal_rw_lock), true);

}  // namespace

// Named by the library's link options, so that programs that link it statically contain this file.
extern "C" const int kith_heals_rw_locks = 1;

NamedRwLock& named_rw_lock_in(const MappedRegion& region) noexcept {
  return *reinterpret_cast<NamedRwLock*>(region.content());
}

std::unique_ptr<LockSite> open_named_rw_lock(const Domain& domain, const std::string& name,
                                             Lifetime lifetime, const Rights& rights) {
  RwLockSpec spec;
  spec.lifetime = lifetime;
  spec.rights = rights;
  return open_named_lock(domain, name, LockKind::rwlock, spec, offsetof(NamedRwLock, member_table));
}

}  // namespace kith::internal
