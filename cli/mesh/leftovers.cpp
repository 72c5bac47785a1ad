#include "cli/mesh/leftovers.hpp"

#include <charconv>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "kith/base/error.hpp"
#include "kith/inspect/inspect.hpp"

#include "cli/mesh/control.hpp"
#include "cli/mesh/say.hpp"

namespace kith::mesh {
namespace {

using namespace std::chrono_literals;

// Processes of a killed supervisor notice within a tenth of a second, a thousand of them within
// one, and then need as long to close as they needed to open.
constexpr auto kPatience = 60s;

// The process a channel of a mesh belongs to.
std::optional<std::uint32_t> process_of(const ObjectFacts& object) {
  std::string_view name = object.name;
  const std::string prefix = std::string(kControlName) + ".";
  const bool ours = object.kind == "latest" && object.lifetime == Lifetime::until_last_member;
  if (!ours || !name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::uint32_t process = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
  const bool number = error == std::errc{} && end == name.data() + name.size();
  return number ? std::optional(process) : std::nullopt;
}

bool fits(const Domain& domain, const ObjectFacts& object, std::uint32_t process,
          const Options& options) {
  const auto facts = latest_facts(domain, object.name);
  return facts && process < options.processes && facts->readers_max == options.processes - 1 &&
         facts->payload_max == options.size;
}

void remove_other(const Domain& domain, const ObjectFacts& object, const Signals& signals) {
  const Deadline deadline = Deadline::after(kPatience);
  Removal removal = remove_object(domain, object.name);
  if (removal == Removal::in_use) {
    say("mesh: waiting for the processes of an earlier mesh to end");
  }
  while (removal == Removal::in_use && !deadline.has_passed()) {
    signals.wait(10ms);
    if (signals.next()) throw std::runtime_error("told to end before the mesh began");
    removal = remove_object(domain, object.name);
  }
  if (removal == Removal::in_use) {
    throw Error(Errc::in_use, {.object = "channel '" + object.name + "' in " + domain.path(),
                               .expected = "no process of another mesh",
                               .found = "one that still uses it",
                               .remedy = "end it, or choose another place with --domain"});
  }
  if (removal == Removal::removed) {
    say("mesh: removed {}, left by a mesh of another shape", object.name);
  }
}

}  // namespace

void settle_leftovers(const Domain& domain, const Options& options, const Signals& signals) {
  std::uint32_t taken_over = 0;
  for (const ObjectFacts& object : list_objects(domain)) {
    const auto process = process_of(object);
    if (!process) continue;
    if (fits(domain, object, *process, options)) {
      ++taken_over;
    } else {
      remove_other(domain, object, signals);
    }
  }
  if (taken_over > 0) say("mesh: taking over {} channels of an earlier run", taken_over);
}

void remove_channels(const Domain& domain) {
  for (const ObjectFacts& object : list_objects(domain)) {
    if (process_of(object)) static_cast<void>(remove_object(domain, object.name));
  }
}

}  // namespace kith::mesh
