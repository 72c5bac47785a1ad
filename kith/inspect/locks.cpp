#include "kith/inspect/locks.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>

#include "kith/base/deadline.hpp"
#include "kith/base/error.hpp"
#include "kith/inspect/internal/lock_state.hpp"
#include "kith/inspect/internal/mutex_view.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/sync/internal/lock_site.hpp"
#include "kith/sync/internal/named_mutex.hpp"

namespace kith {
namespace internal {

std::optional<MutexView> mutex_at(const Look& look, std::uint64_t offset,
                                  const MemberTable& table) {
  std::array<std::uint64_t, sizeof(MutexWords) / sizeof(std::uint64_t)> bytes{};
  if (offset % alignof(MutexWords) != 0 || !look.read(offset, bytes)) return std::nullopt;
  MutexWords words{};
  // relaxed: a private copy.
  words.word.store(bytes[0], std::memory_order_relaxed);
  words.depth.store(bytes[1], std::memory_order_relaxed);
  words.waited_for.store(bytes[2], std::memory_order_relaxed);
  words.waited_since.store(bytes[3], std::memory_order_relaxed);
  MutexView mutex;
  mutex.facts = facts_of(words);
  if (!mutex.facts.held) return mutex;
  mutex.liveness = Liveness::dead;  // whoever is not in the table has left or was reaped
  for (const TableEntry& entry : table.entries()) {
    if (entry.facts.id != mutex.facts.holder) continue;
    mutex.pid = entry.facts.pid;
    mutex.program = entry.facts.program;
    mutex.liveness = entry.facts.liveness;
  }
  return mutex;
}

}  // namespace internal

namespace {

using internal::Look;
using internal::MemberTable;
using internal::MutexWord;

constexpr std::size_t kNone = ~std::size_t{0};

class LockList {
 public:
  LockList(const Domain& domain, const os::Descriptor& directory)
      : domain_(domain), directory_(directory), table_(directory, domain.path()) {
    for (const std::string& name : domain.names()) add_object(name);
    for (const internal::TableEntry& entry : table_.entries()) {
      for (const internal::WaitFacts& wait : entry.waits) add_wait(entry.facts, wait);
    }
  }

  std::vector<LockView> take() {
    std::vector<LockView> all;
    for (auto& [place, lock] : locks_) all.push_back(std::move(lock));
    return all;
  }

 private:
  [[nodiscard]] Look look_at(const std::string& name) const {
    return {directory_, name, internal::describe_object("object", name, domain_.path())};
  }

  void add_object(const std::string& name) {
    try {
      const Look look = look_at(name);
      names_[look.file().identity.inode] = name;
      if (const auto kind = internal::lock_kind_of(look.facts().kind)) add(look, name, *kind, 0);
    } catch (const Error&) {
      // What may not be read, or is no region, has no locks that could be seen.
    }
  }

  // Null if no such lock can lie there: what is noted is a stranger's.
  LockView* add(const Look& look, const std::string& name, LockKind kind, std::uint64_t offset) {
    const bool named = internal::lock_kind_of(look.facts().kind).has_value();
    if (named && offset != 0) return nullptr;
    const auto state = internal::lock_state_at(look, kind, offset, named, table_);
    if (!state) return nullptr;
    LockView lock{name, named, offset, *state, {}, {}};
    if (kind == LockKind::mutex) {
      const auto mutex = internal::mutex_at(look, offset, table_);
      if (!mutex) return nullptr;
      lock.mutex = *mutex;
    }
    return &(locks_[{name, offset}] = std::move(lock));
  }

  void add_wait(const MemberFacts& member, const internal::WaitFacts& wait) {
    const auto name = names_.find(wait.inode);
    if (name == names_.end() || internal::owner_of(wait.waiter) != member.id) return;
    LockView* lock = lock_at(name->second, wait);
    if (lock == nullptr) return;
    const std::uint64_t now = monotonic_now_ns();
    const auto waited = static_cast<std::int64_t>(now > wait.since ? now - wait.since : 0);
    const LockUser user{member.id, MutexWord::thread(wait.waiter), member.pid, member.program};
    lock->waiting.push_back({user, waited, (wait.offset & internal::kNotedOthers) != 0});
  }

  LockView* lock_at(const std::string& name, const internal::WaitFacts& wait) {
    const std::uint64_t kind = wait.offset >> internal::kNotedKindShift;
    const std::uint64_t offset = internal::noted_offset(wait.offset);
    if (kind > static_cast<std::uint64_t>(kLastLockKind)) return nullptr;
    const auto place = std::pair(name, offset);
    if (const auto known = locks_.find(place); known != locks_.end()) return &known->second;
    try {
      return add(look_at(name), name, static_cast<LockKind>(kind), offset);
    } catch (const Error&) {
      return nullptr;
    }
  }

  const Domain& domain_;
  const os::Descriptor& directory_;
  MemberTable table_;
  std::map<std::uint64_t, std::string> names_;  // by inode
  std::map<std::pair<std::string, std::uint64_t>, LockView> locks_;
};

// The lock that the user cannot go on without. A thread is seen to wait for one at a time.
std::size_t wait_of(const LockUser& user, const std::vector<LockView>& locks) {
  for (std::size_t i = 0; i < locks.size(); ++i) {
    const auto& waiting = locks[i].waiting;
    const bool waits = std::any_of(waiting.begin(), waiting.end(), [&](const WaitingUser& one) {
      return one.user == user && !one.has_others;
    });
    if (waits) return i;
  }
  return kNone;
}

std::optional<LockUser> holder_of(const LockView& lock) {
  const MutexFacts& facts = lock.mutex.facts;
  // A dead holder is in nobody's way.
  if (!facts.held || lock.mutex.liveness == Liveness::dead) return std::nullopt;
  return LockUser{facts.holder, facts.thread, lock.mutex.pid, lock.mutex.program};
}

// The circle that begins and ends at `first`; empty if it leads elsewhere.
Deadlock circle_from(const LockUser& first, const std::vector<LockView>& locks) {
  Deadlock circle;
  LockUser user = first;
  for (std::size_t steps = 0; steps <= locks.size(); ++steps) {
    const std::size_t lock = wait_of(user, locks);
    if (lock == kNone) return {};
    circle.users.push_back(user);
    circle.locks.push_back(lock);
    const auto holder = holder_of(locks[lock]);
    if (!holder) return {};
    if (*holder == first) return circle;
    user = *holder;
  }
  return {};
}

}  // namespace

std::vector<LockView> list_locks(const Domain& domain) {
  try {
    const os::Descriptor directory = domain.open();
    return LockList(domain, directory).take();
  } catch (const Error& error) {
    if (error.errc() == Errc::not_found) return {};
    throw;
  }
}

std::vector<Deadlock> find_deadlocks(const std::vector<LockView>& locks) {
  std::vector<Deadlock> found;
  std::vector<LockUser> known;
  for (const LockView& lock : locks) {
    const auto holder = holder_of(lock);
    if (!holder || std::find(known.begin(), known.end(), *holder) != known.end()) continue;
    Deadlock circle = circle_from(*holder, locks);
    if (circle.users.empty()) continue;
    known.insert(known.end(), circle.users.begin(), circle.users.end());
    found.push_back(std::move(circle));
  }
  return found;
}

}  // namespace kith
