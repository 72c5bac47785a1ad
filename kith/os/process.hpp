// Who this process is, for people: none of it decides anything, because process ids are reused and
// mean nothing across PID namespaces.
#pragma once

#include <cstdint>
#include <string>

namespace kith::os {

struct ProcessFacts {
  std::uint32_t pid = 0;
  std::uint64_t pid_namespace = 0;  // inode of the namespace in which `pid` counts; 0 if unknown
  std::uint32_t user = 0;
  std::string program;  // as `ps -o comm` shows it, 15 characters at most
};

[[nodiscard]] ProcessFacts this_process();
[[nodiscard]] std::uint32_t effective_user() noexcept;
[[nodiscard]] std::string environment(const char* name);
[[nodiscard]] std::string error_text(int error_number);
[[nodiscard]] std::int64_t wall_clock_ns() noexcept;

}  // namespace kith::os
