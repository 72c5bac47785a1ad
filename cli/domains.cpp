// kith domains: every domain of this machine that can be seen.
#include "kith/inspect/domains.hpp"

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
    "  kith domains                      which there are, whose they are, who lives in them\n"
    "  kith domains --json | jq -r '.domains[] | select(.orphaned).path'\n";
constexpr const char* kExitCodes =
    "  0  the list is whole as far as this user may look\n"
    "  1  a domain could not be looked at; its line says why\n";

std::string members_text(const DomainFacts& domain) {
  if (domain.members_dead == 0) return std::to_string(domain.members_living);
  return fmt::format("{} + {} dead", domain.members_living, domain.members_dead);
}

std::string notes_on(const DomainFacts& domain) {
  if (!domain.problem.empty()) return domain.problem;
  return domain.orphaned ? "kith clean --domain " + domain.path : "";
}

Table table_of(const std::vector<DomainFacts>& domains) {
  Table table({{"DOMAIN"},
               {"OWNER"},
               {"RIGHTS"},
               {"OBJECTS", true},
               {"MEMBERS", true},
               {"MEMORY", true},
               {"STATE"},
               {"NOTES"}});
  for (const DomainFacts& domain : domains) {
    const bool known = domain.problem.empty();
    table.add({domain.path, user_name(domain.owner) + ":" + group_name(domain.group),
               rights_text(domain.permissions), known ? std::to_string(domain.objects) : "",
               known ? members_text(domain) : "", known ? size_text(domain.allocated_bytes) : "",
               state_cell(state_word(domain)), notes_on(domain)});
  }
  return table;
}

int domains_command(const CommonOptions& options) {
  const Output output(options);
  ProgressLine waiting("kith: looking for domains, directories:");
  const DomainListing listing = list_domains(waiting.progress());
  bool fine = true;
  for (const DomainFacts& domain : listing.domains) fine = fine && domain.problem.empty();
  if (output.json()) {
    Json document = document_of("domains");
    document["domains"] = Json::array();
    for (const DomainFacts& domain : listing.domains)
      document["domains"].push_back(json_of(domain));
    document["unseen"] = listing.unseen;
    output.document(document);
    return fine ? kFine : kProblem;
  }
  if (listing.domains.empty()) {
    output.line("no domain on this machine that could be seen");
  } else {
    output.table(table_of(listing.domains));
  }
  if (!listing.unseen.empty()) {
    const std::string more =
        listing.unseen.size() == 1 ? "" : fmt::format(", and {} more", listing.unseen.size() - 1);
    output.line("not looked into: " + listing.unseen.front() + more, Tone::quiet);
  }
  return fine ? kFine : kProblem;
}

}  // namespace

void add_domains(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("domains", "list the domains of this machine");
  auto options = std::make_shared<CommonOptions>();
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback(
      [options, &run] { run = [options] { return domains_command(*options); }; });
}

}  // namespace kith::cli
