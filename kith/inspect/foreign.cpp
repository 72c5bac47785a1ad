#include "kith/inspect/foreign.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "kith/base/error.hpp"
#include "kith/inspect/internal/proc_text.hpp"
#include "kith/os/failure.hpp"
#include "kith/os/machine.hpp"
#include "kith/os/process.hpp"

namespace kith {
namespace {

constexpr const char* kSharedMemory = "/dev/shm";
constexpr std::string_view kSemaphorePrefix = "/sem.";
constexpr std::uint64_t kTableMax = std::uint64_t{64} << 20;
constexpr std::uint32_t kDestroyed = 01000;     // SHM_DEST, which the table shows among the rights
constexpr std::uint32_t kRightsOfOthers = 077;  // group and everybody

struct SystemVPlace {
  ForeignKind kind;
  std::string_view prefix;
  const char* table;
  const char* id_column;
  os::SystemVKind os_kind;
};
constexpr SystemVPlace kSystemV[] = {
    {ForeignKind::system_v_segment, "sysv:shm:", "/proc/sysvipc/shm", "shmid",
     os::SystemVKind::segment},
    {ForeignKind::system_v_semaphores, "sysv:sem:", "/proc/sysvipc/sem", "semid",
     os::SystemVKind::semaphores},
    {ForeignKind::system_v_queue, "sysv:msg:", "/proc/sysvipc/msg", "msqid",
     os::SystemVKind::queue},
};

const SystemVPlace* place_of(ForeignKind kind) {
  for (const SystemVPlace& place : kSystemV) {
    if (place.kind == kind) return &place;
  }
  return nullptr;
}

std::string path_of(const ForeignId& id) {
  return kSharedMemory + id.name;
}

std::string object_text(const ForeignId& id) {
  return internal::one_line(foreign_name(id));
}

// ---- what there is ----

ForeignFacts facts_of_file(ForeignId id, const os::FileFacts& file) {
  ForeignFacts facts;
  facts.id = std::move(id);
  facts.owner = file.owner;
  facts.group = file.group;
  facts.permissions = file.permissions;
  facts.size = file.size;
  facts.allocated_bytes = file.allocated_bytes;
  facts.identity = file.identity;
  return facts;
}

ForeignKind kind_of_posix(std::string_view name) {
  return name.starts_with(kSemaphorePrefix) ? ForeignKind::posix_semaphore
                                            : ForeignKind::posix_memory;
}

std::vector<ForeignFacts> list_posix(std::vector<std::string>& unseen) {
  std::vector<ForeignFacts> found;
  const auto directory = os::open_directory(kSharedMemory);
  const auto names = directory ? os::names_in(directory.value)
                               : os::Outcome<std::vector<std::string>>::failed(directory.error);
  if (!names) {
    unseen.push_back(std::string("POSIX shared memory: ") + kSharedMemory + ": " +
                     os::error_text(names.error));
  }
  for (const std::string& name : names.value) {
    const auto file = os::facts_at(directory.value, name);
    if (!file || file.value.kind != os::FileKind::regular) continue;
    const std::string full = "/" + name;
    found.push_back(facts_of_file({.kind = kind_of_posix(full), .name = full}, file.value));
  }
  return found;
}

ForeignFacts facts_of_row(const SystemVPlace& place, const internal::SystemVTable& table,
                          std::size_t row) {
  ForeignFacts facts;
  const auto small = [&](std::string_view column) {
    return static_cast<std::uint32_t>(table.at(row, column));
  };
  facts.id = {.kind = place.kind, .id = small(place.id_column)};
  facts.owner = small("uid");
  facts.group = small("gid");
  facts.permissions = small("perms") & 0777;
  facts.key = small("key");
  facts.changed_s = static_cast<std::int64_t>(table.at(row, "ctime"));
  facts.doomed = place.kind == ForeignKind::system_v_segment && (small("perms") & kDestroyed) != 0;
  facts.size = table.at(row, place.kind == ForeignKind::system_v_queue ? "cbytes" : "size");
  facts.allocated_bytes = table.at(row, "rss");
  facts.attached = table.at(row, "nattch");
  facts.semaphores = table.at(row, "nsems");
  facts.messages = table.at(row, "qnum");
  facts.creator_pid = small("cpid");
  facts.last_pid = small(place.kind == ForeignKind::system_v_queue ? "lspid" : "lpid");
  if (place.kind == ForeignKind::system_v_semaphores) {
    const auto waiting = os::semaphore_waiters(facts.id.id);
    if (waiting) facts.waiting = waiting.value;
  }
  return facts;
}

std::vector<ForeignFacts> list_system_v(const SystemVPlace& place,
                                        std::vector<std::string>& unseen) {
  std::vector<ForeignFacts> found;
  const auto text = os::read_text(place.table, kTableMax);
  if (!text) unseen.push_back(std::string(place.table) + ": " + os::error_text(text.error));
  const internal::SystemVTable table(text.value);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    found.push_back(facts_of_row(place, table, row));
  }
  return found;
}

void add_messages(ForeignFacts& facts) {
  const auto queue = os::message_queue_facts(facts.id.name);
  // Without the right to read it, its file still says who owns it.
  if (!queue || queue.value.file.identity != facts.identity) return;
  facts.messages = queue.value.messages;
}

std::vector<ForeignFacts> list_posix_queues(std::vector<std::string>& unseen) {
  std::vector<ForeignFacts> found;
  const auto directory = os::open_message_queues();
  if (!directory) {
    if (directory.error != ENODEV) {  // a kernel without them has none
      unseen.emplace_back(
          "POSIX message queues: no mqueue file system is mounted at /dev/mqueue, and only root "
          "can look without; one whose name is known is seen all the same (kith show "
          "mqueue:/NAME)");
    }
    return found;
  }
  const auto names = os::names_in(directory.value);
  for (const std::string& name : names.value) {
    const auto file = os::facts_at(directory.value, name);
    if (!file) continue;
    found.push_back(
        facts_of_file({.kind = ForeignKind::posix_queue, .name = "/" + name}, file.value));
    add_messages(found.back());
  }
  return found;
}

// ---- who uses it ----

std::string describe(const ProcessUse& use) {
  return "process " + std::to_string(use.pid) + " (" + use.program + ")";
}

void set_use(ForeignFacts& facts, InUse in_use, std::string why) {
  facts.in_use = in_use;
  facts.in_use_why = std::move(why);
}

std::string described_users(const ForeignFacts& facts) {
  const std::size_t more = facts.users.size() - 1;
  const std::string verb = facts.users.front().mappings.empty() ? " has it open" : " maps it";
  const std::string others = more == 0 ? "" : ", and " + std::to_string(more) + " more";
  return describe(facts.users.front()) + verb + others;
}

// By whoever may be among the processes that were not seen.
void judge_unseen(ForeignFacts& facts, std::uint32_t unseen) {
  if (unseen == 0 || (facts.permissions & kRightsOfOthers) == 0)
    return set_use(facts, InUse::no, "");
  set_use(facts, InUse::unknown,
          std::to_string(unseen) + (unseen == 1 ? " process" : " processes") +
              " of other users could not be looked at");
}

void judge(ForeignFacts& facts, const ProcessSurvey& survey) {
  switch (facts.id.kind) {
    case ForeignKind::posix_memory:
    case ForeignKind::posix_semaphore:
    case ForeignKind::posix_queue:
      facts.users = survey.users_of(facts.identity);
      if (!facts.users.empty()) return set_use(facts, InUse::yes, described_users(facts));
      if (facts.messages > 0) {
        return set_use(facts, InUse::yes,
                       std::to_string(facts.messages) + " messages in it were never received");
      }
      return judge_unseen(facts, survey.unseen());
    case ForeignKind::system_v_segment:
      facts.users = survey.users_of_segment(facts.id.id);
      if (facts.attached == 0) return set_use(facts, InUse::no, "");
      return set_use(facts, InUse::yes,
                     "it is attached " + std::to_string(facts.attached) + " times" +
                         (facts.users.empty() ? "" : ": " + described_users(facts)));
    case ForeignKind::system_v_semaphores:
      if (facts.waiting == 0) return set_use(facts, InUse::no, "");
      return set_use(facts, InUse::yes, std::to_string(facts.waiting) + " processes sleep on it");
    case ForeignKind::system_v_queue:
      if (facts.messages == 0) return set_use(facts, InUse::no, "");
      return set_use(facts, InUse::yes,
                     std::to_string(facts.messages) + " messages in it were never received");
  }
}

SurveyRequest request_for(const std::vector<ForeignFacts>& objects) {
  SurveyRequest request;
  request.descriptors = true;
  for (const ForeignFacts& object : objects) {
    if (object.id.kind == ForeignKind::system_v_segment) {
      request.segments.push_back(object.id.id);
    } else if (object.identity != os::FileIdentity{}) {
      request.files.push_back(object.identity);
    }
  }
  return request;
}

// ---- one of them ----

std::optional<ForeignFacts> find_posix_queue(const ForeignId& id) {
  const auto queue = os::message_queue_facts(id.name);
  if (queue) {
    ForeignFacts facts = facts_of_file(id, queue.value.file);
    facts.messages = queue.value.messages;
    return facts;
  }
  if (queue.error == ENOENT || queue.error == ENOSYS) return std::nullopt;
  ForeignFacts facts;
  facts.id = id;
  facts.problem = internal::system_error(object_text(id), "opening it to read", queue.error).what();
  return facts;
}

std::optional<ForeignFacts> find(const ForeignId& id) {
  if (const SystemVPlace* place = place_of(id.kind)) {
    std::vector<std::string> unseen;
    for (ForeignFacts& facts : list_system_v(*place, unseen)) {
      if (facts.id.id == id.id) return std::move(facts);
    }
    return std::nullopt;
  }
  if (id.kind == ForeignKind::posix_queue) return find_posix_queue(id);
  const auto file = os::facts_of_path(path_of(id));
  if (!file && file.error == ENOENT) return std::nullopt;
  if (!file) throw internal::system_error(object_text(id), "looking at it", file.error);
  if (file.value.kind == os::FileKind::directory) {
    throw Error(Errc::not_ours,
                {.object = object_text(id),
                 .expected = "a POSIX object",
                 .found = "a directory, which may be a domain",
                 .remedy = "look into it with --domain " + internal::one_line(path_of(id))});
  }
  if (file.value.kind != os::FileKind::regular) {
    throw Error(Errc::not_ours, {.object = object_text(id),
                                 .expected = "a POSIX object",
                                 .found = internal::describe(file.value.kind),
                                 .remedy = "remove it yourself, if nobody needs it"});
  }
  return facts_of_file(id, file.value);
}

os::Done unlink(const ForeignId& id) {
  if (const SystemVPlace* place = place_of(id.kind)) {
    return os::remove_system_v(place->os_kind, id.id);
  }
  if (id.kind == ForeignKind::posix_queue) return os::unlink_message_queue(id.name);
  return os::unlink_path(path_of(id));
}

bool is_file_name(std::string_view name) {
  return name.size() > 1 && name.size() <= 256 && name.front() == '/' && name != "/." &&
         name != "/.." && name.find('/', 1) == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

}  // namespace

std::optional<ForeignId> parse_foreign_name(std::string_view text) {
  for (const SystemVPlace& place : kSystemV) {
    if (!text.starts_with(place.prefix)) continue;
    const std::string_view number = text.substr(place.prefix.size());
    std::int32_t id = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
    const bool whole = error == std::errc{} && end == number.data() + number.size() && id >= 0;
    if (!whole) return std::nullopt;
    return ForeignId{.kind = place.kind, .id = static_cast<std::uint32_t>(id)};
  }
  const bool memory = text.starts_with("posix:");
  if (!memory && !text.starts_with("mqueue:")) return std::nullopt;
  const std::string_view name = text.substr(text.find(':') + 1);
  if (!is_file_name(name)) return std::nullopt;
  return ForeignId{.kind = memory ? kind_of_posix(name) : ForeignKind::posix_queue,
                   .name = std::string(name)};
}

std::string foreign_name(const ForeignId& id) {
  if (const SystemVPlace* place = place_of(id.kind)) {
    return std::string(place->prefix) + std::to_string(id.id);
  }
  return (id.kind == ForeignKind::posix_queue ? "mqueue:" : "posix:") + id.name;
}

ForeignListing list_foreign(const Progress& progress) {
  ForeignListing listing;
  auto& all = listing.objects;
  all = list_posix(listing.unseen);
  for (const SystemVPlace& place : kSystemV) {
    std::ranges::move(list_system_v(place, listing.unseen), std::back_inserter(all));
  }
  std::ranges::move(list_posix_queues(listing.unseen), std::back_inserter(all));
  std::stable_sort(all.begin(), all.end(), [](const ForeignFacts& a, const ForeignFacts& b) {
    return a.id.kind < b.id.kind;  // names and ids come in order within each kind
  });
  SurveyRequest request = request_for(all);
  request.progress = progress;
  const ProcessSurvey survey = ProcessSurvey::of(request);
  for (ForeignFacts& facts : all) judge(facts, survey);
  listing.processes_unseen = survey.unseen();
  return listing;
}

std::optional<ForeignView> foreign_view(const ForeignId& id, const Progress& progress) {
  auto facts = find(id);
  if (!facts) return std::nullopt;
  SurveyRequest request = request_for({*facts});
  request.progress = progress;
  request.resident = true;
  const ProcessSurvey survey = ProcessSurvey::of(request);
  judge(*facts, survey);
  return ForeignView{std::move(*facts), survey.unseen()};
}

ForeignRemoval remove_foreign(const ForeignId& id, Force force, const Progress& progress) {
  auto facts = find(id);
  if (!facts) return {Removal::not_found, ""};
  if (force == Force::no) {
    SurveyRequest request = request_for({*facts});
    request.progress = progress;
    judge(*facts, ProcessSurvey::of(request));
    if (facts->in_use == InUse::yes) return {Removal::in_use, facts->in_use_why};
  }
  const auto removed = unlink(id);
  if (removed) return {Removal::removed, facts->in_use_why};
  // Gone meanwhile: of its own accord, or by another's hand.
  if (removed.error == ENOENT || removed.error == EINVAL || removed.error == EIDRM) {
    return {Removal::not_found, ""};
  }
  throw internal::system_error(object_text(id), "removing it", removed.error);
}

}  // namespace kith
