#include "kith/sync/internal/lock_handle.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kith/base/error.hpp"
#include "kith/member/internal/death_watch.hpp"
#include "kith/member/internal/membership.hpp"
#include "kith/member/internal/wait_noted.hpp"
#include "kith/sync/internal/lock_site.hpp"

namespace kith::internal {
namespace {

// Between two looks at a holder that is dying: its memory is being torn down.
constexpr std::chrono::microseconds kDyingPause{500};

}  // namespace

LockHandle::LockHandle(LockSite* site) noexcept
    : process_now_(os::process_mark_word()),
      pages_lost_(&site->region.pages().flag()),
      site_(site) {}

LockHandle::~LockHandle() {
  const os::ForkGuard guard;
  if (is_ours() && site_->is_named) site_->membership->detach(site_->region.identity().inode);
  site_->region.close();  // before we may leave the domain
  delete site_;
}

void LockHandle::join() {
  const std::uint64_t process = os::process_mark();
  if (process_.load(std::memory_order_relaxed) == process) return;
  if (!site_->membership->is_this_process()) {
    auto joined = Membership::of(site_->region.domain());
    // The ids in the words mean nothing in another table than that of the one who opened it.
    if (joined->table_identity() != site_->membership->table_identity()) {
      throw Error(Errc::orphaned, {.object = site_->object,
                                   .expected = "the member table of the parent process",
                                   .found = "another one",
                                   .remedy = "end the processes that use the domain"});
    }
    site_->membership = std::move(joined);
  }
  if (site_->is_named) site_->membership->attach(site_->region.identity().inode);
  site_->watch = site_->membership->watch_deaths();
  site_->notes = site_->membership->wait_notes();
  member_.store(site_->membership->word(), std::memory_order_relaxed);
  // release: pairs with the acquire in member().
  process_.store(process, std::memory_order_release);
}

std::uint64_t LockHandle::become_member(LockAnswer& why_not) noexcept {
  // Mostly it is one. The guard is not for who waits or gives back: a fork may hold it.
  if (const std::uint64_t known = member(); known != 0) return known;
  const os::ForkGuard guard;
  try {
    join();
  } catch (const std::exception&) {
    why_not = LockAnswer::forked;
    return 0;
  }
  return member();
}

std::uint64_t LockHandle::become_known(LockAnswer& why_not) noexcept {
  if (become_member(why_not) == 0) return 0;
  if (this_thread() == 0 && number_this_thread() == 0) {
    why_not = LockAnswer::limit_reached;
    return 0;
  }
  return me();
}

Membership& LockHandle::membership() const noexcept {
  return *site_->membership;
}

// ---- for people

const std::string& LockHandle::object() const noexcept {
  return site_->object;
}

bool LockHandle::is_orphaned() const noexcept {
  return site_->region.is_orphaned();
}

std::uint32_t LockHandle::attached() const {
  return membership_now()->count_attached(site_->region.identity().inode);
}

std::shared_ptr<Membership> LockHandle::membership_now() const {
  const os::ForkGuard guard;
  return site_->membership;
}

std::int64_t LockHandle::created_ns() const noexcept {
  return site_->region.facts().created_ns;
}

// ---- what the cores ask

bool LockHandle::may_be_dead(MemberId id) const noexcept {
  return site_->membership->may_be_dead(id);
}

Liveness LockHandle::liveness(MemberId id) const noexcept {
  return site_->membership->liveness(id);
}

os::Slept LockHandle::asleep(const RealAtomics::Word<std::uint64_t>& word,
                             std::span<const MemberId> holders, Deadline deadline,
                             Sleeper& sleeper) const noexcept {
  const std::uint64_t waiter = me();
  const std::uint64_t place = noted_place(site_->kind, site_->offset);
  const WaitNoted noted(waiter != 0 ? site_->notes : nullptr, this_thread(), waiter,
                        site_->region.identity().inode,
                        sleeper.has_others() ? place | kNotedOthers : place, monotonic_now_ns());
  if (site_->watch == nullptr || holders.empty()) return sleeper.until(deadline);
  const DeathWatch::Sleep known(*site_->watch, word, holders);
  // They may have been heard of before we were known, or be dying still: then not for long.
  const bool dying = std::any_of(holders.begin(), holders.end(), [this](const MemberId& holder) {
    return site_->membership->is_dying(holder);
  });
  return sleeper.until(dying ? deadline.within(kDyingPause) : deadline);
}

LockAnswer LockHandle::memory() const noexcept {
  // Without its member table, nobody can tell any more who lives.
  // relaxed: see GuardedPages.
  const bool table_lost = site_->membership->table_pages_lost().load(std::memory_order_relaxed);
  if (pages_lost() || table_lost) return LockAnswer::damaged;
  const bool gone = is_orphaned() || !site_->membership->is_usable();
  return gone ? LockAnswer::orphaned : LockAnswer::acquired;
}

}  // namespace kith::internal
