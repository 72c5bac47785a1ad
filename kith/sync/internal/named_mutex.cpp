#include "kith/sync/internal/named_mutex.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "kith/base/deadline.hpp"
#include "kith/member/internal/membership.hpp"

namespace kith::internal {
namespace {

struct MutexSpec final : RegionSpec {
  MutexSpec() {
    kind = kMutexKind;
    content_size = sizeof(NamedMutex);
  }
};

bool heal_mutex(MappedRegion& region, std::uint64_t dead_owner, Deadline) {
  // A stranger's that says it is one, and is too small.
  if (region.content_size() < sizeof(NamedMutex)) return true;
  MutexCore(named_mutex_in(region).words).heal(dead_owner);
  return true;
}

constexpr const char* kKinds[] = {kMutexKind, kGuardedKind, kGuardedBytesKind, kOnceKind};

bool register_healers() {
  for (const char* const kind : kKinds) register_healer(kind, &heal_mutex);
  return true;
}

// Any program that contains this code can heal mutexes, also one that only ever joins.
[[maybe_unused]] const bool kRegistered = register_healers();

}  // namespace

// Named by the library's link options, so that programs that link it statically contain this file.
extern "C" const int kith_heals_mutexes = 1;

bool has_named_mutex(const std::string& kind) noexcept {
  return std::any_of(std::begin(kKinds), std::end(kKinds),
                     [&](const char* known) { return kind == known; });
}

NamedMutex& named_mutex_in(const MappedRegion& region) noexcept {
  return *reinterpret_cast<NamedMutex*>(region.content());
}

std::unique_ptr<LockSite> open_named_mutex(const Domain& domain, const std::string& name,
                                           Lifetime lifetime, const Rights& rights) {
  MutexSpec spec;
  spec.lifetime = lifetime;
  spec.rights = rights;
  return open_named_lock(domain, name, LockKind::mutex, spec, offsetof(NamedMutex, member_table));
}

MutexFacts facts_of(const MutexWords& words) noexcept {
  // relaxed: each of them may have changed by the time anybody reads this.
  const std::uint64_t word = words.word.load(std::memory_order_relaxed);
  MutexFacts facts;
  facts.held = MutexWord::is_held(word);
  facts.retired = MutexWord::is_retired(word);
  facts.inconsistent = !facts.retired && (word & MutexWord::kInconsistent) != 0;
  facts.has_waiters = (word & MutexWord::kWaiters) != 0;
  if (!facts.held) return facts;
  facts.holder = owner_of(word);
  facts.thread = MutexWord::thread(word);
  const bool nested = (word & MutexWord::kNested) != 0;
  // Once at least, whatever a stranger wrote.
  const std::uint64_t depth = words.depth.load(std::memory_order_relaxed);
  facts.recursions = nested ? std::max<std::uint64_t>(depth, 1) : 0;
  const auto since = words.waited_since.load(std::memory_order_relaxed);
  const std::uint64_t now = monotonic_now_ns();
  if (words.waited_for.load(std::memory_order_relaxed) == MutexWord::holder(word) && since <= now) {
    facts.waited_ns = static_cast<std::int64_t>(std::max<std::uint64_t>(now - since, 1));
  }
  return facts;
}

}  // namespace kith::internal
