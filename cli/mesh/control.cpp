#include "cli/mesh/control.hpp"

#include <fmt/format.h>
#include <optional>

#include "kith/base/error.hpp"
#include "kith/inspect/inspect.hpp"

namespace kith::mesh {
namespace {

std::uint64_t shape_of(const Options& options) {
  return (std::uint64_t{options.processes} << 48) | options.size;
}

std::string describe_shape(std::uint64_t shape) {
  return fmt::format("{} processes with values of {} bytes", shape >> 48,
                     shape & ((std::uint64_t{1} << 48) - 1));
}

void agree_on_shape(const ControlRegion& region, const Options& options) {
  const std::uint64_t wanted = shape_of(options);
  std::uint64_t found = 0;
  // relaxed: the number is all there is to agree on.
  if (region->shape.compare_exchange_strong(found, wanted, std::memory_order_relaxed)) return;
  if (found == wanted) return;
  throw Error(Errc::wrong_type, {.object = "the mesh in " + region.domain().path(),
                                 .expected = describe_shape(wanted),
                                 .found = describe_shape(found),
                                 .remedy = "give all of them the same N and --size"});
}

std::optional<ObjectFacts> facts_of_control(const Domain& domain) {
  for (const ObjectFacts& object : list_objects(domain)) {
    if (object.name == kControlName && object.kind == "type") return object;
  }
  return std::nullopt;
}

[[noreturn]] void throw_running(const Domain& domain, const ObjectFacts& running, Errc code) {
  throw Error(code, {.object = "the mesh in " + domain.path(),
                     .expected = "no other mesh",
                     .found = fmt::format("one started by {}, process {}", running.creator_program,
                                          running.creator_pid),
                     .remedy = "end that one, or choose another place with --domain"});
}

}  // namespace

std::string channel_name(std::uint32_t process) {
  return fmt::format("{}.{}", kControlName, process);
}

ControlRegion create_control(const Domain& domain, const Options& options) {
  // What processes with a terminal each left when they were killed; those alive keep theirs.
  static_cast<void>(remove_object(domain, kControlName, Force::no));
  try {
    auto region =
        ControlRegion::create(domain, kControlName, {.lifetime = Lifetime::while_creator_lives});
    agree_on_shape(region, options);
    return region;
  } catch (const Error& error) {
    const auto found = facts_of_control(domain);
    if (error.errc() == Errc::already_exists && found) {
      throw_running(domain, *found, Errc::already_exists);
    }
    throw;
  }
}

ControlRegion join_control(const Domain& domain, const Options& options) {
  auto region = ControlRegion::open(domain, kControlName);
  agree_on_shape(region, options);
  return region;
}

ControlRegion share_control(const Domain& domain, const Options& options) {
  // One that nobody uses any more tells of a run that is over.
  static_cast<void>(remove_object(domain, kControlName, Force::no));
  auto region = ControlRegion::open_or_create(domain, kControlName,
                                              {.lifetime = Lifetime::until_last_member});
  const auto found = facts_of_control(domain);
  if (found && found->lifetime == Lifetime::while_creator_lives) {
    throw_running(domain, *found, Errc::in_use);
  }
  agree_on_shape(region, options);
  return region;
}

}  // namespace kith::mesh
