// Record: every instruction of one run of an operation, and the shortest way back to each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "testkit/internal/tracee.hpp"
#include "testkit/internal/watch.hpp"
#include "testkit/step_killer.hpp"

namespace kith::testkit::internal {

struct Step {
  std::uint64_t address = 0;
  std::int32_t call = -1;  // number of the system call that it is; -1: it is none
  bool repeats = false;    // one round of a `rep` instruction
  bool changed = false;    // it changed watched bytes
  bool slept = false;      // it is a call that did not return soon
};

struct Record {
  std::vector<Step> steps;
  bool sleeps_for_ever = false;  // the last step never returned
  bool overflowed = false;       // there was more to watch than is watched
  std::string broken;            // the operation did not reach its end; says why

  // How many instructions can be executed before a kill.
  std::uint64_t last_kill_point() const { return steps.size() - (sleeps_for_ever ? 1 : 0); }
};

// The victim must stand at the begin mark; it is left where the record ends.
Record record_operation(Tracee& victim, Watch& watch, const Subject& subject);

struct KillPoint {
  std::uint64_t after = 0;   // instructions executed
  bool inside_call = false;  // and asleep in the next one, which is a system call
};

// The points the plan asks for, in order; `skipped` counts those left out.
std::vector<KillPoint> choose_kill_points(const Record& record, const Plan& plan,
                                          std::uint64_t& skipped);

// How to get to a kill point from the begin mark: run to the `arrivals`-th arrival at the step
// `anchor`, then take single steps, then let a `rep` run `rounds` of its rounds.
struct Route {
  std::uint64_t anchor = 0;
  std::uint64_t arrivals = 0;  // 0: no breakpoint, the route starts at the begin mark
  std::uint64_t steps = 0;
  std::uint64_t rounds = 0;
};

class Routes {
 public:
  explicit Routes(const Record& record);
  // To the point after so many instructions.
  const Route& to(std::uint64_t kill_point) const { return routes_[kill_point]; }

 private:
  std::vector<Route> routes_;
};

}  // namespace kith::testkit::internal
