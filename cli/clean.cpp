#include <fmt/format.h>

#include "kith/inspect/inspect.hpp"

#include "cli/commands.hpp"
#include "cli/place.hpp"

namespace kith::cli {

int clean_command(const Domain& domain, bool roles) {
  const CleanSummary summary = clean_domain(domain, roles ? Roles::drop_vacant : Roles::keep);
  fmt::print("dead members reaped: {}\n", summary.members_reaped);
  fmt::print("objects removed:     {}\n", summary.objects_removed);
  if (roles) fmt::print("roles given up:      {}\n", summary.roles_dropped);
  if (summary.members_unreaped > 0) {
    complain(
        fmt::format("{} dead members hold something that may not be opened here; clean as its "
                    "owner or as root",
                    summary.members_unreaped));
  }
  for (const std::string& refused : summary.refused) complain(refused);
  const bool fine = summary.members_unreaped == 0 && summary.refused.empty();
  return fine ? kFine : kProblem;
}

}  // namespace kith::cli
