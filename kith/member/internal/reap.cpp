// Membership's other half: the attach list, and giving back what the dead held.
#include <algorithm>
#include <cerrno>

#include "kith/base/contract.hpp"
#include "kith/member/internal/membership.hpp"
#include "kith/os/fork.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

std::map<std::string, Healer>& healers() {
  static auto& only = *new std::map<std::string, Healer>;
  return only;
}

std::map<std::uint64_t, std::string> names_by_inode(const Domain& domain) {
  std::map<std::uint64_t, std::string> names;
  const auto directory = domain.open();
  for (const std::string& name : domain.names()) {
    const auto facts = os::facts_at(directory, name);
    if (facts) names[facts.value.identity.inode] = name;
  }
  return names;
}

}  // namespace

void register_healer(const std::string& kind, Healer healer) {
  const os::ForkGuard guard;
  healers()[kind] = healer;
}

void Membership::attach(std::uint64_t inode) {
  // equivalent if no_forks skipped: it is the lock of attached_.
  const os::ForkGuard guard;
  if (const auto found = attached_.find(inode); found != attached_.end()) {
    ++found->second.handles;
    return;
  }
  MemberRecord& mine = record(id_.index);
  auto* list = attach_list(id_.index);
  const auto page = static_cast<std::uint32_t>(os::page_size() / sizeof(std::uint64_t));
  // Only this process writes its own list, so its own reads of it need no order. In whole pages,
  // as it was raised: a stranger's odd count must not lead past the end of the table.
  const std::uint32_t ready =
      std::min(mine.attached_ready.load(std::memory_order_relaxed), kAttachMax) / page * page;
  std::uint32_t entry = 0;
  // equivalent if remembered: an entry that is free again is merely not used; what is overwritten
  // was listed by somebody who left.
  while (entry < ready && list[entry].load(std::memory_order_relaxed) != 0) ++entry;
  if (entry == ready) {
    if (ready == kAttachMax) {
      throw Error(Errc::limit_reached,
                  {.object = "member table of domain " + domain_.path(),
                   .expected = "at most " + std::to_string(kAttachMax) + " objects per process",
                   .found = "one more",
                   .remedy = "close some"});
    }
    const auto file = table_.reopen();
    const auto offset =
        static_cast<std::uint64_t>(reinterpret_cast<std::byte*>(list + ready) - table_.content());
    const auto allocated = os::allocate(file, kRegionHeaderSize + offset, os::page_size());
    if (!allocated && allocated.error == ENOSPC) {
      throw no_space(table_.object(), os::page_size(), file);
    }
    if (!allocated) throw system_error(table_.object(), "allocating a page", allocated.error);
    // release: a reaper that sees the count may touch the page.
    // equivalent if relaxed: it looks once the kernel says that we are dead.
    mine.attached_ready.store(ready + page, std::memory_order_release);
  }
  // release: listed before the owner word that follows; a kill in between leaves a harmless entry.
  // equivalent if relaxed: that word is released, and a reaper looks once the kernel says that we
  // are dead.
  list[entry].store(inode, std::memory_order_release);
  attached_[inode] = {entry, 1};
}

void Membership::detach(std::uint64_t inode) noexcept {
  // equivalent if no_forks skipped: it is the lock of attached_.
  const os::ForkGuard guard;
  const auto found = attached_.find(inode);
  if (found == attached_.end() || --found->second.handles > 0) return;
  if (is_this_process()) {
    // release: not before the owner word is gone.
    // equivalent if relaxed: the guard's call keeps them in this order, and the kernel shows all
    // that the dead did.
    attach_list(id_.index)[found->second.entry].store(0, std::memory_order_release);
  }
  attached_.erase(found);
}

std::uint32_t Membership::count_attached(std::uint64_t inode) const {
  std::uint32_t count = 0;
  const std::uint32_t records = records_ready();
  for (std::uint32_t i = 0; i < records; ++i) {
    const std::uint64_t state = record(i).state.load(std::memory_order_acquire);
    // acquire: pairs with the release in attach().
    const std::uint32_t ready =
        std::min(record(i).attached_ready.load(std::memory_order_acquire), kAttachMax);
    if ((state & kUsed) == 0 || ready == 0) continue;
    const auto inodes = read_list(attach_list(i), ready);
    const bool uses = std::find(inodes.begin(), inodes.end(), inode) != inodes.end();
    if (uses && liveness({i, incarnation_of(state)}) != Liveness::dead) ++count;
  }
  return count;
}

ReapSummary Membership::reap_dead() {
  ReapSummary summary;
  const Deadline patience = Deadline::after(kReapPatience);
  for (const std::uint32_t i : likely_dead()) {
    const Reaped reaped = reap(i, patience);
    if (reaped == Reaped::yes) ++summary.reaped;
    if (reaped == Reaped::unreaped) ++summary.unreaped;
  }
  return summary;
}

