// Roles: who writes, who reads. A cell per role, decided by one store, healed when its holder dies.
//
//   free  --claim-->  held  --let go-->  free      (an unnamed role)
//                     held  --let go-->  vacant    (a named role: it keeps what it held)
//   vacant --claim of that name--> held            (the claimant inherits)
// A dead holder counts as having let go. All changes but letting go one's own role are made under
// the object's administrative lock, so no two of them meet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kith/base/atomics.hpp"
#include "kith/channel/internal/role_record.hpp"
#include "kith/member/internal/owners.hpp"

namespace kith::internal {

// The roles of one kind in one object, and what giving one up means to that object.
struct RoleTable {
  using Record = RoleRecord<RealAtomics>;

  std::string what;  // "reader of latest 'pose' in /dev/shm/kith-1000"
  std::uint32_t count = 0;
  std::function<Record&(std::uint32_t)> record;
  std::function<void(std::uint32_t)> prepare;  // before a role is taken; may throw
  std::function<void(std::uint32_t)> drop;     // gives up all it held; repeatable
  std::function<void(std::uint32_t)> settle;   // gives up what a dead holder cannot have had
};

// Throws invalid_name unless `name` can name a role or is empty.
void check_role_name(const std::string& name);

// Takes the role `name`, or any free one if the name is empty. Under the administrative lock.
// Throws role_taken, naming the holder, or table_full.
ClaimedRole claim_role(const RoleTable& table, const std::string& name, const Owners& owners);

// Gives up the roles of a dead owner. Under the administrative lock; repeatable.
void heal_roles(const RoleTable& table, std::uint64_t dead_owner);

// Gives up the roles of all owners found dead. Under the administrative lock; repeatable.
void heal_dead_roles(const RoleTable& table, const Owners& owners);

// Gives up every role that has an owner: none of them can live. Under the administrative lock.
void heal_all_roles(const RoleTable& table);
[[nodiscard]] bool has_owners(const RoleTable& table);

// Gives up every vacant role. Under the administrative lock. Returns how many.
std::uint32_t drop_vacant_roles(const RoleTable& table);

}  // namespace kith::internal
