// Subjects: the models that kith_explore goes through, each with its bounds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "testkit/explore/explore.hpp"

namespace kith::explored {

namespace explore = testkit::explore;

// One model within one set of bounds.
struct Subject {
  std::string name;
  explore::Bounds bounds;
  std::function<explore::Result(const explore::Bounds&)> run;
  bool in_brief = true;  // false: only in the long form, and for mutants nobody else has found
};

// subject(name, setting, bounds, in_brief): one of `World`, which is made of a setting.
template <class World, class Setting>
struct SubjectOf {
  Subject operator()(std::string name, const Setting& setting, const explore::Bounds& bounds,
                     bool in_brief = true) const {
    return {std::move(name), bounds,
            [setting](const explore::Bounds& within) {
              return explore::explore<World>(within, setting);
            },
            in_brief};
  }
};

[[nodiscard]] inline explore::Bounds bounds(std::uint32_t preemptions, std::uint32_t deaths,
                                            explore::Memory memory = explore::Memory::sequential) {
  explore::Bounds bounds;
  bounds.preemptions = preemptions;
  bounds.deaths = deaths;
  bounds.memory = memory;
  return bounds;
}

// A piece of shipped code, and the subjects that must find what is done to it, in any order.
struct MutationTarget {
  std::string name;
  std::string file;  // a part of its path
  std::vector<Subject> subjects;
  // Where calls of the kernel are places as well: a part of the path of what they go through.
  std::string through{};
};

[[nodiscard]] std::vector<Subject> latest_subjects();
[[nodiscard]] std::vector<Subject> region_subjects();
[[nodiscard]] std::vector<Subject> member_subjects();
[[nodiscard]] std::vector<Subject> role_subjects();
[[nodiscard]] std::vector<Subject> mutex_subjects();
[[nodiscard]] std::vector<Subject> signal_subjects();
[[nodiscard]] std::vector<Subject> semaphore_subjects();
[[nodiscard]] std::vector<Subject> barrier_subjects();
[[nodiscard]] std::vector<Subject> condition_subjects();
[[nodiscard]] std::vector<Subject> any_subjects();
[[nodiscard]] std::vector<Subject> guarded_subjects();
[[nodiscard]] std::vector<Subject> once_subjects();
[[nodiscard]] std::vector<Subject> rw_lock_subjects();
[[nodiscard]] MutationTarget latest_target();
[[nodiscard]] MutationTarget mutex_target();
[[nodiscard]] MutationTarget guarded_target();
[[nodiscard]] MutationTarget once_target();
[[nodiscard]] std::vector<MutationTarget> rw_lock_targets();
[[nodiscard]] std::vector<MutationTarget> role_targets();
[[nodiscard]] std::vector<MutationTarget> wait_targets();
[[nodiscard]] MutationTarget region_target();
[[nodiscard]] MutationTarget member_target();

}  // namespace kith::explored
