#include "kith/inspect/processes.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "kith/inspect/internal/proc_text.hpp"
#include "kith/os/machine.hpp"

namespace kith {
namespace {

// A process may have 65 530 mappings unless the machine's owner allows more; what lies beyond this
// many bytes of their list is not looked at.
constexpr std::uint64_t kMapsMax = std::uint64_t{64} << 20;
constexpr std::uint64_t kLineMax = 4096;

std::string folder_of(std::uint32_t pid) {
  return "/proc/" + std::to_string(pid);
}

std::vector<std::uint32_t> all_processes() {
  std::vector<std::uint32_t> pids;
  const auto folder = os::open_directory("/proc");
  if (!folder) return pids;
  const auto names = os::names_in(folder.value);
  for (const std::string& name : names.value) {
    std::uint32_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

MappingFacts facts_from(const internal::MapLine& line) {
  MappingFacts facts;
  facts.begin = line.begin;
  facts.end = line.end;
  facts.readable = line.readable;
  facts.writable = line.writable;
  facts.executable = line.executable;
  facts.shared = line.shared;
  facts.offset = line.offset;
  return facts;
}

// The entry of this process in the list of a file's users; made if it is not there.
ProcessUse& entry_of(std::vector<ProcessUse>& users, std::uint32_t pid) {
  if (users.empty() || users.back().pid != pid) {
    users.emplace_back();
    users.back().pid = pid;
  }
  return users.back();
}

void measure(std::vector<MappingFacts>& mappings,
             const std::vector<internal::ResidentLine>& entries) {
  for (MappingFacts& mapping : mappings) {
    for (const internal::ResidentLine& entry : entries) {
      if (entry.map.begin == mapping.begin) mapping.resident_bytes = entry.resident_bytes;
    }
  }
}

}  // namespace

std::optional<ProcessState> process_state(std::uint32_t pid) {
  const std::string folder = folder_of(pid);
  const auto facts = os::facts_of_path(folder);
  const auto comm = os::read_text(folder + "/comm", kLineMax);
  const auto stat = os::read_text(folder + "/stat", kLineMax);
  if (!facts || !comm) return std::nullopt;
  const char state = internal::state_from_stat(stat.value);
  return ProcessState{internal::program_from_comm(comm.value), facts.value.owner,
                      state == 'T' || state == 't'};
}

// Everything about one process, before it is known whether it uses anything.
struct ProcessSurvey::Finder {
  ProcessSurvey& survey;
  std::uint32_t pid;
  std::vector<std::vector<ProcessUse>*> touched{};

  ProcessUse& use_of(std::vector<ProcessUse>& users) {
    if (users.empty() || users.back().pid != pid) touched.push_back(&users);
    return entry_of(users, pid);
  }

  void look_at_mappings(std::string_view maps) {
    internal::for_each_map_line(maps, [this](const internal::MapLine& line) {
      if (line.identity.inode == 0) return;
      const auto file = survey.files_.find({line.identity.device, line.identity.inode});
      if (file != survey.files_.end()) {
        use_of(file->second).mappings.push_back(facts_from(line));
      } else if (internal::is_segment_path(line.path)) {
        const auto id = static_cast<std::uint32_t>(line.identity.inode);
        const auto segment = survey.segments_.find(id);
        if (segment == survey.segments_.end()) return;
        use_of(segment->second).mappings.push_back(facts_from(line));
      }
    });
  }

  void look_at_descriptors(const std::string& folder) {
    const auto directory = os::open_directory(folder);
    if (!directory) return;
    const auto names = os::names_in(directory.value);
    for (const std::string& name : names.value) {
      const auto facts = os::facts_behind(folder + "/" + name);
      if (!facts) continue;
      const os::FileIdentity& identity = facts.value.identity;
      const auto file = survey.files_.find({identity.device, identity.inode});
      if (file != survey.files_.end()) ++use_of(file->second).descriptors;
    }
  }
};

void ProcessSurvey::look_at(std::uint32_t pid, const SurveyRequest& request) {
  const std::string folder = folder_of(pid);
  const auto maps = os::read_text(folder + "/maps", kMapsMax);
  if (!maps) {
    // Gone meanwhile, it uses nothing.
    const bool gone = maps.error == ENOENT || maps.error == ESRCH;
    if (!gone) ++unseen_;
    return;
  }
  ++seen_;
  Finder finder{*this, pid};
  finder.look_at_mappings(maps.value);
  if (request.descriptors && !files_.empty()) finder.look_at_descriptors(folder + "/fd");
  if (finder.touched.empty()) return;
  const auto state = process_state(pid);
  const auto smaps = request.resident ? os::read_text(folder + "/smaps", kMapsMax)
                                      : os::Outcome<std::string>::failed(ENOENT);
  const auto entries = internal::parse_smaps(smaps.value);
  for (std::vector<ProcessUse>* users : finder.touched) {
    ProcessUse& use = users->back();
    if (state) {
      use.program = state->program;
      use.user = state->user;
    }
    measure(use.mappings, entries);
  }
}

ProcessSurvey ProcessSurvey::of(const SurveyRequest& request) {
  ProcessSurvey survey;
  for (const auto& file : request.files) survey.files_[{file.device, file.inode}] = {};
  for (const std::uint32_t id : request.segments) survey.segments_[id] = {};
  if (request.files.empty() && request.segments.empty()) return survey;
  const auto pids = all_processes();
  for (std::size_t i = 0; i < pids.size(); ++i) {
    if (request.progress) request.progress(i, pids.size());
    survey.look_at(pids[i], request);
  }
  return survey;
}

namespace {

const std::vector<ProcessUse> kNobody;

}  // namespace

const std::vector<ProcessUse>& ProcessSurvey::users_of(const os::FileIdentity& file) const {
  const auto found = files_.find({file.device, file.inode});
  return found != files_.end() ? found->second : kNobody;
}

const std::vector<ProcessUse>& ProcessSurvey::users_of_segment(std::uint32_t id) const {
  const auto found = segments_.find(id);
  return found != segments_.end() ? found->second : kNobody;
}

}  // namespace kith
