// Children: the processes of a supervised mesh, started by exec, killed and started again.
//
// Each is down, running, or dying: killed, and not yet known to be dead. One that is dying can be
// started only after that, because its life ends when the kernel says so and not before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "cli/mesh/options.hpp"

namespace kith::mesh {

class Children {
 public:
  explicit Children(const Options& options);
  // Whoever still runs is killed, and waited for.
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  enum class Status { down, running, dying };
  [[nodiscard]] Status status(std::uint32_t index) const { return children_[index].status; }
  [[nodiscard]] std::uint32_t alive() const noexcept { return alive_; }  // running or dying
  [[nodiscard]] std::uint64_t restarts() const noexcept { return restarts_; }

  // Requires that it is down. Throws std::system_error.
  void start(std::uint32_t index);
  // SIGKILL. Requires that it is running.
  void kill(std::uint32_t index);
  // SIGTERM to everybody who runs: look at the phase. Wakes the stopped as well.
  void tell_all() const;
  void kill_all();

  struct Ended {
    std::uint32_t index = 0;
    bool killed_by_us = false;
    bool killed = false;  // by SIGKILL, whoever sent it
    bool failed = false;  // crashed, or said so by its exit status
    std::string how;      // "with status 1", "by signal 11"
  };
  // One that is dead now, if there is one. Never sleeps.
  [[nodiscard]] std::optional<Ended> reap();

 private:
  struct Child {
    Status status = Status::down;
    pid_t pid = -1;
    bool has_run = false;
  };

  Options options_;
  std::string program_;
  std::vector<Child> children_;
  std::uint32_t alive_ = 0;
  std::uint64_t restarts_ = 0;
};

}  // namespace kith::mesh
