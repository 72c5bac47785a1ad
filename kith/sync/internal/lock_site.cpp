#include "kith/sync/internal/lock_site.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/error.hpp"
#include "kith/member/internal/membership.hpp"
#include "kith/os/futex.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/region_file.hpp"

namespace kith::internal {
namespace {

Error of_older_table(const std::string& object) {
  return Error(Errc::orphaned,
               {.object = object,
                .expected = "members of this domain's member table",
                .found = "processes that joined another one, which was removed",
                .remedy = "end the processes that use it, or remove it with `kith rm --force`"});
}

// For which one waits for others that open the same lock: each of them is done within microseconds.
constexpr std::chrono::seconds kOpeningPatience{1};
constexpr std::chrono::microseconds kPauseMin{50};
constexpr std::chrono::microseconds kPauseMax{5000};

using TableWord = RealAtomics::Word<std::uint64_t>;

TableWord& table_word(const MappedRegion& region, std::uint64_t table_at) {
  return *reinterpret_cast<TableWord*>(region.content() + table_at);
}

// Opens the region anew, if it is there and nobody else uses it.
bool reopen_alone(MappedRegion& region, const RegionSpec& spec) {
  const Domain domain = region.domain();
  const std::string name = region.name();
  const os::FileIdentity identity = region.identity();
  region.close();
  try {
    region = MappedRegion::open(domain, name, spec, Deadline::now());
  } catch (const Error& error) {
    if (error.errc() == Errc::not_found) return false;
    throw;
  }
  return region.identity() == identity && !region.found_in_use();
}

// Has the region say that the owner words in it point into our member table. False if others use it
// who know another one, or have not said yet which: then we let go of it, lest two of them wait for
// each other. Under the administrative lock, or of those who come first each would think that it is
// alone.
bool adopt(LockSite& site, const RegionSpec& spec, std::uint64_t table_at) {
  const std::uint64_t ours = site.membership->table_identity();
  // relaxed, here and below: a number that names; nothing is read because of it.
  const auto theirs = [&] {
    return table_word(site.region, table_at).load(std::memory_order_relaxed);
  };
  // Of an older table than one that somebody may be about to write there?
  if (theirs() == ours) return site.membership->is_usable();
  const AdminLock lock(site.region.domain(), site.region.name(), site.region.identity(),
                       Deadline::after(kOpeningPatience));
  if (lock.answer() == AdminLock::Answer::orphaned) return false;
  lock.require(site.region.object());
  if (theirs() == ours) return site.membership->is_usable();
  if (theirs() != 0 && !reopen_alone(site.region, spec)) {
    site.region.close();  // before the lock is given back
    return false;
  }
  // Ours may have been removed while we came here, and others been quick with the next one.
  if (!site.membership->is_usable()) {
    site.region.close();
    return false;
  }
  // A holder of the older table is found dead by its incarnation, which this table has not seen.
  table_word(site.region, table_at).store(ours, std::memory_order_relaxed);
  return true;
}

// What `open` opens, by a member of the table that those are of who use it.
template <class Open>
std::unique_ptr<LockSite> open_with(const Domain& domain, const std::string& name, LockKind kind,
                                    const RegionSpec& spec, std::uint64_t table_at,
                                    const Open& open) {
  auto site = std::make_unique<LockSite>();
  const Deadline patience = Deadline::after(kOpeningPatience);
  for (auto pause = kPauseMin;; pause = std::min(pause * 2, kPauseMax)) {
    site->membership = Membership::of(domain);
    site->region = open();
    if (adopt(*site, spec, table_at)) break;
    site->region.close();
    if (patience.has_passed()) throw of_older_table(describe_object("region", name, domain.path()));
    os::pause_for(pause, patience);
  }
  site->object = site->region.object();
  site->is_named = true;
  site->kind = kind;
  return site;
}

}  // namespace

std::unique_ptr<LockSite> open_named_lock(const Domain& domain, const std::string& name,
                                          LockKind kind, const RegionSpec& spec,
                                          std::uint64_t table_at) {
  return open_with(domain, name, kind, spec, table_at, [&] {
    return MappedRegion::open_or_create(domain, name, spec, Deadline::now());
  });
}

std::unique_ptr<LockSite> open_existing_lock(const Domain& domain, const std::string& name,
                                             LockKind kind, const RegionSpec& spec,
                                             std::uint64_t table_at, Deadline deadline) {
  return open_with(domain, name, kind, spec, table_at,
                   [&] { return MappedRegion::open(domain, name, spec, deadline); });
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

std::unique_ptr<LockSite> open_embedded_lock_of_one_table(const MappedRegion& region,
                                                          const void* cell, std::uint64_t size,
                                                          LockKind kind, std::uint64_t table_at) {
  auto site = open_embedded_lock(region, cell, size, kind);
  const std::uint64_t ours = site->membership->table_identity();
  TableWord& word = table_word(site->region, site->offset + table_at);
  // relaxed, here and below: as in adopt().
  if (word.load(std::memory_order_relaxed) == ours) return site;
  const AdminLock lock(region.domain(), region.name(), region.identity(),
                       Deadline::after(kOpeningPatience));
  lock.require(site->object);
  const std::uint64_t theirs = word.load(std::memory_order_relaxed);
  if (theirs == ours) return site;
  if (theirs != 0 && region.found_in_use()) throw of_older_table(site->object);
  word.store(ours, std::memory_order_relaxed);
  return site;
}

}  // namespace kith::internal
