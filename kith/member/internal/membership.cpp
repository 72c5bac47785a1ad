#include "kith/member/internal/membership.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kith/base/atomics.hpp"
#include "kith/base/contract.hpp"
#include "kith/member/internal/death_watch.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/process.hpp"
#include "kith/os/random.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

// Both tables are reached under a ForkGuard, which is a lock and keeps a child from inheriting them
// in mid-change. Never destroyed: handles in static storage may outlive them otherwise.
std::map<std::string, std::weak_ptr<Membership>>& memberships() {
  static auto& only = *new std::map<std::string, std::weak_ptr<Membership>>;
  return only;
}

struct TableSpec final : RegionSpec {
  explicit TableSpec(const DomainOptions& options) {
    kind = kMembersKind;
    content_size = table_size(options.members_max);
    any_size_opens = true;
    geometry[kMembersMaxWord] = options.members_max;
    allocated_now = kRecordsOffset;
  }
  void fill(std::byte* content) const override {
    auto& header = *std::construct_at(reinterpret_cast<TableHeader*>(content));
    header.first_incarnation = static_cast<std::uint32_t>(os::random_number()) | 1;
    header.identity = os::random_number();
  }
  void accept(const RegionFacts& facts, const std::string& object) const override {
    const std::uint64_t members_max = facts.geometry[kMembersMaxWord];
    if (members_max < 1 || members_max > 65'535 || facts.content_size != table_size(members_max)) {
      throw Error(Errc::damaged, {.object = object,
                                  .expected = "a table of 1 to 65535 members",
                                  .found = std::to_string(members_max),
                                  .remedy = "remove it while nobody uses the domain"});
    }
  }
};

std::uint32_t next_incarnation(std::uint64_t state, std::uint32_t first) {
  if (incarnation_of(state) == 0) return first;
  const std::uint32_t next = incarnation_of(state) + 1;
  return next != 0 ? next : 1;  // 0 means that there never was one
}

}  // namespace

std::shared_ptr<Membership> Membership::of(const Domain& domain) {
  // equivalent if no_forks skipped: it is the lock of the table; each step of joining has its own.
  const os::ForkGuard guard;
  auto& known = memberships()[domain.path()];
  auto membership = known.lock();
  if (membership && membership->is_usable()) return membership;
  std::shared_ptr<Membership> joined(new Membership(domain));
  known = joined;
  return joined;
}

Membership::Membership(const Domain& domain) : domain_(domain), process_mark_(os::process_mark()) {
  table_ = MappedRegion::open_or_create(domain, kMembersName, TableSpec(domain.options()),
                                        Deadline::now());
  members_max_ = static_cast<std::uint32_t>(table_.facts().geometry[kMembersMaxWord]);
  table_identity_ = load_once(header().identity);
  reader_pages_ = std::make_unique<KnownReaderPages>(table_, members_max_);
  join();
}

Membership::~Membership() {
  // equivalent if no_forks skipped: as above.
  const os::ForkGuard guard;
  if (is_this_process()) {
    leave();
  } else {
    last_word_.forget();
    life_.forget_in_child();
  }
}

TableHeader& Membership::header() const noexcept {
  return *reinterpret_cast<TableHeader*>(table_.content());
}

MemberRecord& Membership::record(std::uint32_t index) const noexcept {
  return reinterpret_cast<MemberRecord*>(table_.content() + kRecordsOffset)[index];
}

RealAtomics::Word<std::uint64_t>* Membership::attach_list(std::uint32_t index) const noexcept {
  std::byte* lists = table_.content() + lists_offset(members_max_);
  return reinterpret_cast<RealAtomics::Word<std::uint64_t>*>(lists + index * kListsSize);
}

std::uint32_t Membership::records_ready() const noexcept {
  // acquire: pairs with the release in make_record_ready(); bounded by our own copy of the size.
  // equivalent if relaxed: only the record's page comes with the count, and the kernel gave that.
  return std::min(header().records_ready.load(std::memory_order_acquire), members_max_);
}

bool Membership::is_this_process() const noexcept {
  return process_mark_ == os::process_mark();
}

bool Membership::is_usable() const noexcept {
  return is_this_process() && !table_.is_orphaned();
}

void Membership::join() {
  reaped_at_joining_ = reap_dead();
  // Losing a race for a place means that somebody else joined, which members_max bounds.
  for (std::uint32_t attempt = 0; attempt <= members_max_; ++attempt) {
    const std::uint32_t known = records_ready();
    if (take_free_record() || take_new_record()) return;
    if (known == members_max_) break;
  }
  const std::uint32_t unreaped = reaped_at_joining_.unreaped;
  std::string found = std::to_string(members_max_ - unreaped) + " living members, its maximum";
  if (unreaped != 0) {
    found += ", with " + std::to_string(unreaped) + " dead ones that cannot be reaped from here";
  }
  throw Error(Errc::table_full,
              {.object = "member table of domain " + domain_.path(),
               .expected = "a free place for this process",
               .found = found,
               .remedy = "end some of them, or create the domain with a larger members_max"});
}

