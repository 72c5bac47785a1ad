// say: one line of output in one system call, so that lines of many processes never mix.
#pragma once

#include <fmt/format.h>
#include <string>
#include <utility>

namespace kith::mesh {

// Writes the text and a line end to standard output. If nobody reads it any more, it is lost.
void say_line(std::string text) noexcept;

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  say_line(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kith::mesh
