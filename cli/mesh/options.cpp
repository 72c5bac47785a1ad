#include "cli/mesh/options.hpp"

#include <charconv>
#include <fmt/format.h>
#include <stdexcept>
#include <unistd.h>

#include "cli/mesh/payload.hpp"
#include "cli/place.hpp"

namespace kith::mesh {
namespace {

// An hour: longer pauses are a mistake, and milliseconds then fit any clock.
constexpr std::uint32_t kPauseMax = 3'600'000;

std::uint32_t parse_milliseconds(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > kPauseMax) {
    throw std::invalid_argument(fmt::format(
        "a pause is MIN..MAX milliseconds, at most {}, as in 5..20; '{}' is not", kPauseMax, text));
  }
  return value;
}

}  // namespace

Domain Options::place() const {
  return cli::domain_at(domain);
}

std::vector<std::string> Options::arguments_for(std::uint32_t index) const {
  std::vector<std::string> arguments = {
      "kith",
      "mesh",
      std::to_string(processes),
      "--only",
      std::to_string(index),
      "--supervised-by",
      std::to_string(::getpid()),
      "--size",
      std::to_string(size),
      "--pause",
      fmt::format("{}..{}", pause.shortest.count(), pause.longest.count()),
  };
  if (!domain.empty()) arguments.insert(arguments.end(), {"--domain", domain});
  if (quiet) arguments.emplace_back("--quiet");
  if (json) arguments.emplace_back("--json");
  return arguments;
}

Pause parse_pause(const std::string& text) {
  const std::size_t dots = text.find("..");
  const std::string_view view = text;
  const auto shortest = parse_milliseconds(view.substr(0, dots));
  const auto longest =
      dots == std::string::npos ? shortest : parse_milliseconds(view.substr(dots + 2));
  if (longest < shortest) {
    throw std::invalid_argument(
        fmt::format("a pause of {}: its end is before its beginning", text));
  }
  return {std::chrono::milliseconds(shortest), std::chrono::milliseconds(longest)};
}

void check(const Options& options) {
  if (options.processes < kProcessesMin || options.processes > kProcessesMax) {
    throw std::invalid_argument(fmt::format("a mesh has {} to {} processes, not {}", kProcessesMin,
                                            kProcessesMax, options.processes));
  }
  if (options.size < kPayloadSizeMin || options.size > kPayloadSizeMax) {
    throw std::invalid_argument(fmt::format("a value has {} to {} bytes, not {}", kPayloadSizeMin,
                                            kPayloadSizeMax, options.size));
  }
  if (options.only && *options.only >= options.processes) {
    throw std::invalid_argument(fmt::format("--only takes 0 to {}: {} processes, counted from 0",
                                            options.processes - 1, options.processes));
  }
  if (options.only && options.json && options.supervisor == 0) {
    throw std::invalid_argument("--json is what the supervisor says: use it without --only");
  }
  if (options.only && options.chaos) {
    throw std::invalid_argument("--chaos needs a supervisor: use it without --only");
  }
}

}  // namespace kith::mesh
