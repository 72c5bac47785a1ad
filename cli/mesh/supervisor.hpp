// Supervisor: starts the processes of a mesh, kills and restarts them as keys or chaos want it, and
// takes the books at the end.
#pragma once

#include "cli/mesh/options.hpp"

namespace kith::mesh {

// Answers with the exit status: 0 if every value read was whole and none older than one before, no
// slot leaked, and nobody failed. Throws Error if the mesh cannot begin.
[[nodiscard]] int run_supervisor(const Options& options);

}  // namespace kith::mesh
