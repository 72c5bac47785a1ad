#include "kith/sync/internal/mutex_state.hpp"

#include <memory>

#include "kith/os/fork.hpp"
#include "kith/sync/internal/named_mutex.hpp"
#include "kith/sync/mutex.hpp"

namespace kith::internal {
namespace {

// All of them take 2 to 5 us: less than a wake, from the call until the sleeper runs, which took 5
// to 40 us where it was tried.
constexpr std::uint32_t kLooks = 12;

MutexPatience patience() {
  MutexPatience patience;
  patience.looks = kLooks;
  return patience;
}

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
    : LockHandle(site),
      HeldByThreads(site->place()),
      core_(words_at(*site), patience()),
      words_(&words_at(*site)),
      recursive_(recursive) {
  const os::ForkGuard guard;
  join();
  enlist();
}

MutexState::~MutexState() {
  const os::ForkGuard guard;
  const bool was_last = delist();
  // relaxed: what one of our threads put there.
  const std::uint64_t word = words_->word.load(std::memory_order_relaxed);
  const bool held = MutexWord::is_held(word) && MutexWord::member(word) == last_member();
  // Whoever holds it could not give it back any more.
  if (is_ours() && held && was_last) core_.abandon(MutexWord::holder(word));
}

void MutexState::thread_ends(std::uint32_t thread) noexcept {
  if (is_ours()) core_.abandon(MutexWord::of(last_member(), thread));
}

LockAnswer MutexState::acquire_slowly(Deadline deadline) noexcept {
  LockAnswer why_not{};
  const std::uint64_t me = become_known(why_not);
  if (me == 0) return why_not;
  if (pages_lost()) return LockAnswer::damaged;
  const LockAnswer answer = core_.acquire(me, recursive_, *this, deadline);
  return holds(answer) && pages_lost() ? LockAnswer::damaged : answer;
}

LockAnswer MutexState::release_slowly() noexcept {
  const std::uint64_t me = this->me();
  return me != 0 ? core_.release(me) : LockAnswer::not_owner;
}

LockAnswer MutexState::declare_consistent() noexcept {
  const std::uint64_t me = this->me();
  return me != 0 ? core_.declare_consistent(me) : LockAnswer::not_owner;
}

LockAnswer MutexState::retire() noexcept {
  const std::uint64_t me = this->me();
  return me != 0 ? core_.retire(me) : LockAnswer::not_owner;
}

LockAnswer MutexState::check() noexcept {
  const std::uint64_t me = this->me();
  return me != 0 ? core_.check(me) : LockAnswer::not_owner;
}

MutexFacts MutexState::facts() const {
  return facts_of(*words_);
}

}  // namespace kith::internal
