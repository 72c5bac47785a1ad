#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace kith::cli {

void add_domain_option(CLI::App& command, std::string& domain) {
  command.add_option("--domain", domain, kDomainHelp)->type_name("DIR");
}

void add_common_options(CLI::App& command, CommonOptions& options) {
  command.add_flag("--json", options.json, "one JSON document instead of text");
  command
      .add_option("--color", options.colour,
                  "auto (at a terminal, unless NO_COLOR is set), always or never")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}).description(""));
}

void add_examples(CLI::App& command, const std::string& examples, const std::string& exit_codes) {
  command.footer("Examples:\n" + examples + "\nExit codes:\n" + exit_codes);
}

}  // namespace kith::cli
