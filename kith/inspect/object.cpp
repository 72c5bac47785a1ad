#include "kith/inspect/object.hpp"

#include <algorithm>

#include "kith/base/error.hpp"
#include "kith/base/name.hpp"
#include "kith/inspect/internal/latest_view.hpp"
#include "kith/inspect/internal/lock_state.hpp"
#include "kith/inspect/internal/member_table.hpp"
#include "kith/inspect/internal/mutex_view.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/object_table.hpp"

namespace kith {
namespace {

using internal::Look;

std::vector<NamedObjectFacts> named_objects(const Look& look) {
  std::vector<NamedObjectFacts> named;
  std::uint32_t count = 0;
  if (look.facts().kind != internal::kObjectsKind || !look.read(0, count)) return named;
  // A table of more names than there can be is damaged, and a file of holes can claim any number.
  const auto most = std::min<std::uint64_t>(
      {count, internal::kObjectsMaxMax, look.facts().geometry[internal::kObjectsMaxWord]});
  for (std::uint64_t i = 0; i < most; ++i) {
    internal::ObjectEntry entry{};
    if (!look.read(internal::kEntriesOffset + i * sizeof entry, entry)) break;
    named.push_back({internal::get_text(entry.name), internal::get_text(entry.type_name),
                     entry.fingerprint, entry.offset, entry.size});
  }
  return named;
}

void name_holders(std::vector<RoleFacts>& roles, const internal::MemberTable& table) {
  for (RoleFacts& role : roles) {
    if (role.state == RoleState::vacant || role.guest) continue;
    role.state = RoleState::dead;  // whoever is not in the table has left or was reaped
    for (const internal::TableEntry& entry : table.entries()) {
      if (entry.facts.id != role.holder) continue;
      role.pid = entry.facts.pid;
      role.program = entry.facts.program;
      if (entry.facts.liveness != Liveness::dead) role.state = RoleState::held;
    }
  }
}

std::vector<AttachedMember> attached_to(std::uint64_t inode, const internal::MemberTable& table) {
  std::vector<AttachedMember> attached;
  for (const internal::TableEntry& entry : table.entries()) {
    const auto& list = entry.attached;
    if (std::find(list.begin(), list.end(), inode) == list.end()) continue;
    attached.push_back(
        {entry.facts.id, entry.facts.pid, entry.facts.program, entry.facts.liveness});
  }
  return attached;
}

void add_channel(ObjectView& view, const internal::LatestView& channel, const Domain& domain,
                 const internal::MemberTable& table) {
  view.latest = channel.counters();
  if (!view.latest) return;
  view.roles = channel.roles();
  name_holders(view.roles, table);
  if (view.facts.over) return;  // to open it would be to remove it
  try {
    if (const auto books = latest_facts(domain, view.facts.name)) view.latest->books = *books;
  } catch (const Error&) {
    // The books want more rights than the rest: what can be seen without them is shown.
  }
}

void add_lock(ObjectView& view, const Look& look, const internal::MemberTable& table) {
  const auto kind = internal::lock_kind_of(view.facts.kind);
  if (kind == LockKind::mutex) {
    view.mutex = internal::mutex_at(look, 0, table);
  } else if (kind) {
    view.lock = internal::lock_state_at(look, *kind, 0, true, table);
  }
}

void add_users(ObjectView& view, const Progress& progress) {
  const auto& file = view.facts.identity;
  const ProcessSurvey survey =
      ProcessSurvey::of({.files = {file}, .resident = true, .progress = progress});
  view.users = survey.users_of(file);
  view.processes_unseen = survey.unseen();
}

ObjectView view_of(const os::Descriptor& directory, const Domain& domain, const std::string& name) {
  const Look look(directory, name, internal::describe_object("object", name, domain.path()));
  const internal::MemberTable table(directory, domain.path());
  ObjectView view;
  view.facts = internal::facts_of_object(directory, look, name, table);
  view.format_major = look.header().format_major;
  view.format_minor = look.header().format_minor;
  view.word_bits = look.header().word_bits;
  view.little_endian = std::endian::native == std::endian::little;  // another is refused
  view.fingerprint = look.facts().fingerprint;
  view.file_size = look.file().size;
  view.geometry = look.facts().geometry;
  view.being_changed = look.is_held(internal::RegionLock::kAdmin);
  view.named = named_objects(look);
  view.attached = attached_to(view.facts.identity.inode, table);
  add_lock(view, look, table);
  add_channel(view, internal::LatestView(directory, look), domain, table);
  return view;
}

}  // namespace

std::optional<ObjectView> object_view(const Domain& domain, const std::string& name,
                                      const Progress& progress) {
  const std::string why = why_not_a_name(name, kObjectNameMax);
  if (!why.empty()) throw internal::invalid_name("object", name, why);
  try {
    ObjectView view = view_of(domain.open(), domain, name);
    add_users(view, progress);
    return view;
  } catch (const Error& error) {
    if (error.errc() == Errc::not_found) return std::nullopt;
    ObjectView view;
    view.facts.name = name;
    view.facts.problem = error.what();
    return view;
  }
}

}  // namespace kith