// Through one open of the table: to open and close it anew for each of a thousand living members
// makes joining slow, because each close searches all locks on the file.
std::vector<std::uint32_t> Membership::likely_dead() const {
  std::vector<std::uint32_t> found;
  os::Descriptor table;
  const std::uint32_t ready = records_ready();
  for (std::uint32_t i = 0; i < ready; ++i) {
    if (i == id_.index && id_.incarnation != 0) continue;  // 0: not joined yet
    // relaxed: reap() looks again.
    if ((record(i).state.load(std::memory_order_relaxed) & kUsed) == 0) continue;
    if (!table) table = table_.reopen();
    // equivalent if is_locked_elsewhere skipped: reap() asks again; this spares it the living.
    const auto alive = os::is_locked_elsewhere(table, kLifeLocks + i, os::LockKind::exclusive);
    if (alive && !alive.value) found.push_back(i);
  }
  return found;
}

// The reap lock makes us the only one who does this; that the life lock is free and the record
// still used makes its member dead for good, since only a reaper can free the place for another.
Membership::Reaped Membership::reap(std::uint32_t index, Deadline patience) {
  MemberRecord& dead = record(index);
  const os::ForkGuard no_forks;
  const auto file = table_.reopen();
  const auto locked = os::try_lock(file, kReapLocks + index, os::LockKind::exclusive);
  if (!locked || locked.value == os::Locked::refused) return Reaped::not_dead;
  // Again, now that nobody else can reap: before the lock, another reaper may have freed the place
  // and a newcomer taken it. relaxed, here and below: the kernel's locks order all that the dead
  // and those who reaped before us did.
  // equivalent if remembered: the look below is compared with this one.
  const std::uint64_t state = dead.state.load(std::memory_order_relaxed);
  const auto still = os::is_locked_elsewhere(file, kLifeLocks + index, os::LockKind::exclusive);
  if ((state & kUsed) == 0 || !still || still.value) return Reaped::not_dead;
  // Used by the same member before and after its life lock was seen free: so that member is dead.
  // Without this look, it could have left in between and another be sitting here by now.
  if (dead.state.load(std::memory_order_relaxed) != state) return Reaped::not_dead;

  const std::uint32_t incarnation = incarnation_of(state);
  if (!heal_all(index, owner_word({index, incarnation}), patience)) return Reaped::unreaped;
  // Last: a place freed before its leftovers are gone would lose them. release: publishes the
  // healing to whoever sits down here next.
  dead.attached_ready.store(0, std::memory_order_relaxed);
  dead.state.store(state_word(incarnation, false), std::memory_order_release);
  return Reaped::yes;  // closing the file drops the lock; killed before, the next reaper repeats
}

std::vector<std::uint64_t> Membership::read_list(const RealAtomics::Word<std::uint64_t>* list,
                                                 std::uint32_t entries) const {
  std::vector<std::uint64_t> inodes(entries);
  const auto file = table_.reopen();
  const auto offset =
      kRegionHeaderSize +
      static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(list) - table_.content());
  const auto got = os::read_at(file, inodes.data(), inodes.size() * sizeof inodes[0], offset);
  if (!got) throw system_error(table_.object(), "reading an attach list", got.error);
  return inodes;
}

bool Membership::heal_all(std::uint32_t index, std::uint64_t dead_owner, Deadline patience) {
  // relaxed: the dead's life lock, which was seen free, orders it.
  const std::uint32_t ready =
      std::min(record(index).attached_ready.load(std::memory_order_relaxed), kAttachMax);
  if (ready == 0) return true;
  const auto names = names_by_inode(domain_);
  auto* list = attach_list(index);
  // By read: the count may be a stranger's, and touching pages that nobody allocated would allocate
  // them, or be a SIGBUS where the file system is full.
  const auto inodes = read_list(list, ready);
  std::map<std::uint64_t, bool> healed;  // a stranger may have listed one object many times
  bool clean = true;
  for (std::uint32_t entry = 0; entry < ready; ++entry) {
    const std::uint64_t inode = inodes[entry];
    if (inode == 0) continue;
    const auto [known, is_new] = healed.try_emplace(inode, true);
    if (is_new) {
      // An object without a name takes what stood in it along.
      const auto name = names.find(inode);
      known->second = name == names.end() || heal(name->second, inode, dead_owner, patience);
    }
    if (known->second) {
      list[entry].store(0, std::memory_order_relaxed);
    } else {
      clean = false;
    }
  }
  return clean;
}

bool Membership::heal(const std::string& name, std::uint64_t inode, std::uint64_t dead_owner,
                      Deadline patience) {
  try {
    auto region = MappedRegion::observe(domain_, name);
    if (!region || region->identity().inode != inode) return true;
    const auto healer = healers().find(region->facts().kind);
    return healer != healers().end() && healer->second(*region, dead_owner, patience);
  } catch (const std::exception&) {
    return false;  // what we may not open stays listed, and blocks only this member's place
  }
}

}  // namespace kith::internal
