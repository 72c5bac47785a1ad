// The kernel's text about processes, mounts and System V objects, read as a stranger's: whatever
// stands there, a line is understood or left out. Names of processes and files may hold spaces,
// parentheses, line ends and " (deleted)".
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kith/os/file.hpp"

namespace kith::internal {

// Text that may stand in one line of a terminal: printable ASCII, anything else as '?'.
[[nodiscard]] std::string one_line(std::string_view text);
// Without the line end that the kernel added, and as one_line().
[[nodiscard]] std::string program_from_comm(std::string_view text);
// The state letter of /proc/PID/stat, 'T' for stopped; '?' if it cannot be found.
[[nodiscard]] char state_from_stat(std::string_view text);

// One line of /proc/PID/maps, or the first line of an entry of /proc/PID/smaps.
struct MapLine {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  std::uint64_t offset = 0;
  os::FileIdentity identity;
  std::string_view path;  // into the text it was read from, with " (deleted)" if the kernel says so
};
[[nodiscard]] std::optional<MapLine> parse_map_line(std::string_view line);

// Calls `use(line)` for each line that is one; lines of smaps that are none are left out.
template <class Use>
void for_each_map_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (const auto line = parse_map_line(text.substr(0, end))) use(*line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// An entry of /proc/PID/smaps.
struct ResidentLine {
  MapLine map;
  std::uint64_t resident_bytes = 0;
};
[[nodiscard]] std::vector<ResidentLine> parse_smaps(std::string_view text);

// True for the path that the kernel gives mappings of a System V segment, whose inode is its id.
[[nodiscard]] bool is_segment_path(std::string_view path);

// A table of /proc/sysvipc: rows of numbers under a line of names. Columns that a kernel does not
// have are 0; `perms` is read as octal.
class SystemVTable {
 public:
  explicit SystemVTable(std::string_view text);

  [[nodiscard]] std::size_t rows() const noexcept { return rows_.size(); }
  [[nodiscard]] std::uint64_t at(std::size_t row, std::string_view column) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::uint64_t>> rows_;
};

struct MountLine {
  std::string directory;
  std::string file_system;  // "tmpfs"
};
// Lines of /proc/self/mountinfo.
[[nodiscard]] std::vector<MountLine> parse_mounts(std::string_view text);

}  // namespace kith::internal
