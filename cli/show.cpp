// kith show: all that can be seen of one object, ours or foreign.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "kith/inspect/object.hpp"

#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/foreign.hpp"
#include "cli/place.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr const char* kExamples =
    "  kith show pose                    its stamp, its roles, who holds which value, who maps it\n"
    "  kith show posix:/cache            memory of shm_open(\"/cache\"), made by any program\n"
    "  kith show sysv:shm:12             a System V segment, by its id; likewise sysv:sem:3,\n"
    "                                    sysv:msg:4 and mqueue:/jobs\n"
    "  kith show ./posix:x               an object of the domain, whatever its name looks like\n"
    "  kith show pose --json | jq '.roles[] | select(.state == \"dead\")'\n";
constexpr const char* kExitCodes =
    "  0  it is there and could be looked at\n"
    "  1  it is there and could not be looked at; the message says why\n"
    "  3  there is nothing of that name\n";

struct Options : CommonOptions {
  std::string name;
};

std::string role_text(const RoleFacts& role) {
  return role.writer ? "writer" : fmt::format("{} {}", role.guest ? "guest" : "reader", role.index);
}

std::string process_text(const std::string& program, std::uint32_t pid) {
  return pid == 0 ? "" : fmt::format("{} {}", program, pid);
}

void print_stamp(const Output& output, const ObjectView& view) {
  const ObjectFacts& object = view.facts;
  Table table({{""}, {""}});
  table.add({"kind", object.kind});
  if (!object.type_name.empty() || view.fingerprint != 0) {
    table.add(
        {"type", fmt::format("{}, fingerprint {}", object.type_name, hex_text(view.fingerprint))});
  }
  table.add({"size", fmt::format("{}, {} in memory", size_text(object.size),
                                 size_text(object.allocated_bytes))});
  table.add({"format", fmt::format("{}.{}, {} endian, {} bit", view.format_major, view.format_minor,
                                   view.little_endian ? "little" : "big", view.word_bits)});
  table.add({"created", fmt::format("{} by {}, process {}{}", time_text(object.created_ns),
                                    object.creator_program, object.creator_pid,
                                    object.creator_lives ? "" : " (gone)")});
  table.add({"stays", lifetime_text(object.lifetime)});
  table.add({"access", fmt::format("{}, {}:{}", rights_text(object.permissions),
                                   user_name(object.owner), group_name(object.group))});
  table.add({"state", state_cell(state_word(object))});
  if (view.being_changed) table.add({"", "somebody changes its roles or named objects right now"});
  output.table(table);
}

void print_channel(const Output& output, const ObjectView& view) {
  const LatestCounters& latest = *view.latest;
  const LatestFacts& books = latest.books;
  output.line("");
  output.heading("Values");
  Table table({{""}, {""}});
  std::string newest = "none yet";
  if (books.sequence > 0) {
    newest = fmt::format("{}, {}{}", books.sequence, size_text(latest.newest_size),
                         latest.age_ns ? ", " + span_text(*latest.age_ns) + " old" : "");
  }
  table.add({"newest", newest});
  std::string room = fmt::format("{} a value, {} readers at most", size_text(books.payload_max),
                                 books.readers_max);
  if (books.guests_max > 0) room += fmt::format(", and {} guests", books.guests_max);
  table.add({"room", room});
  table.add({"slots", fmt::format("{} of {} ready, {} pinned", books.slots_ready, latest.slots,
                                  books.pinned_held + books.pinned_vacant)});
  if (books.pinned_by_nobody > 0) {
    table.add({"leaked", Cell(std::to_string(books.pinned_by_nobody), Tone::bad)});
  }
  output.table(table);
}

void print_roles(const Output& output, const ObjectView& view) {
  output.line("");
  output.heading("Roles");
  if (view.roles.empty()) return output.line("all free", Tone::quiet);
  Table table({{"ROLE"}, {"NAME"}, {"STATE"}, {"HOLDER"}, {"HOLDS"}});
  for (const RoleFacts& role : view.roles) {
    const bool vacant = role.state == RoleState::vacant;
    table.add({role_text(role), role.name, state_cell(state_word(role.state)),
               vacant ? "" : process_text(role.program, role.pid),
               role.pins ? fmt::format("value {}", role.pinned_sequence) : ""});
  }
  output.table(table);
}

std::string holder_text(const MutexView& mutex) {
  const std::string process = process_text(mutex.program, mutex.pid);
  std::string text =
      fmt::format("{}, thread {} of its lock users",
                  process.empty() ? "a process unknown here" : process, mutex.facts.thread);
  if (mutex.facts.recursions > 0) text += fmt::format(", {} times", mutex.facts.recursions + 1);
  return text;
}

// What the death of a holder means to the next one, by the kind of what the lock guards.
const char* inconsistent_text(const std::string& kind) {
  if (kind == "guarded") {
    return "somebody died changing it: the last commit stands, there is nothing to repair, and the "
           "next to commit is told";
  }
  if (kind == "once") return "somebody died running it: the next one runs it again, and is told";
  return "a holder died, and nobody has repaired what it guards";
}

const char* retired_text(const std::string& kind) {
  if (kind == "guarded") {
    return "nobody can change it any more, and the last commit can be read; start anew: remove it "
           "with `kith rm`";
  }
  return "what it guards could not be repaired; start anew: remove it with `kith rm`";
}

