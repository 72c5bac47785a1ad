#include <fmt/format.h>

#include "kith/base/error.hpp"
#include "kith/region/region.hpp"

#include "cli/commands.hpp"
#include "cli/place.hpp"

namespace kith::cli {
namespace {

// True if the object is gone by our doing.
bool remove_one(const Domain& domain, const std::string& name, Force force) {
  switch (remove_object(domain, name, force)) {
    case Removal::removed:
      fmt::print("removed {}\n", name);
      return true;
    case Removal::not_found:
      complain(fmt::format("object '{}' in {}: there is none", name, domain.path()));
      return false;
    case Removal::in_use:
      break;
  }
  complain(
      fmt::format("object '{}' in {}: somebody uses it; end that, or use --force, which leaves "
                  "its users their memory and lets them find out that it is orphaned",
                  name, domain.path()));
  return false;
}

}  // namespace

int remove_command(const Domain& domain, const std::vector<std::string>& names, bool force) {
  bool all = true;
  for (const std::string& name : names) {
    try {
      all = remove_one(domain, name, force ? Force::yes : Force::no) && all;
    } catch (const Error& error) {
      complain(error.what());
      all = false;
    }
  }
  return all ? kFine : kProblem;
}

}  // namespace kith::cli
