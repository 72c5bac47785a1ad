#include "cli/terminal.hpp"

#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace kith::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_capable_terminal(int descriptor) {
  const std::string_view terminal = environment("TERM");
  return ::isatty(descriptor) == 1 && !terminal.empty() && terminal != "dumb";
}

const char* code_of(Tone tone) {
  switch (tone) {
    case Tone::strong:
      return "1";
    case Tone::quiet:
      return "2";
    case Tone::good:
      return "32";
    case Tone::warning:
      return "33";
    case Tone::bad:
      return "31";
    case Tone::plain:
      break;
  }
  return "0";
}

}  // namespace

std::string Style::paint(std::string_view text, Tone tone) const {
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code_of(tone)) + "m" + std::string(text) + "\x1b[0m";
}

Style output_style(const std::string& colour) {
  Style style;
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0) {
    style.columns = size.ws_col;
  }
  const bool wanted = is_capable_terminal(STDOUT_FILENO) && environment("NO_COLOR").empty();
  style.colour = colour == "always" || (colour != "never" && wanted);
  return style;
}

bool shows_progress() {
  return is_capable_terminal(STDERR_FILENO);
}

}  // namespace kith::cli
