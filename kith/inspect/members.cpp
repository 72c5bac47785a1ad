#include "kith/inspect/members.hpp"

#include <algorithm>
#include <map>

#include "kith/base/error.hpp"
#include "kith/inspect/internal/member_table.hpp"
#include "kith/inspect/processes.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/os/process.hpp"

namespace kith {
namespace internal {
namespace {

constexpr std::uint64_t kMembersMaxMax = 65'535;

[[noreturn]] void throw_damaged(const std::string& object, const std::string& found) {
  throw Error(Errc::damaged, {.object = object,
                              .expected = "a whole table of members",
                              .found = found,
                              .remedy = "remove it while nobody uses the domain"});
}

// Only what its owner gave pages to, and no more than there can be.
std::vector<std::uint64_t> read_list(const Look& look, std::uint64_t offset, std::uint32_t ready) {
  std::vector<std::uint64_t> list(std::min(ready, kAttachMax));
  if (!look.read(offset, list.data(), list.size() * sizeof(std::uint64_t))) list.clear();
  std::erase(list, 0);
  // No larger than what is in it: a stranger may claim lists of full length for all members, which
  // are holes in the file and would be memory here.
  return {list.begin(), list.end()};
}

// Of a living member: the dead wait for nothing.
std::vector<WaitFacts> read_waits(const Look& look, std::uint64_t offset) {
  std::vector<WaitFacts> waits(kWaitNotesMax);
  static_assert(sizeof(WaitFacts) == sizeof(WaitNote));
  if (!look.read(offset, waits.data(), waits.size() * sizeof(WaitNote))) waits.clear();
  std::erase_if(waits, [](const WaitFacts& wait) { return wait.waiter <= kNoteBeingWritten; });
  return waits;
}

}  // namespace

std::vector<TableEntry> read_members(const Look& look, const std::string& object) {
  const std::uint64_t members_max = look.facts().geometry[kMembersMaxWord];
  if (look.facts().kind != kMembersKind) throw_damaged(object, "a " + look.facts().kind);
  if (members_max < 1 || members_max > kMembersMaxMax ||
      table_size(members_max) > look.facts().content_size) {
    throw_damaged(object, std::to_string(members_max) + " places");
  }
  std::vector<TableEntry> entries;
  std::uint32_t records_ready = 0;
  if (!look.read(offsetof(TableHeader, records_ready), records_ready)) return entries;
  const auto records = std::min<std::uint64_t>(records_ready, members_max);
  for (std::uint32_t i = 0; i < records; ++i) {
    MemberRecord record{};
    if (!look.read(kRecordsOffset + i * sizeof record, &record, sizeof record)) break;
    // relaxed: a private copy of the record.
    const std::uint64_t state = record.state.load(std::memory_order_relaxed);
    if ((state & kUsed) == 0) continue;
    TableEntry entry;
    entry.facts.id = {i, incarnation_of(state)};
    entry.facts.liveness = look.is_held(kLifeLocks + i) ? Liveness::alive : Liveness::dead;
    entry.facts.pid = record.pid;
    entry.facts.pid_namespace = record.pid_namespace;
    entry.facts.user = record.user;
    entry.facts.program = get_text(record.program);
    entry.facts.since_ns = record.since_ns;
    entry.facts.reaped = entry.facts.liveness != Liveness::dead;
    const std::uint32_t ready = record.attached_ready.load(std::memory_order_relaxed);
    const std::uint64_t lists = lists_offset(members_max) + i * kListsSize;
    entry.attached = read_list(look, lists, ready);
    const bool has_notes = record.notes_ready.load(std::memory_order_relaxed) != 0;
    if (has_notes && entry.facts.liveness == Liveness::alive) {
      entry.waits = read_waits(look, lists + kWaitNotesOffset);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace internal

namespace {

std::map<std::uint64_t, std::string> names_by_inode(const Domain& domain,
                                                    const os::Descriptor& directory) {
  std::map<std::uint64_t, std::string> names;
  for (const std::string& name : domain.names()) {
    const auto facts = os::facts_at(directory, name);
    if (facts) names[facts.value.identity.inode] = name;
  }
  return names;
}

MemberView view_of(internal::TableEntry entry, const std::map<std::uint64_t, std::string>& names,
                   std::uint64_t own_namespace) {
  MemberView view;
  view.facts = std::move(entry.facts);
  for (const std::uint64_t inode : entry.attached) {
    const auto name = names.find(inode);
    if (name != names.end()) {
      view.attached.push_back(name->second);
    } else {
      ++view.attached_gone;
    }
  }
  std::sort(view.attached.begin(), view.attached.end());
  view.other_namespace = view.facts.pid_namespace != own_namespace;
  if (!view.other_namespace && view.facts.liveness == Liveness::alive) {
    const auto process = process_state(view.facts.pid);
    view.stopped = process && process->stopped;
  }
  return view;
}

}  // namespace

std::vector<MemberView> list_members(const Domain& domain) {
  std::vector<MemberView> members;
  const std::string object = "member table of domain " + domain.path();
  try {
    const auto directory = domain.open();
    const internal::Look look(directory, internal::kMembersName, object);
    const auto names = names_by_inode(domain, directory);
    const std::uint64_t own_namespace = os::this_process().pid_namespace;
    for (internal::TableEntry& entry : internal::read_members(look, object)) {
      members.push_back(view_of(std::move(entry), names, own_namespace));
    }
  } catch (const Error& error) {
    if (error.errc() != Errc::not_found) throw;
  }
  return members;
}

}  // namespace kith
