// Control: what the processes of one mesh share besides their values: its shape, its phase, and the
// tallies of each process, which outlive its restarts.
//
// The object `mesh` of the domain. With a supervisor it lives as long as that: a second mesh finds
// its name taken by a living creator, and processes whose supervisor was killed find it orphaned.
// With one terminal per process it lives as long as the last of them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "kith/region/domain.hpp"
#include "kith/region/region.hpp"

#include "cli/mesh/options.hpp"

namespace kith::mesh {

inline constexpr const char* kControlName = "mesh";

enum class Phase : std::uint32_t {
  running = 0,
  parking = 1,  // let go of all values, keep the channels open, say so and wait
  closing = 2,
};

enum class State : std::uint32_t {
  absent = 0,
  up = 1,      // has opened all channels
  parked = 2,  // holds no value any more
};

// One process. All but `state`, which the supervisor resets when the process has died, is written
// by that process alone, so an addition is a load and a store; only one killed in between is lost.
struct alignas(128) Cell {
  std::atomic<std::uint32_t> has_been_up;
  std::atomic<std::uint32_t> state;  // State
  std::atomic<std::uint64_t> writes;
  std::atomic<std::uint64_t> reads;
  std::atomic<std::uint64_t> torn;
  std::atomic<std::uint64_t> backwards;
  std::atomic<std::uint64_t> last_written;  // count of the newest value committed for certain
  // A bit for each other process whose channel the present life has opened: in the others, an
  // earlier life's role may still keep a value for it.
  std::array<std::atomic<std::uint64_t>, (kProcessesMax + 63) / 64> opened;
};

struct Control {
  std::atomic<std::uint64_t> shape;  // shape_of(options), set by whoever comes first; 0 before that
  std::atomic<std::uint32_t> phase;  // Phase
  std::array<Cell, kProcessesMax> cells;
};

using ControlRegion = Region<Control>;

// relaxed, here and below: tallies and flags guard no other data, and are summed up after their
// writers have parked or died.
inline void add_one(std::atomic<std::uint64_t>& tally) noexcept {
  tally.store(tally.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}
inline void set_state(Cell& cell, State state) noexcept {
  cell.state.store(static_cast<std::uint32_t>(state), std::memory_order_release);
}
inline void set_opened(Cell& cell, std::uint32_t other) noexcept {
  auto& word = cell.opened[other / 64];
  word.store(word.load(std::memory_order_relaxed) | std::uint64_t{1} << other % 64,
             std::memory_order_relaxed);
}
inline void set_none_opened(Cell& cell) noexcept {
  for (auto& word : cell.opened) word.store(0, std::memory_order_relaxed);
}
[[nodiscard]] inline bool has_opened(const Cell& cell, std::uint32_t other) noexcept {
  return (cell.opened[other / 64].load(std::memory_order_relaxed) >> other % 64 & 1) != 0;
}
[[nodiscard]] inline State state_of(const Cell& cell) noexcept {
  return static_cast<State>(cell.state.load(std::memory_order_acquire));
}
inline void set_phase(Control& control, Phase phase) noexcept {
  control.phase.store(static_cast<std::uint32_t>(phase), std::memory_order_release);
}
[[nodiscard]] inline Phase phase_of(const Control& control) noexcept {
  return static_cast<Phase>(control.phase.load(std::memory_order_acquire));
}

[[nodiscard]] std::string channel_name(std::uint32_t process);

// The supervisor's. Throws Error; already_exists names who runs a mesh here.
[[nodiscard]] ControlRegion create_control(const Domain& domain, const Options& options);
// A supervised process's: the one its supervisor made. Throws Error: not_found if that is dead.
[[nodiscard]] ControlRegion join_control(const Domain& domain, const Options& options);
// For one terminal per process: whoever comes first makes it. Throws Error: in_use if a supervisor
// runs a mesh here, wrong_type if the others were told another number of processes or size.
[[nodiscard]] ControlRegion share_control(const Domain& domain, const Options& options);

}  // namespace kith::mesh
