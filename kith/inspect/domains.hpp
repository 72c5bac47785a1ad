// Domains of this machine: the users' own in /dev/shm, the one that KITH_DOMAIN names, and whatever
// directory on a tmpfs or a huge-page mount holds a member table.
//
//   for (const DomainFacts& domain : list_domains().domains) print(domain.path);
//
// States       a snapshot.
// Callers      any thread. No daemon and no file is asked: what is there is found by looking.
// A peer dies  it counts as dead from the next look on, until somebody reaps it.
// Cost         a directory listing for each directory of those mounts, three levels deep and
//              kDirectoriesMax of them at most; 20 us for each object.
//
// Not found this way: domains on disks, unless KITH_DOMAIN names them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kith/inspect/progress.hpp"

namespace kith {

inline constexpr std::uint32_t kDirectoriesMax = 20'000;

struct DomainFacts {
  std::string path;
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::uint32_t permissions = 0;
  bool standard = false;  // the private one of its owner
  std::uint32_t objects = 0;
  std::uint32_t objects_in_use = 0;
  std::uint32_t members_living = 0;
  std::uint32_t members_dead = 0;     // not reaped yet
  std::uint64_t allocated_bytes = 0;  // bytes that occupy memory or disk, the table's included
  // Nobody living is in it, and something of the dead is left to give back: `kith clean`.
  bool orphaned = false;
  std::string problem;  // why it could not be looked at; then the rest may be missing
};

struct DomainListing {
  std::vector<DomainFacts> domains;  // sorted by path
  std::vector<std::string> unseen;   // directories that may not be listed, or were too many
};

[[nodiscard]] DomainListing list_domains(const Progress& progress = {});
// One of them; `problem` says what is wrong with it.
[[nodiscard]] DomainFacts domain_facts(const std::string& path);

}  // namespace kith
