#include "kith/sync/internal/mutex_state.hpp"

#include <memory>

#include "kith/os/fork.hpp"
#include "kith/sync/internal/named_mutex.hpp"
#include "kith/sync/mutex.hpp"

namespace kith::internal {
namespace {

MutexWords& words_at(const LockSite& site) noexcept {
  return *reinterpret_cast<MutexWords*>(site.bytes());
}

}  // namespace

MutexState* MutexState::open(const Domain& domain, const std::string& name,
                             const MutexOptions& options) {
  auto site = open_named_mutex(domain, name, options.lifetime, options.rights);
  return new MutexState(site.release(), options.recursive);
}

MutexState* MutexState::open(const MappedRegion& region, const MutexWords& words,
                             const MutexOptions& options) {
  auto site = open_embedded_lock(region, &words, sizeof words, LockKind::mutex);
  return new MutexState(site.release(), options.recursive);
}

MutexState::MutexState(std::unique_ptr<LockSite> site) : MutexState(site.release(), false) {}

MutexState::MutexState(LockSite* site, bool recursive)
    : OwnedLock(site, site->place(), words_at(*site), patience_of_owned_lock()),
      words_(&words_at(*site)),
      recursive_(recursive) {
  const os::ForkGuard guard;
  join();
  enlist();
}

MutexState::~MutexState() {
  const os::ForkGuard guard;
  static_cast<void>(abandon_last(words_->word));
}

LockAnswer MutexState::acquire_slowly(Deadline deadline) noexcept {
  LockAnswer why_not{};
  const std::uint64_t me = become_known(why_not);
  if (me == 0) return why_not;
  if (pages_lost()) return LockAnswer::damaged;
  const LockAnswer answer = core_.acquire(me, recursive_, *this, deadline);
  return holds(answer) && pages_lost() ? put_back(me) : answer;
}

LockAnswer MutexState::put_back(std::uint64_t me) noexcept {
  static_cast<void>(core_.release(me));
  return LockAnswer::damaged;
}

WaitSteps& MutexState::begin_wait(StepsPlace& place) noexcept {
  LockAnswer why_not{};
  const std::uint64_t me = become_known(why_not);
  if (me == 0) return place.begin(*this, Refused(why_not));
  if (pages_lost()) return place.begin(*this, Refused(LockAnswer::damaged));
  return place.begin(*this, MutexCore::Waiting(core_, me, recursive_, *this));
}

LockAnswer MutexState::release_slowly() noexcept {
  const std::uint64_t me = this->me();
  return me != 0 ? core_.release(me) : LockAnswer::not_owner;
}

MutexFacts MutexState::facts() const {
  return facts_of(*words_);
}

}  // namespace kith::internal
