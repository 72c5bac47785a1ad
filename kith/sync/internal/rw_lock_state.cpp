#include "kith/sync/internal/rw_lock_state.hpp"

#include <cstddef>
#include <memory>

#include "kith/member/internal/membership.hpp"
#include "kith/os/fork.hpp"
#include "kith/sync/internal/named_rw_lock.hpp"
#include "kith/sync/rw_lock.hpp"

namespace kith::internal {
namespace {

// What this lock is called in the lines of its readers. By where it lies, which all processes of
// the domain know alike, and not by a word of its own: two copies of one struct are two locks. Two
// that are called the same, one of 2^64 times, would merely wait for each other's readers.
std::uint64_t key_of(const LockPlace& place) noexcept {
  const auto mixed = [](std::uint64_t x) {  // splitmix64, G. Steele et al., 2014
    x += 0x9e37'79b9'7f4a'7c15;
    x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
    x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
    return x ^ (x >> 31);
  };
  const std::uint64_t key = mixed(mixed(place.file.inode) ^ place.offset);
  return key != 0 ? key : 1;  // 0 is a free cell
}

}  // namespace

RwLockState* RwLockState::open(const Domain& domain, const std::string& name,
                               const RwLockOptions& options) {
  auto site = open_named_rw_lock(domain, name, options.lifetime, options.rights);
  auto& words = named_rw_lock_in(site->region).words;
  return new RwLockState(site.release(), words);
}

RwLockState* RwLockState::open(const MappedRegion& region, const RwLockWords& words) {
  auto site = open_embedded_lock_of_one_table(region, &words, sizeof words, LockKind::rwlock,
                                              offsetof(RwLockWords, member_table));
  auto& own = *reinterpret_cast<RwLockWords*>(site->bytes());
  return new RwLockState(site.release(), own);
}

RwLockState::RwLockState(LockSite* site, RwLockWords& words)
    : OwnedLock(site, site->place(), words, key_of(site->place()), patience_of_owned_lock()),
      words_(&words),
      key_(key_of(site->place())) {
  const os::ForkGuard guard;
  join();
  table_lost_.store(&membership().table_pages_lost(), std::memory_order_relaxed);
  enlist();
}

RwLockState::~RwLockState() {
  const os::ForkGuard guard;
  if (!abandon_last(words_->mutex.word)) return;
  const ReaderLines lines = membership().reader_lines(0);
  for (std::uint32_t i = 0; i < lines.count; ++i) core_.abandon_shared(lines.first[i]);
}

void RwLockState::thread_ends(std::uint32_t thread) noexcept {
  OwnedLock::thread_ends(thread);
  if (!is_ours()) return;
  ReaderLine* const line = membership().reader_lines(0).of_thread(thread);
  if (line != nullptr) core_.abandon_shared(*line);
}

bool RwLockState::make_known(LockAnswer& why_not) noexcept {
  const std::uint64_t me = become_known(why_not);
  if (me == 0) return false;
  if (own_line() != nullptr) return true;
  // One that is too many: known already, as far as it can be. The guard would be taken each time.
  // acquire: as in own_line().
  const bool is_too_many = this_thread() > kReaderLines;
  if (is_too_many && is_now(process_of_lines_.load(std::memory_order_acquire))) {
    why_not = LockAnswer::limit_reached;
    return false;
  }
  const os::ForkGuard guard;
  Membership& member = membership();
  const ReaderLines lines = member.reader_lines(this_thread());
  const std::uint64_t process = os::process_mark();
  if (process_of_lines_.load(std::memory_order_relaxed) != process) {
    core_.mark_reader(member.id().index);
    table_lost_.store(&member.table_pages_lost(), std::memory_order_relaxed);
  }
  lines_.store(lines.first, std::memory_order_relaxed);
  // release, twice: see own_line().
  lines_count_.store(lines.count, std::memory_order_release);
  process_of_lines_.store(process, std::memory_order_release);
  if (own_line() != nullptr) return true;
  why_not = LockAnswer::limit_reached;
  return false;
}

LockAnswer RwLockState::damaged(ReaderLine& line) noexcept {
  core_.abandon_shared(line);
  return LockAnswer::damaged;
}

// ---- readers

LockAnswer RwLockState::acquire_shared_slowly(Deadline deadline) noexcept {
  LockAnswer answer{};
  const bool known = make_known(answer);
  if (lost()) return LockAnswer::damaged;  // also where there is no line because of that
  if (!known) return answer;
  ReaderLine& line = *own_line();
  answer = core_.acquire_shared(me(), line, *this, deadline);
  return holds(answer) && lost() ? damaged(line) : answer;
}

LockAnswer RwLockState::release_shared_slowly() noexcept {
  LockAnswer why_not{};
  if (me() == 0 || !make_known(why_not)) return LockAnswer::not_owner;
  return core_.release_shared(*own_line());
}

bool RwLockState::is_shared() noexcept {
  LockAnswer why_not{};
  return me() != 0 && make_known(why_not) && core_.is_shared(*own_line());
}

// ---- writers

LockAnswer RwLockState::acquire(Deadline deadline) noexcept {
  LockAnswer answer{};
  static_cast<void>(make_known(answer));  // for what it reads; one that is too many reads nothing
  const std::uint64_t me = become_known(answer);
  if (me == 0) return answer;
  if (lost()) return LockAnswer::damaged;
  return unless_lost(core_.acquire(me, own_line(), membership().readers(), *this, deadline));
}

LockAnswer RwLockState::release_exclusive() noexcept {
  const std::uint64_t me = this->me();
  return me != 0 ? core_.release(me) : LockAnswer::not_owner;
}

LockAnswer RwLockState::upgrade(Deadline deadline) noexcept {
  LockAnswer answer{};
  if (me() == 0 || !make_known(answer)) return LockAnswer::not_owner;
  return unless_lost(core_.upgrade(me(), *own_line(), membership().readers(), *this, deadline));
}

LockAnswer RwLockState::unless_lost(LockAnswer answer) noexcept {
  if (!holds(answer) || !lost()) return answer;
  static_cast<void>(core_.release(me()));  // or others would wait for who does not know it
  return LockAnswer::damaged;
}

LockAnswer RwLockState::downgrade() noexcept {
  const std::uint64_t me = this->me();
  if (me == 0) return LockAnswer::not_owner;
  LockAnswer why_not{};
  if (!make_known(why_not)) return why_not;
  return core_.downgrade(me, *own_line());
}

// ---- for people

RwLockFacts RwLockState::facts() const {
  // relaxed: each of them may have changed by the time anybody reads this.
  const std::uint64_t word = words_->mutex.word.load(std::memory_order_relaxed);
  const std::uint64_t gate = words_->gate.load(std::memory_order_relaxed);
  RwLockFacts facts;
  const bool taken = MutexWord::is_held(word);
  facts.held = taken && gate == kGateClosed;
  facts.draining = taken && gate == kGateClosing;
  facts.retired = MutexWord::is_retired(word);
  facts.inconsistent =
      !facts.retired && (word & MutexWord::kInconsistent) != 0 && gate == kGateClosed;
  facts.has_waiters = (word & MutexWord::kWaiters) != 0;
  if (facts.held || facts.draining) {
    facts.writer = owner_of(word);
    facts.thread = MutexWord::thread(word);
  }
  const std::shared_ptr<Membership> members = membership_now();
  members->readers().for_each_reader(
      key_, ReaderSet(words_->readers), nullptr,
      [&](const MemberId& reader) {
        if (members->liveness(reader) != Liveness::dead) ++facts.readers;
        return true;
      },
      [] { return false; });
  return facts;
}

}  // namespace kith::internal
