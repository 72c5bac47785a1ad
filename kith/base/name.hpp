// Names of objects and roles: what may stand in a directory listing without quoting.
//
// Letters, digits and `_ - . : @ + =`, beginning with a letter, a digit or `_`. So a name never
// hides (a leading dot), never looks like an option (a leading dash), never leaves its directory (a
// slash), and reads the same in every locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kith {

inline constexpr std::size_t kObjectNameMax =
    200;  // leaves room below NAME_MAX for our own affixes
inline constexpr std::size_t kRoleNameMax = 63;

// What is wrong with `name`; empty if nothing is.
[[nodiscard]] std::string why_not_a_name(std::string_view name, std::size_t length_max);

}  // namespace kith
