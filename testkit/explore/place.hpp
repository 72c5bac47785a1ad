// Place: where in the source an access stands; by itself, as a default argument.
#pragma once

#include <version>

#if defined(__cpp_lib_source_location)
#include <source_location>
#else
#include <experimental/source_location>
#endif

namespace kith::testkit::explore {

#if defined(__cpp_lib_source_location)
using Place = std::source_location;
#else
using Place = std::experimental::source_location;  // as clang 14 has it; knows no columns
#endif

}  // namespace kith::testkit::explore
