// Marks: where an operation begins and ends, as addresses that a tracer can recognise.
#pragma once

#include <cstdint>

#include "testkit/step_killer.hpp"

namespace kith::testkit::internal {

// Runs the operation between two `int3`. Without a tracer the first of them ends the process.
void run_between_marks(const Operation& operation);

// The victim stops with its instruction pointer here, just before the call of the operation.
std::uint64_t begin_mark();
// The return of the operation leads here.
std::uint64_t end_mark();

}  // namespace kith::testkit::internal
