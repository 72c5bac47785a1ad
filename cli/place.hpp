// Which domain a command works in, what it exits with, and how its errors are said.
#pragma once

#include <string>
#include <string_view>

#include "kith/region/domain.hpp"

namespace kith::cli {

// What the command exits with.
inline constexpr int kFine = 0;
inline constexpr int kProblem = 1;   // something was refused, or was not as it must be
inline constexpr int kUsage = 2;     // the arguments make no sense
inline constexpr int kNotFound = 3;  // nothing of that name is there
inline constexpr int kInUse = 4;     // somebody uses it

// What several answers come to: the one code that all failures share, else kProblem.
[[nodiscard]] constexpr int both(int one, int other) noexcept {
  if (one == kFine || one == other) return other;
  return other == kFine ? one : kProblem;
}

// The directory, or the standard domain if it is empty. A directory of another user must have the
// rights that KITH_RIGHTS names, and one that is yet to be made gets them.
[[nodiscard]] Domain domain_at(const std::string& directory);
// The same for who only looks: whatever rights it has will do.
[[nodiscard]] Domain domain_to_look_at(const std::string& directory);

// The name of an object of the domain as it was typed: "./x" is x, whatever x looks like.
[[nodiscard]] std::string object_name(const std::string& typed);

// "kith: text" on standard error.
void complain(std::string_view text);

}  // namespace kith::cli
