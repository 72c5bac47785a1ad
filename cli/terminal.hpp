// What may be written to whom: colours and widths belong to people at a terminal, and to nobody
// else.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kith::cli {

enum class Tone { plain, strong, quiet, good, warning, bad };

struct Style {
  bool colour = false;
  std::optional<std::size_t> columns{};  // of the terminal; nothing is cut without one

  // The text in the colours of its tone, if there are any.
  [[nodiscard]] std::string paint(std::string_view text, Tone tone) const;
};

// For standard output. `colour` is `always`, `never` or `auto`: at a terminal that is not dumb, and
// unless NO_COLOR is set to anything.
[[nodiscard]] Style output_style(const std::string& colour);

// True if a line on standard error can be overwritten.
[[nodiscard]] bool shows_progress();

}  // namespace kith::cli