// The free record of lowest incarnation, so that no place wears out before the others.
bool Membership::take_free_record() {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> free;
  const std::uint32_t ready = records_ready();
  for (std::uint32_t i = 0; i < ready; ++i) {
    // equivalent if remembered: joining has looked before; what is free since may as well be later.
    const std::uint64_t state = record(i).state.load(std::memory_order_relaxed);
    if ((state & kUsed) == 0) free.emplace_back(incarnation_of(state), i);
  }
  std::sort(free.begin(), free.end());
  return std::any_of(free.begin(), free.end(),
                     [&](const auto& entry) { return take(entry.second); });
}

bool Membership::take_new_record() {
  const std::uint32_t index = records_ready();
  if (index >= members_max_) return false;
  make_record_ready(index);
  return take(index);
}

// Gives the record its page before anybody may touch it.
void Membership::make_record_ready(std::uint32_t index) {
  const auto file = table_.reopen();
  const std::uint64_t begin = kRegionHeaderSize + kRecordsOffset + index * sizeof(MemberRecord);
  const auto allocated = os::allocate(file, begin, sizeof(MemberRecord));
  if (!allocated && allocated.error == ENOSPC) {
    throw no_space("member table of domain " + domain_.path(), os::page_size(), file);
  }
  if (!allocated) throw system_error(table_.object(), "allocating a record", allocated.error);
  std::uint32_t expected = index;
  // release: whoever sees the count may touch the page. Somebody else may have raised it already.
  // equivalent if relaxed: as in records_ready().
  header().records_ready.compare_exchange_strong(expected, index + 1, std::memory_order_release,
                                                 std::memory_order_relaxed);
}

// Sits down at `index` if it is free. Killed half-way, it was never used.
bool Membership::take(std::uint32_t index) {
  // equivalent if no_forks skipped: of() holds one for another reason.
  const os::ForkGuard no_forks;
  // equivalent if no_forks skipped: ours is held already.
  auto life = os::HeldLock::take(table_.reopen(), kLifeLocks + index);
  if (!life && life.error == EAGAIN) return false;
  if (!life) throw system_error(table_.object(), "taking a life lock", life.error);
  MemberRecord& mine = record(index);
  const std::uint64_t state = mine.state.load(std::memory_order_acquire);
  if ((state & kUsed) != 0) return false;  // somebody sat here meanwhile, and died
  const auto process = os::this_process();
  mine.pid.store(process.pid, std::memory_order_relaxed);
  mine.pid_namespace = process.pid_namespace;
  mine.user = process.user;
  mine.since_ns = os::wall_clock_ns();
  put_text(mine.program, process.program);
  // relaxed: `state` publishes both. equivalent if skipped: what a dead member left there makes
  // others ask the kernel, who knows better.
  mine.life.store(0, std::memory_order_relaxed);
  // equivalent if skipped: the page stays, and is for people.
  mine.notes_ready.store(0, std::memory_order_relaxed);
  // What a dead member read, nobody does. relaxed: `state` publishes it.
  // unseen if skipped: nobody reads in the models of members, but in those of read-write locks.
  mine.readers_ready.store(0, std::memory_order_relaxed);
  id_ = {index, next_incarnation(state, header().first_incarnation)};
  life_ = std::move(life.value);
  // release: publishes who we are to whoever finds our id in an object.
  mine.state.store(state_word(id_.incarnation, true), std::memory_order_release);
  return true;
}

DeathWatch* Membership::watch_deaths() noexcept {
  const os::ForkGuard guard;
  if (watch_) return watch_.get();
  try {
    auto table = MappedRegion::observe_members(domain_);
    if (!table || table->identity() != table_.identity()) return nullptr;
    // A stranger may have cut it short since.
    if (table->content_size() != table_.content_size()) return nullptr;
    auto watch = std::make_shared<DeathWatch>(std::move(*table), members_max_);
    auto given = os::LastWord::give(record(id_.index).life, watch);
    if (!given) return nullptr;
    last_word_ = std::move(given.value);
    watch_ = std::move(watch);
  } catch (const std::exception&) {
    return nullptr;  // a table that cannot be mapped again, or no memory
  }
  return watch_.get();
}

WaitNote* Membership::wait_notes() noexcept {
  const os::ForkGuard guard;
  auto* notes = reinterpret_cast<WaitNote*>(reinterpret_cast<std::byte*>(attach_list(id_.index)) +
                                            kWaitNotesOffset);
  MemberRecord& mine = record(id_.index);
  if (has_notes_) return notes;
  const auto offset =
      static_cast<std::uint64_t>(reinterpret_cast<std::byte*>(notes) - table_.content());
  try {
    if (!os::allocate(table_.reopen(), kRegionHeaderSize + offset, kWaitNotesSize)) return nullptr;
  } catch (const std::exception&) {
    return nullptr;
  }
  for (std::uint32_t i = 0; i < kWaitNotesMax; ++i) {
    notes[i].waiter.store(0, std::memory_order_relaxed);  // a former member's
  }
  // release: whoever sees it may look at the page.
  mine.notes_ready.store(1, std::memory_order_release);
  has_notes_ = true;
  return notes;
}

