// The commands beside `kith mesh`. Each answers with the exit status and throws Error.
#pragma once

#include <string>
#include <vector>

#include "kith/region/domain.hpp"

namespace kith::cli {

// A table of the domain's objects.
[[nodiscard]] int list_command(const Domain& domain);
// Removes the objects; with `force` also those in use.
[[nodiscard]] int remove_command(const Domain& domain, const std::vector<std::string>& names,
                                 bool force);
// Gives back what the dead held; with `roles` also what named roles keep for their return.
[[nodiscard]] int clean_command(const Domain& domain, bool roles);

}  // namespace kith::cli
