// The commands, one file each: add_X() puts its options into the command line and its work into
// `run`, which answers with the exit status and throws Error.
#pragma once

#include <functional>
#include <string>

#include "cli/output.hpp"

namespace CLI {
class App;
}

namespace kith::cli {

// What the arguments asked for; called once they are known to make sense.
using Run = std::function<int()>;

void add_domains(CLI::App& app, Run& run);
void add_list(CLI::App& app, Run& run);
void add_show(CLI::App& app, Run& run);
void add_locks(CLI::App& app, Run& run);
void add_members(CLI::App& app, Run& run);
void add_remove(CLI::App& app, Run& run);
void add_clean(CLI::App& app, Run& run);
void add_demo(CLI::App& app, Run& run);
void add_mesh(CLI::App& app, Run& run);

// What the commands share of their help and options; see options.cpp.
inline constexpr const char* kDomainHelp =
    "directory that holds the objects [default: KITH_DOMAIN, else the user's own in /dev/shm]";
void add_domain_option(CLI::App& command, std::string& domain);
void add_common_options(CLI::App& command, CommonOptions& options);
// Ends the help of a command: examples, one a line, and the exit codes that it has.
void add_examples(CLI::App& command, const std::string& examples, const std::string& exit_codes);

}  // namespace kith::cli
