// kith clean: gives back what the dead held in a domain.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

#include "kith/inspect/inspect.hpp"
#include "kith/inspect/members.hpp"

#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/place.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr const char* kExamples =
    "  kith clean                        give back what dead processes held, in your own domain\n"
    "  kith clean --roles                also end named roles that wait for their holders\n"
    "\n"
    "The living notice nothing. Nothing here needs it: whoever joins a domain cleans up as well.\n";
constexpr const char* kExitCodes =
    "  0  nothing of the dead is left\n"
    "  1  something may not be opened by this user; the message says what\n";

struct Options : CommonOptions {
  bool roles = false;
};

// The dead that are still in the table: who they were, and what they hold.
std::vector<MemberView> unreaped_in(const Domain& domain) {
  std::vector<MemberView> dead;
  for (MemberView& member : list_members(domain)) {
    if (member.facts.liveness == Liveness::dead) dead.push_back(std::move(member));
  }
  return dead;
}

std::string describe(const MemberView& member) {
  return fmt::format(
      "{}, process {}, is dead and holds something that may not be opened here ({}); "
      "clean as its owner or as root",
      member.facts.program, member.facts.pid,
      member.attached.empty() ? "of no name" : fmt::format("{}", fmt::join(member.attached, ", ")));
}

int clean_command(const Options& options) {
  const Output output(options);
  const Domain domain = domain_at(options.domain);
  CleanSummary summary;
  {
    ProgressLine waiting("kith: cleaning, objects:");
    summary =
        clean_domain(domain, options.roles ? Roles::drop_vacant : Roles::keep, waiting.progress());
  }
  std::vector<MemberView> unreaped;
  if (summary.members_unreaped > 0) unreaped = unreaped_in(domain);
  if (output.json()) {
    Json document = document_of("clean");
    document["domain"] = domain.path();
    document["members_reaped"] = summary.members_reaped;
    document["members_unreaped"] = summary.members_unreaped;
    document["objects_removed"] = summary.objects_removed;
    document["roles_dropped"] = summary.roles_dropped;
    document["unreaped"] = Json::array();
    for (const MemberView& member : unreaped) document["unreaped"].push_back(json_of(member));
    document["refused"] = summary.refused;
    output.document(document);
  } else {
    output.line(fmt::format("dead members reaped: {}", summary.members_reaped));
    output.line(fmt::format("objects removed:     {}", summary.objects_removed));
    if (options.roles) output.line(fmt::format("roles given up:      {}", summary.roles_dropped));
  }
  for (const MemberView& member : unreaped) output.complain({"unreaped", describe(member)});
  for (const std::string& refused : summary.refused) output.complain({"refused", refused});
  return summary.members_unreaped == 0 && summary.refused.empty() ? kFine : kProblem;
}

}  // namespace

void add_clean(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("clean", "give back what dead processes held in a domain");
  auto options = std::make_shared<Options>();
  command->add_flag("--roles", options->roles,
                    "also named roles that wait for their holders, with the values they keep");
  add_domain_option(*command, options->domain);
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback([options, &run] { run = [options] { return clean_command(*options); }; });
}

}  // namespace kith::cli
