// What the library is compiled with instead of std::atomic and the machine's clock when it runs on
// the explorer: every source of it is the one that ships. kith/base/atomics.hpp and deadline.hpp
// include this where KITH_MODEL names it; the calls of the kernel are in os.cpp.
#pragma once

#include <chrono>
#include <cstdint>

#include "testkit/explore/atomics.hpp"

namespace kith::model {

using Atomics = testkit::explore::Atomics;

// The kernel's clock of the model; it moves while everybody waits.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;

  [[nodiscard]] static time_point now() noexcept;
};

}  // namespace kith::model
