// Who this process is, for people: none of it decides anything, because process ids are reused and
// mean nothing across PID namespaces.
#pragma once

#include <cstdint>
#include <string>

#include "kith/os/outcome.hpp"

namespace kith::os {

struct ProcessFacts {
  std::uint32_t pid = 0;
  std::uint64_t pid_namespace = 0;  // inode of the namespace in which `pid` counts; 0 if unknown
  std::uint32_t user = 0;
  std::string program;  // as `ps -o comm` shows it, 15 characters at most
};

[[nodiscard]] ProcessFacts this_process();
[[nodiscard]] std::uint32_t effective_user() noexcept;
// The number of a user or group by its name, or of a number written out; ENOENT if there is none.
[[nodiscard]] Outcome<std::uint32_t> user_number(const std::string& name);
[[nodiscard]] Outcome<std::uint32_t> group_number(const std::string& name);
[[nodiscard]] std::string environment(const char* name);
[[nodiscard]] std::string error_text(int error_number);
[[nodiscard]] std::int64_t wall_clock_ns() noexcept;

}  // namespace kith::os
