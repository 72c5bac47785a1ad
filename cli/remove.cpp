// kith rm: removes objects, ours and foreign, that nobody uses.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "kith/inspect/foreign.hpp"
#include "kith/region/region.hpp"

#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/place.hpp"
#include "cli/text.hpp"

namespace kith::cli {
namespace {

constexpr const char* kExamples =
    "  kith rm pose settings             objects of your own domain, unless somebody uses them\n"
    "  kith rm --force pose              also then: its users keep the memory and are told\n"
    "  kith rm posix:/cache sysv:shm:12  what kith did not make, as ipcrm and rm would, unless\n"
    "                                    somebody maps or attaches it, sleeps on it, or messages\n"
    "                                    in it were never received\n";
constexpr const char* kExitCodes =
    "  0  all of them are removed\n"
    "  1  some are not, for several reasons or another one than these\n"
    "  3  none of that name is there\n"
    "  4  somebody uses it, and --force was not given\n";

struct Options : CommonOptions {
  std::vector<std::string> names;
  bool force = false;
};

struct Result {
  std::string name;
  int code = kFine;
  std::string word = "removed";
};

class Remover {
 public:
  Remover(const Output& output, const Options& options)
      : output_(output), options_(options), force_(options.force ? Force::yes : Force::no) {}

  Result remove(const std::string& name) {
    try {
      if (const auto id = parse_foreign_name(name)) return remove_foreign_object(name, *id);
      return remove_own(name);
    } catch (const Error& error) {
      output_.complain(Complaint(error));
      return {name, exit_code_of(error), word_of(error.errc())};
    }
  }

 private:
  Result remove_foreign_object(const std::string& name, const ForeignId& id) {
    ProgressLine waiting("kith: looking at processes,");
    const ForeignRemoval removal = kith::remove_foreign(id, force_, waiting.progress());
    if (removal.answer == Removal::removed && !removal.why.empty() && !options_.force) {
      complain_of_unknown(name, removal.why);
    }
    return answer(name, removal.answer, "", removal.why + "; end that, or use --force");
  }

  Result remove_own(const std::string& name) {
    const Domain domain = domain_at(options_.domain);
    const Removal removal = remove_object(domain, object_name(name), force_);
    return answer(name, removal, " in " + domain.path(),
                  "somebody uses it; end that, or use --force, which leaves its users their memory "
                  "and lets them find out that it is orphaned");
  }

  // No failure: a remark about how much the removal could look at.
  void complain_of_unknown(const std::string& name, const std::string& why) {
    output_.complain({"unseen", fmt::format("object '{}': nobody was seen to use it, but {}",
                                            printable(name), why)});
  }

  Result answer(const std::string& name, Removal removal, const std::string& where,
                const std::string& in_use) {
    const std::string object = fmt::format("object '{}'{}", printable(name), where);
    switch (removal) {
      case Removal::removed:
        if (!output_.json()) output_.line("removed " + name);
        return {name};
      case Removal::not_found:
        output_.complain({"not_found", object + ": there is none; see `kith ls --all`"});
        return {name, kNotFound, "not_found"};
      case Removal::in_use:
        break;
    }
    output_.complain({"in_use", object + ": " + in_use});
    return {name, kInUse, "in_use"};
  }

  const Output& output_;
  const Options& options_;
  Force force_;
};

int remove_command(const Options& options) {
  const Output output(options);
  Remover remover(output, options);
  int code = kFine;
  Json document = document_of("rm");
  document["results"] = Json::array();
  for (const std::string& name : options.names) {
    const Result result = remover.remove(name);
    code = both(code, result.code);
    document["results"].push_back({{"name", name}, {"result", result.word}});
  }
  if (output.json()) output.document(document);
  return code;
}

}  // namespace

void add_remove(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("rm", "remove objects that nobody uses");
  auto options = std::make_shared<Options>();
  command
      ->add_option("NAME", options->names, "the objects; foreign ones as `kith ls --all` has them")
      ->required();
  command->add_flag("--force", options->force,
                    "also those in use: their users keep the memory and are told");
  add_domain_option(*command, options->domain);
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback(
      [options, &run] { run = [options] { return remove_command(*options); }; });
}

}  // namespace kith::cli
