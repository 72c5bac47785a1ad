#include "kith/channel/internal/role.hpp"

#include <optional>

#include "kith/base/error.hpp"
#include "kith/base/name.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

// acquire: pairs with the release with which a role is taken, so its name is complete.
std::uint64_t owner_at(const RoleTable& table, std::uint32_t index) {
  return table.record(index).owner.load(std::memory_order_acquire);
}

bool is_dead(const Owners& owners, std::uint64_t owner) {
  return has_owner(owner) && owners.liveness(owner_of(owner)) == Liveness::dead;
}

void free_role(const RoleTable& table, std::uint32_t index) {
  table.drop(index);
  // release: what it held is given up before the role can be seen free.
  // unseen if relaxed: to others it is the same, who take the lock first; but a compiler may free
  // the role before what it held, and a death come between.
  table.record(index).owner.store(0, std::memory_order_release);
}

void let_go_for_the_dead(const RoleTable& table, std::uint32_t index, std::uint64_t owner) {
  if ((owner & kRoleNamed) == 0) {
    free_role(table, index);
    return;
  }
  table.settle(index);
  // release: what it cannot have had is given up before the role can be inherited.
  // unseen if relaxed: as in free_role().
  table.record(index).owner.store(kRoleNamed | kRoleVacant, std::memory_order_release);
}

[[noreturn]] void throw_taken(const RoleTable& table, std::uint32_t index, std::uint64_t owner,
                              const Owners& owners) {
  const std::string role = get_text(table.record(index).name);
  const std::string holder = owners.describe(owner_of(owner));
  throw Error(Errc::role_taken,
              {.object = table.what,
               .expected = "a free role" + (role.empty() ? "" : " '" + role + "'"),
               .found = "held by " + holder,
               .remedy = "end that process, or wait for it with a deadline"});
}

std::optional<std::uint32_t> find_named(const RoleTable& table, const std::string& name) {
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const std::uint64_t owner = owner_at(table, i);
    if ((owner & kRoleNamed) != 0 && holds_text(table.record(i).name, name)) return i;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> find_free(const RoleTable& table) {
  for (std::uint32_t i = 0; i < table.count; ++i) {
    if (owner_at(table, i) == 0) return i;
  }
  return std::nullopt;
}

// The table is full: give up what the dead held, then, if need be, a role that waits for its name.
std::optional<std::uint32_t> make_room(const RoleTable& table, const Owners& owners) {
  heal_dead_roles(table, owners);
  if (const auto free = find_free(table)) return free;
  for (std::uint32_t i = 0; i < table.count; ++i) {
    if (!is_vacant(owner_at(table, i))) continue;
    free_role(table, i);
    return i;
  }
  return std::nullopt;
}

[[noreturn]] void throw_full(const RoleTable& table, const Owners& owners) {
  // With one place only, as a writer's, who sits there is what the caller wants to know.
  if (table.count == 1) throw_taken(table, 0, owner_at(table, 0), owners);
  throw Error(Errc::table_full, {.object = table.what,
                                 .expected = "a free place",
                                 .found = std::to_string(table.count) + " living holders",
                                 .remedy = "create the object with room for more"});
}

void take(const RoleTable& table, std::uint32_t index, const std::string& name,
          const Owners& owners) {
  table.prepare(index);
  auto& record = table.record(index);
  // Only a free role's name is written: killed in the middle of it, it is still free. A vacant role
  // is found by its name, which therefore must stay whole.
  if (owner_at(table, index) == 0) put_text(record.name, name);
  const std::uint64_t named = name.empty() ? 0 : kRoleNamed;
  // release: publishes the name and what prepare() did. This store is the claim.
  // unseen if relaxed: others take the lock before they look at the name; but a compiler may claim
  // the role before its name is whole, and a death come between.
  record.owner.store(owners.word() | named, std::memory_order_release);
}

}  // namespace

void check_role_name(const std::string& name) {
  if (name.empty()) return;
  const std::string why = why_not_a_name(name, kRoleNameMax);
  if (!why.empty()) throw invalid_name("role", name, why);
}

ClaimedRole claim_role(const RoleTable& table, const std::string& name, const Owners& owners) {
  check_role_name(name);
  if (!name.empty()) {
    if (const auto index = find_named(table, name)) {
      const std::uint64_t owner = owner_at(table, *index);
      if (!is_vacant(owner) && !is_dead(owners, owner)) {
        throw_taken(table, *index, owner, owners);
      }
      // Settled while it is still the dead one's: what comes after is ours.
      let_go_for_the_dead(table, *index, owner);
      take(table, *index, name, owners);
      return {*index, true};
    }
  }
  auto index = find_free(table);
  if (!index) index = make_room(table, owners);
  if (!index) throw_full(table, owners);
  take(table, *index, name, owners);
  return {*index, false};
}

void heal_roles(const RoleTable& table, std::uint64_t dead_owner) {
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const std::uint64_t owner = owner_at(table, i);
    if (!has_owner(owner) || (owner & kOwnerMask) != (dead_owner & kOwnerMask)) continue;
    let_go_for_the_dead(table, i, owner);
  }
}

void heal_dead_roles(const RoleTable& table, const Owners& owners) {
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const std::uint64_t owner = owner_at(table, i);
    if (is_dead(owners, owner)) let_go_for_the_dead(table, i, owner);
  }
}

void heal_all_roles(const RoleTable& table) {
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const std::uint64_t owner = owner_at(table, i);
    if (has_owner(owner)) let_go_for_the_dead(table, i, owner);
  }
}

bool has_owners(const RoleTable& table) {
  for (std::uint32_t i = 0; i < table.count; ++i) {
    if (has_owner(owner_at(table, i))) return true;
  }
  return false;
}

std::uint32_t drop_vacant_roles(const RoleTable& table) {
  std::uint32_t dropped = 0;
  for (std::uint32_t i = 0; i < table.count; ++i) {
    if (!is_vacant(owner_at(table, i))) continue;
    free_role(table, i);
    ++dropped;
  }
  return dropped;
}

}  // namespace kith::internal
