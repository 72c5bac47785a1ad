#include "cli/place.hpp"

#include <cstdio>
#include <fmt/format.h>

namespace kith::cli {

Domain domain_at(const std::string& directory) {
  return directory.empty() ? Domain::standard() : Domain::at(directory);
}

void complain(std::string_view text) {
  // One call, so that the lines of several processes stay whole.
  const std::string line = fmt::format("kith: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace kith::cli
