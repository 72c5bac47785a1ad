// Campaign: all trials of one subject. Runs in a process of its own that has no other children.
#pragma once

#include "testkit/step_killer.hpp"

namespace kith::testkit::internal {

// Throws Refused, or another exception if the machinery itself fails. Leaves SIGCHLD blocked.
Report run_campaign(const Subject& subject, const Plan& plan);

}  // namespace kith::testkit::internal
