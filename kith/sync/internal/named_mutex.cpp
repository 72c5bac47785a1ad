#include "kith/sync/internal/named_mutex.hpp"

#include <algorithm>

#include "kith/base/error.hpp"
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
  MutexCore(named_mutex_in(region).words).heal(dead_owner);
  return true;
}

Error of_older_table(const MappedRegion& region) {
  return Error(Errc::orphaned,
               {.object = region.object(),
                .expected = "members of this domain's member table",
                .found = "processes that joined another one, which was removed",
                .remedy = "end the processes that use it, or remove it with `kith rm --force`"});
}

// Any program that contains this code can heal mutexes, also one that only ever joins.
[[maybe_unused]] const bool kRegistered = (register_healer(kMutexKind, &heal_mutex), true);

}  // namespace

// Named by the library's link options, so that programs that link it statically contain this file.
extern "C" const int kith_heals_mutexes = 1;

NamedMutex& named_mutex_in(const MappedRegion& region) noexcept {
  return *reinterpret_cast<NamedMutex*>(region.content());
}

MappedRegion open_named_mutex(const Domain& domain, const std::string& name, Lifetime lifetime,
                              const Rights& rights, std::uint64_t member_table) {
  MutexSpec spec;
  spec.lifetime = lifetime;
  spec.rights = rights;
  MappedRegion region = MappedRegion::open_or_create(domain, name, spec, Deadline::now());
  auto& known = named_mutex_in(region).member_table;
  // relaxed: a number that names; nothing is read because of it.
  std::uint64_t theirs = known.load(std::memory_order_relaxed);
  if (theirs == member_table) return region;
  if (theirs != 0 && region.found_in_use()) throw of_older_table(region);
  // A holder of the older table is found dead by its incarnation, which this table has not seen.
  const bool adopted = known.compare_exchange_strong(
      theirs, member_table, std::memory_order_relaxed, std::memory_order_relaxed);
  if (!adopted && theirs != member_table) throw of_older_table(region);
  return region;
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
  facts.recursions = words.depth.load(std::memory_order_relaxed);
  const auto since = words.waited_since.load(std::memory_order_relaxed);
  const auto now = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(Deadline::Clock::now().time_since_epoch()).count());
  if (words.waited_for.load(std::memory_order_relaxed) == MutexWord::holder(word) && since <= now) {
    facts.waited_ns = static_cast<std::int64_t>(std::max<std::uint64_t>(now - since, 1));
  }
  return facts;
}

}  // namespace kith::internal
