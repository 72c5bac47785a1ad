#include "kith/inspect/inspect.hpp"

#include "kith/base/error.hpp"
#include "kith/channel/internal/latest_channel.hpp"
#include "kith/member/member.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/os/fork.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith {
namespace {

using internal::MappedRegion;
using internal::RegionLock;

bool is_held(const internal::RegionFile& region, std::uint64_t lock) {
  const auto held = os::is_locked_elsewhere(region.file, lock, os::LockKind::exclusive);
  return held && held.value;
}

ObjectFacts facts_of(const Domain& domain, const std::string& name) {
  ObjectFacts facts;
  facts.name = name;
  try {
    const os::ForkGuard no_forks;
    const auto region = internal::open_region_file(domain, name, "object '" + name + "'");
    if (!region) {
      facts.problem = "it went away";
      return facts;
    }
    facts.kind = region->facts.kind;
    facts.type_name = region->facts.type_name;
    facts.size = region->facts.content_size;
    facts.lifetime = static_cast<Lifetime>(region->facts.lifetime);
    facts.created_ns = region->facts.created_ns;
    facts.creator_pid = region->facts.creator_pid;
    facts.creator_program = region->facts.creator_program;
    facts.creator_lives = is_held(*region, RegionLock::kCreator);
    facts.in_use = is_held(*region, RegionLock::kUse);
    const auto file = os::facts_of(region->file);
    if (file) facts.allocated_bytes = file.value.allocated_bytes;
  } catch (const Error& error) {
    facts.problem = error.what();
  }
  return facts;
}

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
  if (roles == Roles::keep || object.kind != internal::kLatestKind) return;
  auto region = MappedRegion::observe(domain, object.name);
  if (region && !internal::drop_vacant_latest_roles(*region, summary.roles_dropped)) {
    summary.refused.push_back(region->object() + ": its administrative lock could not be had");
  }
}

}  // namespace

std::vector<ObjectFacts> list_objects(const Domain& domain) {
  std::vector<ObjectFacts> objects;
  for (const std::string& name : domain.names()) objects.push_back(facts_of(domain, name));
  return objects;
}

std::optional<LatestFacts> latest_facts(const Domain& domain, const std::string& name) {
  const auto region = MappedRegion::observe(domain, name);
  if (!region || region->facts().kind != internal::kLatestKind) return std::nullopt;
  return internal::look_at_latest(*region);
}

CleanSummary clean_domain(const Domain& domain, Roles roles) {
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
  for (const ObjectFacts& object : list_objects(domain)) {
    try {
      clean_object(domain, object, roles, summary);
    } catch (const Error& error) {
      summary.refused.emplace_back(error.what());
    }
  }
  return summary;
}

}  // namespace kith
