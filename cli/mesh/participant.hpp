// Participant: one process of the mesh. It writes its own value and reads the others'.
#pragma once

#include "cli/mesh/options.hpp"

namespace kith::mesh {

// Runs process `*options.only`, supervised or alone in its terminal, until it is told to end.
// Answers with the exit status. Throws Error.
[[nodiscard]] int run_participant(const Options& options);

}  // namespace kith::mesh
