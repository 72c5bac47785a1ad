// say: one line of output in one system call, so that lines of many processes never mix.
#pragma once

#include <fmt/format.h>
#include <string>
#include <utility>

namespace kith::mesh {

// From now on lines go to standard error: standard output belongs to a program that reads it.
void say_on_standard_error() noexcept;

// Writes the text and a line end where they belong. If nobody reads it any more, it is lost.
void say_line(std::string text) noexcept;

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  say_line(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kith::mesh
