#include "kith/inspect/inspect.hpp"

#include <algorithm>

#include "kith/base/error.hpp"
#include "kith/channel/internal/latest_channel.hpp"
#include "kith/channel/internal/latest_guest.hpp"
#include "kith/inspect/internal/look.hpp"
#include "kith/inspect/internal/member_table.hpp"
#include "kith/member/member.hpp"
#include "kith/os/fork.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith {
namespace {

using internal::Look;
using internal::MappedRegion;
using internal::RegionLock;

// An object whose lifetime is over, with nobody left to notice.
bool is_leftover(const ObjectFacts& object) {
  switch (object.lifetime) {
    case Lifetime::until_last_member:
      return !object.in_use;
    case Lifetime::while_creator_lives:
      return !object.creator_lives;
    case Lifetime::until_removed:
      break;
  }
  return false;
}

void fill(ObjectFacts& facts, const Look& look) {
  facts.kind = look.facts().kind;
  facts.type_name = look.facts().type_name;
  facts.size = look.facts().content_size;
  facts.lifetime = static_cast<Lifetime>(look.facts().lifetime);
  facts.created_ns = look.facts().created_ns;
  facts.creator_pid = look.facts().creator_pid;
  facts.creator_program = look.facts().creator_program;
  facts.creator_lives = look.is_held(RegionLock::kCreator);
  facts.in_use = look.is_held(RegionLock::kUse);
  facts.over = look.is_retired() ||
               (facts.lifetime == Lifetime::while_creator_lives && !facts.creator_lives);
  facts.allocated_bytes = look.file().allocated_bytes;
  facts.owner = look.file().owner;
  facts.group = look.file().group;
  facts.permissions = look.file().permissions;
  facts.identity = look.file().identity;
}

}  // namespace

namespace internal {

MemberTable::MemberTable(const os::Descriptor& directory, const std::string& domain) {
  const std::string object = "member table of domain " + domain;
  try {
    entries_ = read_members(Look(directory, kMembersName, object), object);
  } catch (const Error& error) {
    if (error.errc() != Errc::not_found) problem_ = error.what();
  }
}

void MemberTable::count_into(ObjectFacts& facts) const {
  for (const TableEntry& entry : entries_) {
    const auto& list = entry.attached;
    if (std::find(list.begin(), list.end(), facts.identity.inode) == list.end()) continue;
    const bool dead = entry.facts.liveness == Liveness::dead;
    (dead ? facts.members_dead : facts.members_living) += 1;
  }
  facts.orphaned = !facts.in_use && (is_leftover(facts) || facts.members_dead > 0);
}

ObjectFacts facts_of_object(const os::Descriptor& directory, const Look& look,
                            const std::string& name, const MemberTable& table) {
  ObjectFacts facts;
  facts.name = name;
  fill(facts, look);
  // The own file of a channel with guests is for its members; what others may do says its data.
  if (look.facts().has_satellites) {
    const auto data = os::facts_at(directory, satellite_name(facts.identity, kDataSatellite));
    if (data) facts.permissions |= data.value.permissions;
    if (data) facts.group = data.value.group;
  }
  table.count_into(facts);
  return facts;
}

}  // namespace internal

namespace {

ObjectFacts facts_of(const os::Descriptor& directory, const std::string& name,
                     const internal::MemberTable& table) {
  try {
    const Look look(directory, name, "object '" + name + "'");
    return internal::facts_of_object(directory, look, name, table);
  } catch (const Error& error) {
    ObjectFacts facts;
    facts.name = name;
    facts.problem = error.errc() == Errc::not_found ? "it went away" : error.what();
    return facts;
  }
}

void clean_object(const Domain& domain, const ObjectFacts& object, Roles roles,
                  CleanSummary& summary) {
  if (!object.problem.empty()) {
    summary.refused.push_back(object.problem);
    return;
  }
  if (is_leftover(object)) {
    const Removal removal = internal::remove_region(domain, object.name, Force::no);
    if (removal == Removal::removed) ++summary.objects_removed;
    return;
  }
  if (object.kind != internal::kLatestKind) return;
  auto region = MappedRegion::observe(domain, object.name);
  if (!region) return;
  if (const auto shape = internal::LatestShape::from(region->facts())) {
    if (shape->guests_max > 0) internal::heal_dead_guests(*region, *shape);
  }
  if (roles == Roles::drop_vacant &&
      !internal::drop_vacant_latest_roles(*region, summary.roles_dropped)) {
    summary.refused.push_back(region->object() + ": its administrative lock could not be had");
  }
}

}  // namespace

std::vector<ObjectFacts> list_objects(const Domain& domain) {
  std::vector<ObjectFacts> objects;
  const auto names = domain.names();
  if (names.empty()) return objects;
  const os::Descriptor directory = domain.open();
  const internal::MemberTable table(directory, domain.path());
  for (const std::string& name : names) objects.push_back(facts_of(directory, name, table));
  return objects;
}

std::optional<LatestFacts> latest_facts(const Domain& domain, const std::string& name) {
  const auto region = MappedRegion::observe(domain, name);
  if (!region || region->facts().kind != internal::kLatestKind) return std::nullopt;
  return internal::look_at_latest(*region);
}

CleanSummary clean_domain(const Domain& domain, Roles roles, const Progress& progress) {
  CleanSummary summary;
  if (!domain.exists()) return summary;
  internal::register_latest_healer();
  {
    const os::ForkGuard no_forks;
    summary.objects_removed +=
        static_cast<std::uint32_t>(internal::remove_stillborn(domain.open()));
  }
  const Member self = Member::join(domain);
  const ReapSummary joining = self.reaped_at_joining();
  const ReapSummary now = self.reap_dead();
  summary.members_reaped = joining.reaped + now.reaped;
  summary.members_unreaped = now.unreaped;
  const auto objects = list_objects(domain);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (progress) progress(i, objects.size());
    try {
      clean_object(domain, objects[i], roles, summary);
    } catch (const Error& error) {
      summary.refused.emplace_back(error.what());
    }
  }
  return summary;
}

}  // namespace kith
