#include "kith/base/name.hpp"

#include <cstdio>

namespace kith {
namespace {

constexpr std::string_view kPunctuation = "_-.:@+=";

// Not isalnum: the answer must not depend on the locale of the process that asks.
bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string shown(char c) {
  if (c > 0x20 && c < 0x7f) return std::string("'") + c + "'";
  char text[16];
  std::snprintf(text, sizeof text, "byte 0x%02x", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

std::string why_not_a_name(std::string_view name, std::size_t length_max) {
  if (name.empty()) return "it is empty";
  if (name.size() > length_max) {
    return "it has " + std::to_string(name.size()) + " characters, " + std::to_string(length_max) +
           " are allowed";
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_letter_or_digit(c) && kPunctuation.find(c) == std::string_view::npos) {
      return "it holds " + shown(c) + " at position " + std::to_string(i) +
             "; use letters, digits and _ - . : @ + =";
    }
  }
  if (!is_letter_or_digit(name[0]) && name[0] != '_') {
    return "it begins with " + shown(name[0]) + "; begin with a letter, a digit or _";
  }
  return {};
}

}  // namespace kith
