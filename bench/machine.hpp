// The machine that figures come from, in rows of the case `machine`: the metric names the fact, the
// peer is its text, the value a number that belongs to it (or 1).
#pragma once

#include <vector>

#include "bench/book.hpp"

namespace kith::bench {

// The first two processors that this process may use. Throws if there is only one: two processes
// on one core measure the scheduler.
[[nodiscard]] std::vector<int> two_cores();

[[nodiscard]] std::vector<Row> machine_rows(bool quick);

}  // namespace kith::bench
