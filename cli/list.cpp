// kith ls: the objects of a domain, and with --all what else of the kind the machine holds.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "kith/inspect/inspect.hpp"
#include "kith/inspect/processes.hpp"

#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/foreign.hpp"
#include "cli/place.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr const char* kExamples =
    "  kith ls                             the objects of your own domain\n"
    "  kith ls --domain /dev/shm/robot     of another one; `kith domains` lists them\n"
    "  kith ls --all                       also POSIX and System V objects, as ipcs would\n"
    "  kith rm $(kith ls --names)          remove whatever nobody uses\n"
    "  kith ls --json | jq '.objects[] | select(.orphaned) | .name'\n"
    "\n"
    "States:\n"
    "  in use     somebody living is attached\n"
    "  unused     it waits for the next one, as its lifetime says\n"
    "  orphaned   nobody living will end it or let go what it holds: `kith clean` does\n";
constexpr const char* kExitCodes =
    "  0  everything there could be looked at\n"
    "  1  something could not; its line says why\n";

struct Options : CommonOptions {
  bool all = false;
  bool names = false;
};

struct Listing {
  std::vector<ObjectFacts> objects;
  ProcessSurvey survey;
  ForeignListing foreign;
};

std::string channel_text(const LatestFacts& facts) {
  const auto pinned = facts.pinned_held + facts.pinned_vacant + facts.pinned_by_nobody;
  std::string text =
      fmt::format("value {}, {}, {} of {} readers", facts.sequence,
                  facts.has_writer ? "writer" : "no writer", facts.readers_held, facts.readers_max);
  if (facts.guests_held > 0) {
    text += ", " + count_text(facts.guests_held, "guest", "guests");
  }
  if (facts.readers_vacant > 0) text += fmt::format(", {} vacant", facts.readers_vacant);
  if (pinned > 0) text += fmt::format(", {} pinned", pinned);
  return text;
}

// Empty if it is no channel, or may not be read.
std::optional<LatestFacts> books_of(const Domain& domain, const ObjectFacts& object) {
  // To open one that is over would be to remove it, and looking changes nothing.
  if (object.kind != "latest" || object.over) return std::nullopt;
  try {
    return latest_facts(domain, object.name);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string notes_on(const Domain& domain, const ObjectFacts& object) {
  if (!object.problem.empty()) return object.problem;
  std::string text = object.type_name;
  const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (const auto books = books_of(domain, object)) add(channel_text(*books));
  if (object.members_dead > 0) {
    add(count_text(object.members_dead, "dead member", "dead members") + " not reaped");
  }
  return text;
}

// How many processes use it, as far as they can be seen.
std::string users_text(const ObjectFacts& object, const ProcessSurvey& survey) {
  const std::size_t seen = survey.users_of(object.identity).size();
  if (!object.in_use) return seen == 0 ? "-" : std::to_string(seen);
  if (survey.unseen() > 0) return seen == 0 ? "?" : std::to_string(seen) + "+";
  return std::to_string(std::max<std::size_t>(seen, object.members_living));
}

Table table_of(const Domain& domain, const Listing& listing) {
  Table table({{"NAME"},
               {"KIND"},
               {"SIZE", true},
               {"MEMORY", true},
               {"USERS", true},
               {"STATE"},
               {"AGE", true},
               {"CREATOR"},
               {"NOTES"}});
  for (const ObjectFacts& object : listing.objects) {
    if (!object.problem.empty()) {
      table.add({object.name, "?", "", "", "", state_cell(state_word(object)), "", "",
                 notes_on(domain, object)});
      continue;
    }
    const std::string creator = fmt::format("{} {}{}", object.creator_program, object.creator_pid,
                                            object.creator_lives ? "" : " (gone)");
    table.add({{object.name, Tone::strong},
               object.kind,
               size_text(object.size),
               size_text(object.allocated_bytes),
               users_text(object, listing.survey),
               state_cell(state_word(object)),
               age_text(object.created_ns),
               creator,
               notes_on(domain, object)});
  }
  return table;
}

Listing look(const Domain& domain, bool all) {
  Listing listing;
  ProgressLine waiting("kith: looking at processes,");
  listing.objects = list_objects(domain);
  SurveyRequest request;
  for (const ObjectFacts& object : listing.objects) {
    if (object.problem.empty()) request.files.push_back(object.identity);
  }
  request.progress = waiting.progress();
  listing.survey = ProcessSurvey::of(request);
  if (all) listing.foreign = list_foreign(waiting.progress());
  return listing;
}

Json json_of_listing(const Domain& domain, const Listing& listing, bool all) {
  Json document = document_of("ls");
  document["domain"] = domain.path();
  document["exists"] = domain.exists();
  document["objects"] = Json::array();
  for (const ObjectFacts& object : listing.objects) {
    Json json = json_of(object);
    if (object.problem.empty()) {
      if (const auto books = books_of(domain, object)) json["latest"] = json_of(*books);
      json["processes"] = json_of(listing.survey.users_of(object.identity));
    }
    document["objects"].push_back(std::move(json));
  }
  document["processes_unseen"] = listing.survey.unseen();
  if (!all) return document;
  document["foreign"] = Json::array();
  for (const ForeignFacts& object : listing.foreign.objects) {
    document["foreign"].push_back(json_of(object));
  }
  document["unseen"] = listing.foreign.unseen;
  document["processes_unseen"] = listing.foreign.processes_unseen;
  return document;
}

void print_names(const Output& output, const Domain& domain, bool all) {
  for (const std::string& name : domain.names()) output.line(name);
  if (!all) return;
  for (const ForeignFacts& object : list_foreign().objects) output.line(foreign_name(object.id));
}

void print(const Output& output, const Domain& domain, const Listing& listing, bool all) {
  if (all) output.heading("Domain " + domain.path());
  if (listing.objects.empty()) {
    output.line(fmt::format("{} {}", domain.exists() ? "nothing in" : "there is no domain at",
                            domain.path()));
  } else {
    output.table(table_of(domain, listing));
  }
  if (all) print_foreign(output, listing.foreign);
  const auto unseen = std::max(listing.survey.unseen(), listing.foreign.processes_unseen);
  if (all || !listing.objects.empty()) print_unseen(output, unseen);
}

int list_command(const Options& options) {
  const Output output(options);
  const Domain domain = domain_to_look_at(options.domain);
  if (options.names) {
    print_names(output, domain, options.all);
    return kFine;
  }
  const Listing listing = look(domain, options.all);
  if (output.json()) {
    output.document(json_of_listing(domain, listing, options.all));
  } else {
    print(output, domain, listing, options.all);
  }
  const bool problem =
      std::any_of(listing.objects.begin(), listing.objects.end(),
                  [](const ObjectFacts& object) { return !object.problem.empty(); });
  return problem ? kProblem : kFine;
}

}  // namespace

void add_list(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("ls", "list the objects of a domain");
  auto options = std::make_shared<Options>();
  command->add_flag("--all", options->all,
                    "also POSIX and System V shared memory, semaphores and message queues");
  command->add_flag("--names", options->names, "only the names, one a line");
  add_domain_option(*command, options->domain);
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback([options, &run] {
    if (options->names && options->json) {
      throw CLI::ValidationError("--names and --json: one of them; the document has the names");
    }
    run = [options] { return list_command(*options); };
  });
}

}  // namespace kith::cli
