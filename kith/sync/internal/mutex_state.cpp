#include "kith/sync/internal/mutex_state.hpp"

#include <memory>
#include <utility>

#include "kith/base/error.hpp"
#include "kith/member/internal/death_watch.hpp"
#include "kith/member/internal/membership.hpp"
#include "kith/member/internal/wait_noted.hpp"
#include "kith/os/fork.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/mapped_region.hpp"
#include "kith/sync/internal/named_mutex.hpp"
#include "kith/sync/mutex.hpp"

namespace kith::internal {

struct MutexPlace {
  std::shared_ptr<Membership> membership;  // outlives the region: who closes it last is a member
  MappedRegion region;
  std::string object;
  bool is_named = false;
  DeathWatch* watch = nullptr;
  WaitNote* notes = nullptr;
  std::uint64_t offset = 0;  // of the words in the content
};

namespace {

// About 4 us, what a wake costs where it was tried. Not tuned under contention yet, nor adaptive.
constexpr std::uint32_t kSpins = 100;

// Between two looks at a holder that is dying: its memory is being torn down.
constexpr std::chrono::microseconds kDyingPause{500};

MutexPatience patience() {
  MutexPatience patience;
  patience.spins = kSpins;
  return patience;
}

// The region has lost its name, or never was where `words` lie.
Error not_in_region(const MappedRegion& region, const std::string& found) {
  return Error(Errc::invalid_argument, {.object = "mutex in " + region.object(),
                                        .expected = "a cell inside that region",
                                        .found = found,
                                        .remedy = "pass the region that the cell lies in"});
}

std::uint64_t monotonic_ns() {
  const auto since = Deadline::Clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(since).count());
}

}  // namespace

MutexState* MutexState::open(const Domain& domain, const std::string& name,
                             const MutexOptions& options) {
  auto place = std::make_unique<MutexPlace>();
  place->membership = Membership::of(domain);
  place->region = open_named_mutex(domain, name, options.lifetime, options.rights,
                                   place->membership->table_identity());
  place->object = place->region.object();
  place->is_named = true;
  NamedMutex& named = named_mutex_in(place->region);
  const LockPlace where{place->region.identity(), 0};
  auto* state = new MutexState(place.get(), where, named.words, options);
  static_cast<void>(place.release());  // only now: that may have thrown
  return state;
}

MutexState* MutexState::open(const MappedRegion& region, const MutexWords& words,
                             const MutexOptions& options) {
  const auto* cell = reinterpret_cast<const std::byte*>(&words);
  const std::byte* content = region.content();
  const std::uint64_t size = region.content_size();
  // As numbers: the cell may lie anywhere.
  const std::uint64_t offset = static_cast<std::uint64_t>(cell - content);
  if (offset > size || size - offset < sizeof words) {
    throw not_in_region(region, "one somewhere else");
  }
  auto place = std::make_unique<MutexPlace>();
  auto mapped = MappedRegion::observe(region.domain(), region.name());
  if (!mapped || mapped->identity() != region.identity()) {
    throw Error(Errc::orphaned, {.object = "mutex in " + region.object(),
                                 .expected = "the region this handle was opened on",
                                 .found = mapped ? "a newer one" : "none of that name",
                                 .remedy = "open the region anew"});
  }
  place->membership = Membership::of(region.domain());
  place->region = std::move(*mapped);
  place->object = "mutex at byte " + std::to_string(offset) + " of " + region.object();
  auto& own = *reinterpret_cast<MutexWords*>(place->region.content() + offset);
  place->offset = offset;
  const LockPlace where{place->region.identity(), offset};
  auto* state = new MutexState(place.get(), where, own, options);
  static_cast<void>(place.release());  // only now: that may have thrown
  return state;
}

MutexState::MutexState(MutexPlace* place, const LockPlace& where, MutexWords& words,
                       const MutexOptions& options)
    : HeldByThreads(where),
      core_(words, patience()),
      process_now_(os::process_mark_word()),
      pages_lost_(&place->region.pages().flag()),
      words_(&words),
      recursive_(options.recursive),
      place_(place) {
  const os::ForkGuard guard;
  join();
  enlist();
}

