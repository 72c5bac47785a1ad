// kith locks: who holds what since when, who waits for whom, and deadlocks by name.
#include "kith/inspect/locks.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/place.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr const char* kExamples =
    "  kith locks                        all that have names, and what threads wait for\n"
    "  kith locks --json | jq '.deadlocks[]'\n"
    "  kith locks --json | jq '.locks[] | select(.mutex.holder.state == \"dead\")'\n"
    "\n"
    "A lock inside a region of your own is seen while somebody waits for it, as REGION+OFFSET.\n"
    "A dead holder is in nobody's way: the next one gets the lock, and is told so.\n";
constexpr const char* kExitCodes =
    "  0  the locks could be looked at\n"
    "  1  they could not, or there is a deadlock among them\n";

std::string lock_name(const LockView& lock) {
  return lock.named ? lock.object : fmt::format("{}+{}", lock.object, lock.offset);
}

std::string user_text(const LockUser& user) {
  if (user.pid == 0) return fmt::format("a process unknown here, thread {}", user.thread);
  return fmt::format("{} {}, thread {}", user.program, user.pid, user.thread);
}

LockUser holder_of(const LockView& lock) {
  return {lock.mutex.facts.holder, lock.mutex.facts.thread, lock.mutex.pid, lock.mutex.program};
}

Cell state_of(const LockView& lock) {
  if (lock.state.kind != LockKind::mutex) return lock.state.text;
  const MutexView& mutex = lock.mutex;
  if (mutex.facts.retired) return {"retired", Tone::bad};
  if (mutex.facts.held && mutex.liveness == Liveness::dead) return {"holder dead", Tone::warning};
  if (mutex.facts.inconsistent) {
    return {mutex.facts.held ? "held, inconsistent" : "inconsistent", Tone::warning};
  }
  return {mutex.facts.held ? "held" : "free", mutex.facts.held ? Tone::plain : Tone::quiet};
}

std::string holders_text(const LockState& state) {
  std::string text;
  for (const LockHolder& holder : state.holders) {
    if (!text.empty()) text += "; ";
    text += holder.pid == 0 ? "a process unknown here"
                            : fmt::format("{} {}", holder.program, holder.pid);
    if (holder.liveness == Liveness::dead) text += " (dead)";
  }
  return text;
}

void print_deadlock(const Output& output, const Deadlock& deadlock,
                    const std::vector<LockView>& locks) {
  output.line("");
  output.line("Deadlock: none of these can go on", Tone::bad);
  for (std::size_t i = 0; i < deadlock.users.size(); ++i) {
    const LockView& lock = locks[deadlock.locks[i]];
    output.line(fmt::format("  {} waits for {}, which {} holds",
                            printable(user_text(deadlock.users[i])), printable(lock_name(lock)),
                            printable(user_text(holder_of(lock)))));
  }
}

void print(const Output& output, const std::vector<LockView>& locks) {
  Table table({{"LOCK"}, {"KIND"}, {"STATE"}, {"HOLDER"}, {"WAITED", true}, {"WAITING"}});
  for (const LockView& lock : locks) {
    std::string waiting;
    for (const WaitingUser& one : lock.waiting) {
      waiting += fmt::format("{}{} ({})", waiting.empty() ? "" : "; ", user_text(one.user),
                             span_text(one.waited_ns));
    }
    const std::int64_t waited = lock.mutex.facts.waited_ns;
    table.add({{lock_name(lock), Tone::strong},
               std::string(to_string(lock.state.kind)),
               state_of(lock),
               lock.mutex.facts.held ? user_text(holder_of(lock)) : holders_text(lock.state),
               waited > 0 ? span_text(waited) : "",
               waiting});
  }
  output.table(table);
}

Json json_of(const LockUser& user) {
  return {{"pid", user.pid},
          {"program", user.program},
          {"place", user.id.index},
          {"incarnation", user.id.incarnation},
          {"thread", user.thread}};
}

Json document(const Domain& domain, const std::vector<LockView>& locks,
              const std::vector<Deadlock>& deadlocks) {
  Json document = document_of("locks");
  document["domain"] = domain.path();
  document["locks"] = Json::array();
  for (const LockView& lock : locks) {
    Json json = {{"object", lock.object}, {"kind", to_string(lock.state.kind)}};
    if (lock.state.kind == LockKind::mutex) {
      json["mutex"] = cli::json_of(lock.mutex);
    } else {
      json["lock"] = cli::json_of(lock.state);
    }
    if (!lock.named) json["offset"] = lock.offset;
    json["waiting"] = Json::array();
    for (const WaitingUser& one : lock.waiting) {
      json["waiting"].push_back(json_of(one.user));
      json["waiting"].back()["waited_ns"] = one.waited_ns;
    }
    document["locks"].push_back(std::move(json));
  }
  document["deadlocks"] = Json::array();
  for (const Deadlock& deadlock : deadlocks) {
    Json circle = Json::array();
    for (std::size_t i = 0; i < deadlock.users.size(); ++i) {
      circle.push_back(json_of(deadlock.users[i]));
      circle.back()["waits_for"] = lock_name(locks[deadlock.locks[i]]);
    }
    document["deadlocks"].push_back(std::move(circle));
  }
  return document;
}

int locks_command(const CommonOptions& options) {
  const Output output(options);
  const Domain domain = domain_to_look_at(options.domain);
  const auto locks = list_locks(domain);
  const auto deadlocks = find_deadlocks(locks);
  if (output.json()) {
    output.document(document(domain, locks, deadlocks));
  } else if (locks.empty()) {
    output.line("no locks in " + domain.path());
  } else {
    print(output, locks);
    for (const Deadlock& deadlock : deadlocks) print_deadlock(output, deadlock, locks);
  }
  return deadlocks.empty() ? kFine : kProblem;
}

}  // namespace

void add_locks(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("locks", "list the locks: who holds them, who waits for whom");
  auto options = std::make_shared<CommonOptions>();
  add_domain_option(*command, options->domain);
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback([options, &run] { run = [options] { return locks_command(*options); }; });
}

}  // namespace kith::cli
