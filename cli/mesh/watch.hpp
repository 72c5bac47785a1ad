// Watch: what makes one process of the mesh go on or end: its supervisor's wish or death, signals,
// the end of its time, `q` in its own terminal.
#pragma once

#include <chrono>
#include <optional>

#include "cli/mesh/control.hpp"
#include "cli/mesh/key_parser.hpp"
#include "cli/mesh/keyboard.hpp"
#include "cli/mesh/options.hpp"
#include "cli/mesh/signals.hpp"

namespace kith::mesh {

enum class End {
  asked,     // a signal, a key, the time is over
  orphaned,  // the supervisor is dead, or somebody removed the mesh by force
  parking,   // the supervisor wants to take the books
};

class Watch {
 public:
  using Clock = std::chrono::steady_clock;

  // Both must outlive this.
  Watch(const Options& options, const ControlRegion& control);

  // What has happened, without sleeping.
  [[nodiscard]] std::optional<End> look();
  // Sleeps for `time`, or until the work is to end.
  [[nodiscard]] std::optional<End> pause(Clock::duration time);
  // After parking: sleeps until the channels may be closed.
  void wait_for_closing();

 private:
  [[nodiscard]] bool is_orphaned() const;
  [[nodiscard]] bool quit_typed();
  void wait(Clock::duration time) const;

  const Options& options_;
  const ControlRegion& control_;
  Signals signals_;
  Clock::duration look_every_;
  Clock::time_point next_look_ = Clock::now();
  Clock::time_point end_ = Clock::time_point::max();
  std::optional<Keyboard> keyboard_;  // only without a supervisor
  KeyParser parser_{kProcessesMin};
};

}  // namespace kith::mesh
