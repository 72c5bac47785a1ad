// ProcessSurvey: which processes of this machine use a file, and where it lies in them.
//
//   const ProcessSurvey survey = ProcessSurvey::of({.files = {object.identity}});
//   for (const ProcessUse& use : survey.users_of(object.identity)) print(use.pid, use.program);
//
// Files are known by device and inode, never by a path: a name may have changed hands since.
//
// States       a snapshot; processes come and go meanwhile.
// Callers      any thread. Nothing is locked, mapped or stopped.
// A peer dies  it is missing from the next survey. One that dies in the very moment in which its
//              mappings are read keeps them, and the locks that hang on them, for the microseconds
//              that this takes; the same is true of ps, top and lsof.
// Cost         some 20 us a process, 200 us more for each with many mappings. Resident bytes are
//              counted by walking page tables: about 1 ms for a mapping of 1 GiB.
//
// Only root sees all processes; the kernel shows anybody else just their own. unseen() counts the
// rest, so "nobody" is an answer only where it is 0. Processes of PID namespaces that this one does
// not contain are neither seen nor counted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kith/inspect/progress.hpp"
#include "kith/os/file.hpp"

namespace kith {

struct MappingFacts {
  std::uint64_t begin = 0;  // addresses in that process
  std::uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;                          // false: changes stay private to that process
  std::uint64_t offset = 0;                     // in the file
  std::optional<std::uint64_t> resident_bytes;  // if asked for and allowed
};

struct ProcessUse {
  std::uint32_t pid = 0;
  std::uint32_t user = 0;
  std::string program;  // printable
  std::vector<MappingFacts> mappings;
  std::uint32_t descriptors = 0;  // opens of it, if asked for
};

// What to look for.
struct SurveyRequest {
  std::vector<os::FileIdentity> files{};
  std::vector<std::uint32_t> segments{};  // ids of System V segments
  bool descriptors = false;               // also who has a file open without mapping it
  bool resident = false;                  // also how many bytes lie in memory
  Progress progress{};
};

class ProcessSurvey {
 public:
  [[nodiscard]] static ProcessSurvey of(const SurveyRequest& request);

  ProcessSurvey() = default;

  // In the order of their process ids; empty if nobody was seen to use it.
  [[nodiscard]] const std::vector<ProcessUse>& users_of(const os::FileIdentity& file) const;
  [[nodiscard]] const std::vector<ProcessUse>& users_of_segment(std::uint32_t id) const;
  // Processes whose mappings this user may not see.
  [[nodiscard]] std::uint32_t unseen() const noexcept { return unseen_; }
  [[nodiscard]] std::uint32_t seen() const noexcept { return seen_; }

 private:
  using File = std::pair<std::uint64_t, std::uint64_t>;  // device and inode, in an order
  struct Finder;

  void look_at(std::uint32_t pid, const SurveyRequest& request);

  std::map<File, std::vector<ProcessUse>> files_;
  std::map<std::uint32_t, std::vector<ProcessUse>> segments_;
  std::uint32_t unseen_ = 0;
  std::uint32_t seen_ = 0;
};

// What /proc says of one process; empty if there is none of this number.
struct ProcessState {
  std::string program;  // printable
  std::uint32_t user = 0;
  bool stopped = false;  // by a signal or a debugger
};
[[nodiscard]] std::optional<ProcessState> process_state(std::uint32_t pid);

}  // namespace kith
