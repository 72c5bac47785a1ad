// What can be seen of a mutex by whoever looks.
#pragma once

#include <cstdint>

#include "kith/member/member_id.hpp"

namespace kith {

// For people; it may have changed by now.
struct MutexFacts {
  bool held = false;
  bool inconsistent = false;  // a holder died, and nobody has repaired what it guards
  bool retired = false;       // for good
  bool has_waiters = false;   // or had, and nobody has looked since
  MemberId holder{};
  std::uint32_t thread = 0;      // of the holder's threads that use locks, numbered from 1
  std::uint64_t recursions = 0;  // how often more it took it
  std::int64_t waited_ns = 0;    // how long somebody has waited for this holder; 0: nobody
};

}  // namespace kith
