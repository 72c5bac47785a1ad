#include "kith/sync/internal/lock_site.hpp"

#include <utility>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/error.hpp"
#include "kith/member/internal/membership.hpp"

namespace kith::internal {
namespace {

Error of_older_table(const MappedRegion& region) {
  return Error(Errc::orphaned,
               {.object = region.object(),
                .expected = "members of this domain's member table",
                .found = "processes that joined another one, which was removed",
                .remedy = "end the processes that use it, or remove it with `kith rm --force`"});
}

void adopt(const MappedRegion& region, std::uint64_t table_at, std::uint64_t member_table) {
  auto& known = *reinterpret_cast<RealAtomics::Word<std::uint64_t>*>(region.content() + table_at);
  // relaxed: a number that names; nothing is read because of it.
  std::uint64_t theirs = known.load(std::memory_order_relaxed);
  if (theirs == member_table) return;
  if (theirs != 0 && region.found_in_use()) throw of_older_table(region);
  // A holder of the older table is found dead by its incarnation, which this table has not seen.
  const bool adopted = known.compare_exchange_strong(
      theirs, member_table, std::memory_order_relaxed, std::memory_order_relaxed);
  if (!adopted && theirs != member_table) throw of_older_table(region);
}

// The region, once opened, in a site that has its membership.
void settle(LockSite& site, MappedRegion region, std::uint64_t table_at) {
  site.region = std::move(region);
  adopt(site.region, table_at, site.membership->table_identity());
  site.object = site.region.object();
  site.is_named = true;
}

}  // namespace

std::unique_ptr<LockSite> open_named_lock(const Domain& domain, const std::string& name,
                                          LockKind kind, const RegionSpec& spec,
                                          std::uint64_t table_at) {
  auto site = std::make_unique<LockSite>();
  site->membership = Membership::of(domain);
  settle(*site, MappedRegion::open_or_create(domain, name, spec, Deadline::now()), table_at);
  site->kind = kind;
  return site;
}

std::unique_ptr<LockSite> open_existing_lock(const Domain& domain, const std::string& name,
                                             LockKind kind, const RegionSpec& spec,
                                             std::uint64_t table_at, Deadline deadline) {
  auto site = std::make_unique<LockSite>();
  site->membership = Membership::of(domain);
  settle(*site, MappedRegion::open(domain, name, spec, deadline), table_at);
  site->kind = kind;
  return site;
}

std::unique_ptr<LockSite> open_embedded_lock(const MappedRegion& region, const void* cell,
                                             std::uint64_t size, LockKind kind) {
  const std::string what(to_string(kind));
  const std::byte* content = region.content();
  // As numbers: the cell may lie anywhere.
  const auto offset = static_cast<std::uint64_t>(static_cast<const std::byte*>(cell) - content);
  if (offset > region.content_size() || region.content_size() - offset < size) {
    throw Error(Errc::invalid_argument, {.object = what + " in " + region.object(),
                                         .expected = "a cell inside that region",
                                         .found = "one somewhere else",
                                         .remedy = "pass the region that the cell lies in"});
  }
  auto site = std::make_unique<LockSite>();
  auto mapped = MappedRegion::observe(region.domain(), region.name());
  if (!mapped || mapped->identity() != region.identity()) {
    throw Error(Errc::orphaned, {.object = what + " in " + region.object(),
                                 .expected = "the region this handle was opened on",
                                 .found = mapped ? "a newer one" : "none of that name",
                                 .remedy = "open the region anew"});
  }
  // Once more: a stranger may have made the file smaller since, and its header say so.
  if (offset > mapped->content_size() || mapped->content_size() - offset < size) {
    throw Error(Errc::damaged, {.object = what + " in " + region.object(),
                                .expected = "the file as it was opened",
                                .found = "one that was cut short",
                                .remedy = "remove it with `kith rm --force`"});
  }
  site->membership = Membership::of(region.domain());
  site->region = std::move(*mapped);
  site->object = what + " at byte " + std::to_string(offset) + " of " + region.object();
  site->kind = kind;
  site->offset = offset;
  return site;
}

}  // namespace kith::internal