MutexState::~MutexState() {
  const os::ForkGuard guard;
  const bool was_last = delist();
  const bool ours = process_.load(std::memory_order_relaxed) == os::process_mark();
  const std::uint64_t word = words_->word.load(std::memory_order_relaxed);
  const bool held = MutexWord::is_held(word) &&
                    MutexWord::member(word) == member_.load(std::memory_order_relaxed);
  // Whoever holds it could not give it back any more.
  if (ours && held && was_last) core_.abandon(MutexWord::holder(word));
  if (ours && place_->is_named) place_->membership->detach(place_->region.identity().inode);
  place_->region.close();  // before we may leave the domain
  delete place_;
}

void MutexState::thread_ends(std::uint32_t thread) noexcept {
  if (process_.load(std::memory_order_relaxed) != os::process_mark()) return;
  core_.abandon(MutexWord::of(member_.load(std::memory_order_relaxed), thread));
}

// Under a ForkGuard. The process is a member, and this handle knows as whom.
void MutexState::join() {
  const std::uint64_t process = os::process_mark();
  if (process_.load(std::memory_order_relaxed) == process) return;
  if (!place_->membership->is_this_process()) {
    auto joined = Membership::of(place_->region.domain());
    // The ids in the word mean nothing in another table than that of the one who opened it.
    if (joined->table_identity() != place_->membership->table_identity()) {
      throw Error(Errc::orphaned, {.object = place_->object,
                                   .expected = "the member table of the parent process",
                                   .found = "another one",
                                   .remedy = "end the processes that use the domain"});
    }
    place_->membership = std::move(joined);
  }
  if (place_->is_named) place_->membership->attach(place_->region.identity().inode);
  place_->watch = place_->membership->watch_deaths();
  place_->notes = place_->membership->wait_notes();
  member_.store(place_->membership->word(), std::memory_order_relaxed);
  // release: pairs with the acquire in me().
  process_.store(process, std::memory_order_release);
}

std::uint64_t MutexState::become_known(LockAnswer& why_not) noexcept {
  // Mostly it is known. The guard is not for who waits or gives back: a fork may hold it.
  if (const std::uint64_t known = me(); known != 0) return known;
  const os::ForkGuard guard;
  try {
    join();
  } catch (const std::exception&) {
    why_not = LockAnswer::forked;
    return 0;
  }
  if (number_this_thread() == 0) {
    why_not = LockAnswer::limit_reached;
    return 0;
  }
  return me();
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

// ---- for people

MutexFacts MutexState::facts() const {
  return facts_of(*words_);
}

bool MutexState::is_orphaned() const noexcept {
  return place_->region.is_orphaned();
}

const std::string& MutexState::object() const noexcept {
  return place_->object;
}

std::uint32_t MutexState::attached() const {
  return place_->membership->count_attached(place_->region.identity().inode);
}

std::int64_t MutexState::created_ns() const noexcept {
  return place_->region.facts().created_ns;
}

// ---- what the core asks

bool MutexState::may_be_dead(MemberId id) const noexcept {
  return place_->membership->may_be_dead(id);
}

Liveness MutexState::liveness(MemberId id) const noexcept {
  return place_->membership->liveness(id);
}

void MutexState::sleep(const RealAtomics::Word<std::uint64_t>& word, std::uint64_t expected,
                       Deadline deadline) const noexcept {
  const auto low = static_cast<std::uint32_t>(expected);
  const WaitNoted noted(place_->notes, this_thread(), me(), place_->region.identity().inode,
                        place_->offset, monotonic_ns());
  if (place_->watch == nullptr || !MutexWord::is_held(expected)) {
    os::futex_wait(word, low, deadline);
    return;
  }
  const MemberId holder = owner_of(expected);
  const DeathWatch::Sleep known(*place_->watch, word, holder.index);
  // It may have been heard of before we were known, or be dying still: then not for long.
  const bool dying = place_->membership->is_dying(holder);
  os::futex_wait(word, low, dying ? deadline.within(kDyingPause) : deadline);
}

LockAnswer MutexState::memory() const noexcept {
  if (pages_lost()) return LockAnswer::damaged;
  // Without its member table, nobody can tell any more who lives.
  const bool gone = is_orphaned() || !place_->membership->is_usable();
  return gone ? LockAnswer::orphaned : LockAnswer::acquired;
}

}  // namespace kith::internal
