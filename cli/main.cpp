// kith: the command. Which commands there are; what each does stands in a file of its name.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/place.hpp"

namespace {

using namespace kith;

constexpr const char* kFooter =
    "Examples:\n"
    "  kith domains                 where there is shared memory of kith, and whose\n"
    "  kith ls                      what is in your own domain\n"
    "  kith show pose               one object closely: who writes, who reads, who maps it\n"
    "  kith ls --all                also what kith did not make: POSIX, System V\n"
    "  kith mesh 3                  see it work\n"
    "\n"
    "`kith COMMAND --help` has more of them. Without --domain a command works in the domain that\n"
    "KITH_DOMAIN names, else in /dev/shm/kith-UID. Every look is without effect on what it sees.\n"
    "\n"
    "Exit codes:\n"
    "  0  all is well\n"
    "  1  something was refused or was not as it must be; a message on standard error says what\n"
    "  2  the arguments make no sense\n"
    "  3  there is nothing of that name\n"
    "  4  somebody uses it\n";

// Files opened later must not become standard output because that was closed.
void open_standard_files() {
  int opened = 0;
  while (opened >= 0 && opened <= STDERR_FILENO) opened = ::open("/dev/null", O_RDWR);
  if (opened > STDERR_FILENO) ::close(opened);
}

void add_all(CLI::App& app, cli::Run& run) {
  cli::add_list(app, run);
  cli::add_show(app, run);
  cli::add_members(app, run);
  cli::add_locks(app, run);
  cli::add_domains(app, run);
  cli::add_remove(app, run);
  cli::add_clean(app, run);
  cli::add_mesh(app, run);
  cli::add_demo(app, run);
}

// An answer that could not be written is none: a full disk, a reader that went away.
int flushed(int code, bool json) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  cli::complain({"system", std::string("writing the answer failed: ") + std::strerror(errno)},
                json);
  return cli::kProblem;
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_files();
  // Also where the arguments cannot be understood.
  const bool json = std::any_of(argv + std::min(argc, 1), argv + argc,
                                [](std::string_view word) { return word == "--json"; });
  CLI::App app("Shared memory between processes that survives the death of any of them.", "kith");
  app.set_version_flag("--version", "kith " KITH_VERSION, "print the version");
  app.require_subcommand(1);
  app.footer(kFooter);
  cli::Run run;
  add_all(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (!json || error.get_exit_code() == 0) return app.exit(error) == 0 ? cli::kFine : cli::kUsage;
    cli::complain({"usage", error.what()}, json);
    return cli::kUsage;
  }
  try {
    return flushed(run(), json);
  } catch (const Error& error) {
    cli::complain(cli::Complaint(error), json);
    return cli::exit_code_of(error);
  } catch (const std::exception& error) {
    cli::complain({"system", error.what()}, json);
  }
  return cli::kProblem;
}
