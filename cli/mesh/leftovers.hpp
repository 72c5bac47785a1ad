// Leftovers: channels of a mesh whose processes were all killed at once. The next run takes over
// those that fit and removes the others.
#pragma once

#include "kith/region/domain.hpp"

#include "cli/mesh/options.hpp"
#include "cli/mesh/signals.hpp"

namespace kith::mesh {

// Before a run. Throws Error in_use if processes of another mesh live on for longer than it takes
// them to notice that their supervisor is dead; std::runtime_error if a signal comes meanwhile.
void settle_leftovers(const Domain& domain, const Options& options, const Signals& signals);

// After a run, whose last processes may have been killed: removes its channels, silently.
void remove_channels(const Domain& domain);

}  // namespace kith::mesh
