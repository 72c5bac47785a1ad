// What can be seen of a read-write lock by whoever looks.
#pragma once

#include <cstdint>

#include "kith/member/member_id.hpp"

namespace kith {

// For people; it may have changed by now.
struct RwLockFacts {
  bool held = false;          // by a writer
  bool draining = false;      // a writer waits for those who read
  bool inconsistent = false;  // a writer died, and nobody has repaired what it guards
  bool retired = false;       // for good
  bool has_waiters = false;   // or had, and nobody has looked since
  MemberId writer{};          // who holds it, or drains
  std::uint32_t thread = 0;   // of the writer's threads that use locks, numbered from 1
  std::uint32_t readers = 0;  // processes that read
};

}  // namespace kith
