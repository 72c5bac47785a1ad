// Books: what executions have seen, as plain numbers in memory that a worker shares with who
// started it: a run that read no value and was refused nothing has tried nothing.
#pragma once

#include <cstdint>
#include <string>

namespace kith::hostile {

struct Books {
  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  std::uint64_t values = 0;      // read whole, with a number that did not go back
  std::uint64_t refusals = 0;    // a kith::Error
  std::uint64_t damaged = 0;     // answers that say so
  std::uint64_t writes = 0;      // committed
  std::uint64_t locks = 0;       // taken
  std::uint64_t objects = 0;     // found or made in an ObjectRegion
  std::uint64_t cuts = 0;        // files cut short, or tried to
  std::uint64_t lost_pages = 0;  // times that a handle said so
};

[[nodiscard]] std::string to_string(const Books& books);

// Says what is wrong and ends the process, as a crash would: what runs this counts both alike.
[[noreturn]] void defect(const std::string& what);
inline void require(bool holds, const char* what) {
  if (!holds) defect(what);
}
// Only bytes that cannot disturb a terminal.
void require_printable(const std::string& text, const char* what);

}  // namespace kith::hostile
