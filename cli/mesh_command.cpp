// kith mesh: its options; what it does stands in cli/mesh.
#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "cli/commands.hpp"
#include "cli/mesh/options.hpp"
#include "cli/mesh/participant.hpp"
#include "cli/mesh/say.hpp"
#include "cli/mesh/supervisor.hpp"

namespace kith::cli {
namespace {

constexpr const char* kExamples =
    "  kith mesh 3                       type 1 to kill process 1, again to start it, q to end\n"
    "  kith mesh 5 --chaos 20 --seconds 60 --quiet\n"
    "                                    a random kill every 20 ms for a minute\n"
    "  kith mesh 2 --only 0              in one terminal, and --only 1 in another\n";
constexpr const char* kExitCodes =
    "  0  every value was whole, none came out of order, nothing leaked\n"
    "  1  something was not so, or the mesh could not begin\n"
    "  4  another mesh runs in that domain\n";

struct Arguments {
  mesh::Options options;
  std::string pause;
  double seconds = 0;
  std::int64_t chaos_ms = 0;
  std::uint32_t only = 0;
};

// Throws CLI::ValidationError where the options do not fit together.
mesh::Options finished(const Arguments& arguments, const CLI::App& command) {
  mesh::Options options = arguments.options;
  try {
    if (command.count("--seconds") > 0) options.seconds.emplace(arguments.seconds);
    if (command.count("--chaos") > 0) options.chaos.emplace(arguments.chaos_ms);
    if (command.count("--only") > 0) options.only = arguments.only;
    if (options.chaos) options.pause = mesh::kBusyPause;
    if (command.count("--pause") > 0) options.pause = mesh::parse_pause(arguments.pause);
    check(options);
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError(error.what());
  }
  return options;
}

}  // namespace

void add_mesh(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand(
      "mesh", "N processes publish their newest values to each other; kill any of them");
  auto arguments = std::make_shared<Arguments>();
  auto& options = arguments->options;
  command->add_option("N", options.processes, "number of processes, 2 to 1000")->required();
  command
      ->add_option("--seconds", arguments->seconds, "end after so long, counted from when all run")
      ->check(CLI::Range(0.0, 1e9));
  command
      ->add_option("--chaos", arguments->chaos_ms,
                   "kill a random process about every so many milliseconds, and start it again")
      ->check(CLI::Range(1, 1'000'000'000));
  command->add_option("--size", options.size, "bytes of a value, 8 to 64MiB [8]")
      ->transform(CLI::AsSizeValue(false));
  command->add_option("--pause", arguments->pause,
                      "milliseconds between two rounds, MIN..MAX [300..1000, with --chaos 0..5]");
  add_domain_option(*command, options.domain);
  command->add_option("--only", arguments->only,
                      "run just this process, in this terminal; start the others in theirs");
  command->add_flag("--quiet", options.quiet, "no line for each read and write");
  command->add_flag("--json", options.json,
                    "the summary as a JSON document; lines go to standard error");
  // How the supervisor starts its processes; nobody else's business.
  command->add_option("--supervised-by", options.supervisor)->group("");
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback([command, arguments, &run] {
    const auto final_options = finished(*arguments, *command);
    run = [final_options] {
      if (final_options.json) mesh::say_on_standard_error();
      return final_options.only ? mesh::run_participant(final_options)
                                : mesh::run_supervisor(final_options);
    };
  });
}

}  // namespace kith::cli
