// Which domain a command works in, and how its errors are said.
#pragma once

#include <string>
#include <string_view>

#include "kith/region/domain.hpp"

namespace kith::cli {

// What the command exits with.
inline constexpr int kFine = 0;
inline constexpr int kProblem = 1;  // something was refused, or was not as it must be
inline constexpr int kUsage = 2;    // the arguments make no sense

// The directory, or the standard domain if it is empty.
[[nodiscard]] Domain domain_at(const std::string& directory);

// "kith: text" on standard error.
void complain(std::string_view text);

}  // namespace kith::cli