ReaderTable Membership::readers() const noexcept {
  return ReaderTable(&record(0), header().records_ready, members_max_,
                     table_.content() + lists_offset(members_max_) + kReaderLinesOffset, kListsSize,
                     reader_pages_.get());
}

const std::atomic<bool>& Membership::table_pages_lost() const noexcept {
  return table_.pages().flag();
}

ReaderLines Membership::reader_lines(std::uint32_t count) noexcept {
  const os::ForkGuard guard;
  const ReaderTable table = readers();
  ReaderLine* const mine = table.lines_of(id_.index);
  if (count <= reader_lines_ || count > kReaderLines) return {mine, reader_lines_};
  const auto offset = static_cast<std::uint64_t>(
      reinterpret_cast<std::byte*>(mine + reader_lines_) - table_.content());
  try {
    if (!os::allocate(table_.reopen(), kRegionHeaderSize + offset,
                      (count - reader_lines_) * sizeof(ReaderLine))) {
      return {mine, reader_lines_};
    }
  } catch (const std::exception&) {
    return {mine, reader_lines_};
  }
  table.announce(id_.index, reader_lines_, count);
  reader_lines_ = count;
  return {mine, count};
}

void Membership::leave() noexcept {
  if (watch_) watch_->end();
  last_word_.take_back();
  // release: who finds us gone finds what we had given back.
  record(id_.index).state.store(state_word(id_.incarnation, false), std::memory_order_release);
  life_ = os::HeldLock();
  table_.close();
  tidy_domain(domain_);
}

Liveness Membership::liveness(MemberId id) const noexcept {
  if (id == id_ && is_this_process()) return Liveness::alive;
  const bool known = id.index < records_ready();  // or nobody can be this
  const std::uint64_t state = known ? record(id.index).state.load(std::memory_order_acquire) : 0;
  if (state != state_word(id.incarnation, true)) {
    // Left, or reaped; or the pages that said otherwise are gone, and zeros stand there. Asked
    // after they were touched.
    return table_.has_lost_pages() ? Liveness::unknown : Liveness::dead;
  }
  // equivalent if no_forks skipped: nothing is locked here; a child would only have a descriptor.
  const os::ForkGuard no_forks;
  try {
    const auto held =
        os::is_locked_elsewhere(table_.reopen(), kLifeLocks + id.index, os::LockKind::exclusive);
    if (!held) return Liveness::unknown;
    return held.value ? Liveness::alive : Liveness::dead;
  } catch (const std::exception&) {
    return Liveness::unknown;
  }
}

bool Membership::may_be_dead(MemberId id) const noexcept {
  if (id == id_ && is_this_process()) return false;
  // relaxed: only a reason to ask. 0: nobody would tell.
  return is_dying(id) || record(id.index).life.load(std::memory_order_relaxed) == 0;
}

bool Membership::is_dying(MemberId id) const noexcept {
  if (id.index >= records_ready()) return true;
  const MemberRecord& of = record(id.index);
  // relaxed: as above.
  const std::uint64_t state = of.state.load(std::memory_order_relaxed);
  return state != state_word(id.incarnation, true) ||
         os::says_dead(of.life.load(std::memory_order_relaxed));
}

std::string Membership::describe(MemberId id) const {
  if (id.index >= records_ready()) return "a process unknown here";
  const MemberFacts facts =
      facts_of(id.index, record(id.index).state.load(std::memory_order_acquire));
  if (facts.id != id) return "a process that left";
  return facts.program + ", process " + std::to_string(facts.pid);
}

MemberFacts Membership::facts_of(std::uint32_t index, std::uint64_t state) const {
  const MemberRecord& from = record(index);
  MemberFacts facts;
  facts.id = {index, incarnation_of(state)};
  // relaxed: `state`, read before, published it; a newcomer may be writing its own just now.
  facts.pid = from.pid.load(std::memory_order_relaxed);
  facts.pid_namespace = from.pid_namespace;
  facts.user = from.user;
  facts.since_ns = from.since_ns;
  facts.program = get_text(from.program);
  return facts;
}

std::vector<MemberFacts> Membership::members() const {
  std::vector<MemberFacts> all;
  const std::uint32_t ready = records_ready();
  for (std::uint32_t i = 0; i < ready; ++i) {
    const std::uint64_t state = record(i).state.load(std::memory_order_acquire);
    if ((state & kUsed) == 0) continue;
    all.push_back(facts_of(i, state));
    all.back().liveness = liveness(all.back().id);
    all.back().reaped = all.back().liveness != Liveness::dead;
  }
  return all;
}

}  // namespace kith::internal
