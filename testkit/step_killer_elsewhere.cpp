// The step killer where it cannot work: it says so by name instead of missing from the library.
#include <cstdlib>

#include "testkit/step_killer.hpp"

namespace kith::testkit {

Report kill_every_step(const Subject&, const Plan&) {
  throw Refused(why_refused());
}

std::string why_refused() {
  return "the step killer " KITH_TESTKIT_WHY_NOT;
}

namespace internal {
void operation_threw() noexcept {
  std::abort();
}
}  // namespace internal

}  // namespace kith::testkit
