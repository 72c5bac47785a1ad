// LatestFacts: the books of one latest-value channel, as tools see them from outside.
#pragma once

#include <cstdint>

namespace kith {

// They balance when pinned_by_nobody is 0 and no more than one message is pinned per reader's role.
struct LatestFacts {
  std::uint64_t sequence = 0;  // of the newest value; 0 before the first
  std::uint32_t readers_max = 0;
  std::uint32_t guests_max = 0;
  std::uint32_t spare_slots = 0;
  std::uint64_t payload_max = 0;
  bool has_writer = false;           // somebody holds the writer's role, dead or alive
  std::uint32_t readers_held = 0;    // readers' roles with a holder, dead or alive
  std::uint32_t readers_vacant = 0;  // named ones that wait for their name
  std::uint32_t guests_held = 0;     // the same of guests, who may only read
  std::uint32_t guests_vacant = 0;
  std::uint32_t pinned_held = 0;       // messages pinned for a holder
  std::uint32_t pinned_vacant = 0;     // messages kept for a vacant role
  std::uint32_t pinned_by_nobody = 0;  // a leak
  std::uint32_t slots_ready = 0;       // slots with real pages
};

}  // namespace kith
