// What the step killer kills: every operation of the library that changes shared bytes or takes a
// lock, each with what survivors must find afterwards.
#pragma once

#include <vector>

#include "testkit/step_killer.hpp"
#include "tests/prove/world.hpp"

namespace kith::prove {

[[nodiscard]] std::vector<testkit::Subject> region_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> member_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> memory_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> latest_write_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> latest_read_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> mutex_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> wait_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> any_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> guarded_subjects(const World& world);
[[nodiscard]] std::vector<testkit::Subject> rw_lock_subjects(const World& world);
// They become other users, which only root can.
[[nodiscard]] std::vector<testkit::Subject> guest_subjects(const World& world);

}  // namespace kith::prove
