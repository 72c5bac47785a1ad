// Inspect: what is in a domain, read without taking part in it; and cleaning up after the dead.
//
//   for (const ObjectFacts& object : list_objects(domain)) print(object.name, object.kind);
//   const CleanSummary summary = clean_domain(domain, Roles::keep);
//
// Beside it: object.hpp (one object closely), members.hpp, domains.hpp, processes.hpp (who maps a
// file), foreign.hpp (what kith did not make).
//
// States       a snapshot: the domain goes on meanwhile.
// Callers      any thread. Looking takes no lock and keeps nothing alive; cleaning touches nothing
//              of the living.
// A peer dies  the next look shows it; the next cleaning gives back what it held.
// Cost         about 20 us an object; a tool's pace. The right to read is enough to look.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kith/channel/latest_facts.hpp"
#include "kith/inspect/progress.hpp"
#include "kith/os/file.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"

namespace kith {

struct ObjectFacts {
  std::string name;
  std::string kind;        // "type", "bytes", "objects", "latest"; empty if it is not ours
  std::string type_name;   // as the creator wrote it; for people
  std::uint64_t size = 0;  // bytes of content
  std::uint64_t allocated_bytes = 0;  // bytes that occupy memory or disk
  Lifetime lifetime = Lifetime::until_removed;
  std::int64_t created_ns = 0;  // wall clock; may lie ahead if the clock was set back
  std::uint32_t creator_pid = 0;
  std::string creator_program;
  bool creator_lives = false;
  bool in_use = false;               // somebody living is attached
  std::uint32_t members_living = 0;  // members that have noted it in the domain's table
  std::uint32_t members_dead = 0;    // those of them that died and were not reaped yet
  // Nobody living uses it, and its lifetime is over or the dead still hold something in it:
  // cleaning the domain gives it back.
  bool orphaned = false;
  // It was to end with its creator, who is dead: whoever opens it now removes it instead.
  bool over = false;
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::uint32_t permissions = 0;
  os::FileIdentity identity;  // by which ProcessSurvey finds who maps it
  std::string problem;        // why it could not be looked at; then the rest may be missing
};

// Every file of the domain that could be an object, sorted by name. Throws Error if the domain
// itself may not be looked at; a domain that is not there is empty.
[[nodiscard]] std::vector<ObjectFacts> list_objects(const Domain& domain);

// Empty if there is no channel of that name.
[[nodiscard]] std::optional<LatestFacts> latest_facts(const Domain& domain,
                                                      const std::string& name);

enum class Roles { keep, drop_vacant };

struct CleanSummary {
  std::uint32_t members_reaped = 0;
  std::uint32_t members_unreaped = 0;  // dead, but holding something that may not be opened
  std::uint32_t objects_removed = 0;   // whose lifetime was over
  std::uint32_t roles_dropped = 0;
  std::vector<std::string> refused;  // what could not be looked at, and why
};

// Gives back what the dead held and removes what was to end with them. With Roles::drop_vacant also
// ends the named roles that wait for their holder's return. The living notice nothing.
CleanSummary clean_domain(const Domain& domain, Roles roles, const Progress& progress = {});

}  // namespace kith
