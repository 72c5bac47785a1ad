#include "cli/mesh/say.hpp"

#include <cerrno>
#include <unistd.h>

namespace kith::mesh {

namespace {

int output = STDOUT_FILENO;  // set before there are threads or children

}  // namespace

void say_on_standard_error() noexcept {
  output = STDERR_FILENO;
}

void say_line(std::string text) noexcept {
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(output, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace kith::mesh
