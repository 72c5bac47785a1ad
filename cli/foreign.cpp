#include "cli/foreign.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "cli/documents.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr std::pair<ForeignKind, const char*> kSections[] = {
    {ForeignKind::posix_memory, "POSIX shared memory"},
    {ForeignKind::posix_semaphore, "POSIX semaphores"},
    {ForeignKind::system_v_segment, "System V shared memory"},
    {ForeignKind::system_v_semaphores, "System V semaphores"},
    {ForeignKind::system_v_queue, "System V message queues"},
    {ForeignKind::posix_queue, "POSIX message queues"},
};

bool is_system_v(ForeignKind kind) {
  return kind == ForeignKind::system_v_segment || kind == ForeignKind::system_v_semaphores ||
         kind == ForeignKind::system_v_queue;
}

bool has_size(ForeignKind kind) {
  return kind != ForeignKind::system_v_semaphores && kind != ForeignKind::posix_queue;
}

std::string users_text(const ForeignFacts& object) {
  if (object.id.kind == ForeignKind::system_v_segment) return std::to_string(object.attached);
  if (object.id.kind == ForeignKind::system_v_semaphores) return std::to_string(object.waiting);
  if (object.id.kind == ForeignKind::system_v_queue) return "";  // nobody can know
  return object.in_use == InUse::unknown ? "?" : std::to_string(object.users.size());
}

std::string access_text(std::uint32_t owner, std::uint32_t group, std::uint32_t permissions) {
  return fmt::format("{}, {}:{}", rights_text(permissions), user_name(owner), group_name(group));
}

std::string span_of(const MappingFacts& mapping) {
  return fmt::format("{:x}-{:x}", mapping.begin, mapping.end);
}

std::string rights_of(const MappingFacts& mapping) {
  std::string text;
  if (mapping.readable) text += "read ";
  if (mapping.writable) text += "write ";
  if (mapping.executable) text += "execute ";
  if (text.empty()) text = "none ";
  text.pop_back();
  return mapping.shared ? text : text + ", private";
}

}  // namespace

std::string details_of(const ForeignFacts& object) {
  if (!object.problem.empty()) return object.problem;
  std::string text;
  const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (is_system_v(object.id.kind)) {
    add(object.key == 0 ? "private" : fmt::format("key 0x{:08x}", object.key));
  }
  if (object.id.kind == ForeignKind::system_v_semaphores) {
    add(count_text(object.semaphores, "semaphore", "semaphores"));
  }
  const bool queue =
      object.id.kind == ForeignKind::system_v_queue || object.id.kind == ForeignKind::posix_queue;
  if (queue) add(count_text(object.messages, "message", "messages"));
  if (object.doomed) add("removed, gone with the last that detaches");
  // A queue's messages were counted above.
  if (!object.in_use_why.empty() && !(queue && object.users.empty())) add(object.in_use_why);
  return text;
}

void print_foreign(const Output& output, const ForeignListing& listing) {
  for (const auto& [kind, title] : kSections) {
    const bool sleepers = kind == ForeignKind::system_v_semaphores;
    Table table({{"NAME"},
                 {"OWNER"},
                 {"RIGHTS"},
                 {"SIZE", true},
                 {sleepers ? "SLEEPING" : "USERS", true},
                 {"STATE"},
                 {"NOTES"}});
    for (const ForeignFacts& object : listing.objects) {
      if (object.id.kind != kind) continue;
      table.add({foreign_name(object.id), user_name(object.owner), rights_text(object.permissions),
                 has_size(kind) ? size_text(object.size) : "", users_text(object),
                 state_cell(state_word(object)), details_of(object)});
    }
    if (table.is_empty()) continue;
    output.line("");
    output.heading(title);
    output.table(table);
  }
  if (listing.objects.empty()) {
    output.line("");
    output.line("nothing that kith did not make");
  }
  for (const std::string& unseen : listing.unseen) output.line(unseen, Tone::quiet);
}

void print_unseen(const Output& output, std::uint32_t processes) {
  if (processes == 0) return;
  const char* hint = ::geteuid() == 0 ? "" : "; root sees more";
  output.line(count_text(processes, "process", "processes") + " could not be looked at" + hint,
              Tone::quiet);
}

void print_users(const Output& output, const std::vector<ProcessUse>& users,
                 std::uint32_t processes_unseen) {
  Table table({{"PID", true},
               {"PROGRAM"},
               {"USER"},
               {"ADDRESSES"},
               {"OFFSET", true},
               {"RIGHTS"},
               {"RESIDENT", true}});
  for (const ProcessUse& use : users) {
    const std::string pid = std::to_string(use.pid);
    for (const MappingFacts& mapping : use.mappings) {
      table.add({pid, use.program, user_name(use.user), span_of(mapping), size_text(mapping.offset),
                 rights_of(mapping),
                 mapping.resident_bytes ? size_text(*mapping.resident_bytes) : "?"});
    }
    if (use.mappings.empty()) {
      table.add({pid, use.program, user_name(use.user), "open, not mapped", "", "", ""});
    }
  }
  output.line("");
  output.heading("Processes that map it");
  if (table.is_empty()) {
    output.line(processes_unseen == 0 ? "none" : "none that can be seen", Tone::quiet);
  } else {
    output.table(table);
  }
  print_unseen(output, processes_unseen);
}

void print_foreign_view(const Output& output, const ForeignView& view) {
  const ForeignFacts& object = view.facts;
  std::string kind = kind_word(object.id.kind);
  for (const auto& [known, title] : kSections) {
    if (known == object.id.kind) kind = title;
  }
  output.heading(foreign_name(object.id));
  Table table({{""}, {""}});
  table.add({"kind", kind});
  table.add({"access", access_text(object.owner, object.group, object.permissions)});
  if (has_size(object.id.kind)) {
    const bool memory = object.id.kind != ForeignKind::system_v_queue;
    table.add(
        {"size", size_text(object.size) +
                     (memory ? ", " + size_text(object.allocated_bytes) + " in memory" : "")});
  }
  table.add({"state", state_cell(state_word(object))});
  if (const std::string details = details_of(object); !details.empty()) {
    table.add({"notes", details});
  }
  if (is_system_v(object.id.kind)) {
    table.add({"changed", time_text(object.changed_s * 1'000'000'000)});
    if (object.last_pid != 0) {
      table.add({"last used by", "process " + std::to_string(object.last_pid)});
    }
  }
  output.table(table);
  const bool mapped = object.id.kind != ForeignKind::system_v_semaphores &&
                      object.id.kind != ForeignKind::system_v_queue;
  if (mapped) print_users(output, object.users, view.processes_unseen);
}

}  // namespace kith::cli
