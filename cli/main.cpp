// kith: the command. Its options; what they do stands in the other files.
#include <CLI/CLI.hpp>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "cli/commands.hpp"
#include "cli/mesh/options.hpp"
#include "cli/mesh/participant.hpp"
#include "cli/mesh/supervisor.hpp"
#include "cli/place.hpp"

namespace {

using namespace kith;

constexpr const char* kDomainHelp =
    "directory that holds the objects [default: KITH_DOMAIN, else the user's own in /dev/shm]";

// What to run once the arguments are known to make sense.
using Command = std::function<int()>;

struct MeshArguments {
  mesh::Options options;
  std::string pause;
  double seconds = 0;
  std::int64_t chaos_ms = 0;
  std::uint32_t only = 0;
};

// Throws CLI::ValidationError where the options do not fit together.
mesh::Options finished(const MeshArguments& arguments, const CLI::App& app) {
  mesh::Options options = arguments.options;
  try {
    if (app.count("--seconds") > 0) options.seconds.emplace(arguments.seconds);
    if (app.count("--chaos") > 0) options.chaos.emplace(arguments.chaos_ms);
    if (app.count("--only") > 0) options.only = arguments.only;
    if (options.chaos) options.pause = mesh::kBusyPause;
    if (app.count("--pause") > 0) options.pause = mesh::parse_pause(arguments.pause);
    check(options);
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError(error.what());
  }
  return options;
}

void add_mesh(CLI::App& app, Command& command) {
  auto* mesh = app.add_subcommand(
      "mesh", "N processes publish their newest values to each other; kill any of them");
  auto arguments = std::make_shared<MeshArguments>();
  auto& options = arguments->options;
  mesh->add_option("N", options.processes, "number of processes, 2 to 1000")->required();
  mesh->add_option("--seconds", arguments->seconds, "end after so long, counted from when all run")
      ->check(CLI::Range(0.0, 1e9));
  mesh->add_option("--chaos", arguments->chaos_ms,
                   "kill a random process about every so many milliseconds, and start it again")
      ->check(CLI::Range(1, 1'000'000'000));
  mesh->add_option("--size", options.size, "bytes of a value, 8 to 64MiB [8]")
      ->transform(CLI::AsSizeValue(false));
  mesh->add_option("--pause", arguments->pause,
                   "milliseconds between two rounds, MIN..MAX [300..1000, with --chaos 0..5]");
  mesh->add_option("--domain", options.domain, kDomainHelp);
  mesh->add_option("--only", arguments->only,
                   "run just this process, in this terminal; start the others in theirs");
  mesh->add_flag("--quiet", options.quiet, "no line for each read and write");
  // How the supervisor starts its processes; nobody else's business.
  mesh->add_option("--supervised-by", options.supervisor)->group("");
  mesh->final_callback([mesh, arguments, &command] {
    const auto final_options = finished(*arguments, *mesh);
    command = [final_options] {
      return final_options.only ? mesh::run_participant(final_options)
                                : mesh::run_supervisor(final_options);
    };
  });
}

void add_list(CLI::App& app, Command& command) {
  auto* list = app.add_subcommand("ls", "list the objects of a domain");
  auto domain = std::make_shared<std::string>();
  list->add_option("--domain", *domain, kDomainHelp);
  list->final_callback([domain, &command] {
    command = [domain] { return cli::list_command(cli::domain_at(*domain)); };
  });
}

void add_remove(CLI::App& app, Command& command) {
  struct Arguments {
    std::string domain;
    std::vector<std::string> names;
    bool force = false;
  };
  auto* remove = app.add_subcommand("rm", "remove objects that nobody uses");
  auto arguments = std::make_shared<Arguments>();
  remove->add_option("NAME", arguments->names, "the objects")->required();
  remove->add_flag("--force", arguments->force,
                   "also those in use: their users keep the memory and are told");
  remove->add_option("--domain", arguments->domain, kDomainHelp);
  remove->final_callback([arguments, &command] {
    command = [arguments] {
      return cli::remove_command(cli::domain_at(arguments->domain), arguments->names,
                                 arguments->force);
    };
  });
}

void add_clean(CLI::App& app, Command& command) {
  struct Arguments {
    std::string domain;
    bool roles = false;
  };
  auto* clean = app.add_subcommand("clean", "give back what dead processes held in a domain");
  auto arguments = std::make_shared<Arguments>();
  clean->add_flag("--roles", arguments->roles,
                  "also named roles that wait for their holders, with the values they keep");
  clean->add_option("--domain", arguments->domain, kDomainHelp);
  clean->final_callback([arguments, &command] {
    command = [arguments] {
      return cli::clean_command(cli::domain_at(arguments->domain), arguments->roles);
    };
  });
}

// Files opened later must not become standard output because that was closed.
void open_standard_files() {
  int opened = 0;
  while (opened >= 0 && opened <= STDERR_FILENO) opened = ::open("/dev/null", O_RDWR);
  if (opened > STDERR_FILENO) ::close(opened);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_files();
  CLI::App app("Shared memory between processes that survives the death of any of them.", "kith");
  app.set_version_flag("--version", "kith " KITH_VERSION);
  app.require_subcommand(1);
  Command command;
  add_mesh(app, command);
  add_list(app, command);
  add_remove(app, command);
  add_clean(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kFine : cli::kUsage;
  }
  try {
    return command();
  } catch (const std::exception& error) {
    cli::complain(error.what());
  }
  return cli::kProblem;
}