// A lock in words: who has it, and what the next one will find.
void print_mutex(const Output& output, const std::string& kind, const MutexView& mutex) {
  const MutexFacts& facts = mutex.facts;
  output.line("");
  output.heading("Lock");
  Table table({{""}, {""}});
  if (facts.retired) {
    table.add({"retired", Cell(retired_text(kind), Tone::bad)});
    return output.table(table);
  }
  if (!facts.held) {
    table.add({"held by", "nobody"});
  } else {
    table.add({"held by", holder_text(mutex)});
    if (mutex.liveness == Liveness::dead) {
      table.add({"", Cell("which is dead: the next one gets it, and is told so", Tone::warning)});
    }
  }
  if (facts.waited_ns > 0) {
    table.add({"waited for", fmt::format("since {}", span_text(facts.waited_ns))});
  }
  if (facts.inconsistent) {
    table.add({"inconsistent", Cell(inconsistent_text(kind), Tone::warning)});
  }
  output.table(table);
}

// The same of what is no mutex.
void print_lock(const Output& output, const LockState& lock) {
  if (lock.text.empty()) return;
  output.line("");
  output.heading("Lock");
  Table table({{""}, {""}});
  table.add({"state", lock.text});
  for (const LockHolder& holder : lock.holders) {
    const std::string process = process_text(holder.program, holder.pid);
    table.add({lock.kind == LockKind::barrier ? "party" : "held by",
               process.empty() ? "a process unknown here" : process});
    if (holder.liveness != Liveness::dead) continue;
    table.add({"", Cell(lock.kind == LockKind::barrier
                            ? "which is dead: nobody waits for it, and the others are told"
                            : "which is dead: the next one gets it, and is told so",
                        Tone::warning)});
  }
  output.table(table);
}

void print_named(const Output& output, const ObjectView& view) {
  output.line("");
  output.heading("Objects in it");
  if (view.named.empty()) return output.line("none", Tone::quiet);
  Table table({{"NAME"}, {"TYPE"}, {"SIZE", true}, {"OFFSET", true}, {"FINGERPRINT"}});
  for (const NamedObjectFacts& named : view.named) {
    table.add({named.name, named.type_name, size_text(named.size), std::to_string(named.offset),
               hex_text(named.fingerprint)});
  }
  output.table(table);
}

void print_attached(const Output& output, const ObjectView& view) {
  if (view.attached.empty()) return;
  output.line("");
  output.heading("Members attached");
  Table table({{"PID", true}, {"PROGRAM"}, {"STATE"}});
  for (const AttachedMember& member : view.attached) {
    MemberFacts facts;
    facts.liveness = member.liveness;
    table.add({std::to_string(member.pid), member.program, state_cell(state_word(facts))});
  }
  output.table(table);
}

void print(const Output& output, const Domain& domain, const ObjectView& view) {
  output.heading(fmt::format("{} in {}", view.facts.name, domain.path()));
  print_stamp(output, view);
  if (view.latest) {
    print_channel(output, view);
    print_roles(output, view);
  }
  if (view.mutex) print_mutex(output, view.facts.kind, *view.mutex);
  if (view.lock) print_lock(output, *view.lock);
  if (view.facts.kind == "objects") print_named(output, view);
  print_attached(output, view);
  print_users(output, view.users, view.processes_unseen);
}

int not_found(const Output& output, const std::string& name, const std::string& where) {
  output.complain({"not_found", fmt::format("'{}'{}: there is none; see `kith ls --all`",
                                            printable(name), where)});
  return kNotFound;
}

int problem(const Output& output, const std::string& text) {
  output.complain({"problem", text});
  return kProblem;
}

int show_foreign(const Output& output, const ForeignId& id) {
  ProgressLine waiting("kith: looking at processes,");
  const auto view = foreign_view(id, waiting.progress());
  if (!view) return not_found(output, foreign_name(id), "");
  if (!view->facts.problem.empty()) return problem(output, view->facts.problem);
  if (!output.json()) {
    print_foreign_view(output, *view);
    return kFine;
  }
  Json document = document_of("show");
  document["foreign"] = json_of(view->facts);
  document["foreign"]["processes_unseen"] = view->processes_unseen;
  output.document(document);
  return kFine;
}

int show_object(const Output& output, const Domain& domain, const std::string& name) {
  ProgressLine waiting("kith: looking at processes,");
  const auto view = object_view(domain, name, waiting.progress());
  if (!view) return not_found(output, name, " in " + domain.path());
  if (!view->facts.problem.empty()) return problem(output, view->facts.problem);
  if (!output.json()) {
    print(output, domain, *view);
    return kFine;
  }
  Json document = document_of("show");
  document["domain"] = domain.path();
  document["object"] = json_of(*view);
  output.document(document);
  return kFine;
}

int show_command(const Options& options) {
  const Output output(options);
  if (const auto id = parse_foreign_name(options.name)) return show_foreign(output, *id);
  return show_object(output, domain_to_look_at(options.domain), object_name(options.name));
}

}  // namespace

void add_show(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("show", "show all that can be seen of one object");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, "the object; foreign ones as `kith ls --all` has them")
      ->required();
  add_domain_option(*command, options->domain);
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback([options, &run] { run = [options] { return show_command(*options); }; });
}

}  // namespace kith::cli
