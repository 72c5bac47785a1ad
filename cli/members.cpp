// kith members: the processes that share a domain, and the dead among them.
#include "kith/inspect/members.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/place.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr const char* kExamples =
    "  kith members                      who shares your own domain\n"
    "  kith members --json | jq '.members[] | select(.state == \"dead\")'\n"
    "\n"
    "A process is a member while it has a channel or a Member; plain regions need none, and\n"
    "`kith show NAME` lists who maps them. A dead member is one that nobody has reaped yet:\n"
    "whoever joins next does, or `kith clean`.\n";
constexpr const char* kExitCodes =
    "  0  the table could be read; it may be empty\n"
    "  1  it could not; the message says why\n";

std::string attached_text(const MemberView& member) {
  std::string text = fmt::format("{}", fmt::join(member.attached, " "));
  if (member.attached_gone > 0) {
    text += fmt::format("{}{} without a name", text.empty() ? "" : " + ", member.attached_gone);
  }
  return text;
}

Cell state_of(const MemberView& member) {
  Cell cell = state_cell(state_word(member.facts));
  if (member.stopped) cell = Cell("stopped", Tone::warning);
  if (member.facts.liveness == Liveness::dead) cell.text += ", not reaped";
  return cell;
}

int members_command(const CommonOptions& options) {
  const Output output(options);
  const Domain domain = domain_to_look_at(options.domain);
  const auto members = list_members(domain);
  if (output.json()) {
    Json document = document_of("members");
    document["domain"] = domain.path();
    document["members"] = Json::array();
    for (const MemberView& member : members) document["members"].push_back(json_of(member));
    output.document(document);
    return kFine;
  }
  if (members.empty()) {
    output.line("nobody in " + domain.path());
    return kFine;
  }
  Table table({{"PID", true}, {"PROGRAM"}, {"USER"}, {"STATE"}, {"SINCE"}, {"ATTACHED TO"}});
  for (const MemberView& member : members) {
    // A number of another namespace stands for another process here.
    const std::string pid = std::to_string(member.facts.pid) + (member.other_namespace ? "*" : "");
    table.add({pid, member.facts.program, user_name(member.facts.user), state_of(member),
               time_text(member.facts.since_ns), attached_text(member)});
  }
  output.table(table);
  for (const MemberView& member : members) {
    if (!member.other_namespace) continue;
    output.line("* counts in another PID namespace, as of a container", Tone::quiet);
    break;
  }
  return kFine;
}

}  // namespace

void add_members(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("members", "list the processes that share a domain");
  auto options = std::make_shared<CommonOptions>();
  add_domain_option(*command, options->domain);
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback(
      [options, &run] { run = [options] { return members_command(*options); }; });
}

}  // namespace kith::cli
