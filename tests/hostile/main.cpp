// kith_hostile: hostile bytes, as a table for people and as rows for machines.
//
//   kith_hostile [--json FILE] [--long]        what ./prove.sh runs
//   kith_hostile --target flips --seconds 600 --seed 7      one target alone, or --runs N
//   kith_hostile --target operations FILE|DIRECTORY ...     these inputs alone, text or bytes
//   kith_hostile --write-seeds DIRECTORY       a corpus for libFuzzer, of all seeds or of the
//                                              inputs that are named after it
//   kith_hostile --list                        a line for each proof and subject there is
//
// Exits with 0 only if every row tried something and nothing failed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/hostile/driver.hpp"
#include "tests/hostile/seeds.hpp"

namespace kith::hostile {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSeedsSubject = "one field wrong";

struct Options {
  bool for_long = false;
  bool list = false;
  std::string json;
  std::string only;
  std::string target;
  std::string write_seeds;
  std::uint64_t seed = 1;
  Limit limit;
  std::vector<std::string> inputs;
};

std::string bytes_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Text begins with what it is about, or with a remark.
Script script_in(const fs::path& path) {
  const std::string content = bytes_in(path);
  if (content.starts_with("kind ") || content.starts_with("#")) return script_from_text(content);
  return script_from({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
}

std::vector<Script> scripts_in(const std::vector<std::string>& places) {
  std::vector<fs::path> files;
  for (const std::string& place : places) {
    if (!fs::is_directory(place)) {
      files.emplace_back(place);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<Script> scripts;
  for (const fs::path& file : files) scripts.push_back(script_in(file));
  return scripts;
}

std::vector<Script> all_seeds(const World& world) {
  std::vector<Script> seeds;
  for (std::uint8_t kind = 0; kind < kKinds; ++kind) {
    auto some = seeds_of(world, static_cast<Kind>(kind));
    std::move(some.begin(), some.end(), std::back_inserter(seeds));
  }
  return seeds;
}

std::vector<Target> targets_of(const Options& options) {
  std::vector<Target> targets;
  for (const Target target : kTargets) {
    if (options.target.empty() || options.target == name_of(target)) targets.push_back(target);
  }
  if (targets.empty()) throw std::runtime_error("no target is called " + options.target);
  return targets;
}

std::string subject_of(Target target) {
  switch (target) {
    case Target::operations:
      return "bytes changed between operations";
    case Target::flips:
      return "bytes changed while operations run";
    case Target::truncation:
      return "files cut short, guarded";
    case Target::sealed:
      break;
  }
  return "sealed memories cut short, unguarded";
}

// What a run of this target must have seen to have tried anything.
bool has_tried(Target target, const Books& books) {
  const bool both_ways = books.steps > books.refusals && books.refusals > 0;
  const bool read = target == Target::sealed || books.values > 0;
  const bool cut = target == Target::operations || target == Target::flips || books.cuts > 0;
  return both_ways && read && cut;
}

void report(const Result& result) {
  std::cout << result.subject << "\n  " << result.tried << " executions, " << result.failed
            << " failed: " << result.detail << '\n';
  for (const Finding& finding : result.findings) {
    std::cout << "\n# " << finding.how << '\n' << finding.text;
  }
}

// In the short form 40 s in all, beside the seeds.
Limit limit_of(const Options& options, Target target) {
  if (options.limit.runs != 0 || options.limit.seconds > 0) return options.limit;
  // What is watched is slow.
  const double share = target == Target::sealed ? 0.1 : target == Target::flips ? 0.4 : 0.25;
  return {.runs = 0, .seconds = share * (options.for_long ? 3600 : 30)};
}

class Proof {
 public:
  explicit Proof(const Options& options) : options_(options) {}

  int run() {
    for (const Target target : targets_of(options_)) {
      Stage stage(target);
      if (!options_.inputs.empty()) {
        const std::vector<Script> inputs = scripts_in(options_.inputs);
        take(run_all("inputs", stage, each_of(inputs)), true);
        continue;
      }
      const std::vector<Script> seeds = all_seeds(stage.world());
      if (target == Target::operations && is_wanted(kSeedsSubject)) {
        const Result result = run_all(kSeedsSubject, stage, each_of(seeds));
        take(result, has_tried(target, result.books));
      }
      if (!is_wanted(subject_of(target))) continue;
      const Result result = run_all(
          subject_of(target), stage,
          mutations_of(seeds, stage.world(), target, options_.seed, limit_of(options_, target)));
      take(result, has_tried(target, result.books));
    }
    if (!options_.json.empty()) write_json();
    return fine_ ? 0 : 1;
  }

 private:
  [[nodiscard]] bool is_wanted(const std::string& subject) const {
    return subject.find(options_.only) != std::string::npos;
  }
  void take(const Result& result, bool tried) {
    report(result);
    std::string detail = result.detail + ", seed " + std::to_string(options_.seed);
    if (!tried) detail += "; broken: nothing went through, or nothing was refused";
    fine_ = fine_ && result.fine() && tried;
    rows_.push_back({{"proof", "hostile"},
                     {"subject", result.subject},
                     {"tried", result.tried},
                     {"failed", tried ? result.failed : std::max<std::uint64_t>(result.failed, 1)},
                     {"detail", detail}});
  }
  void write_json() const {
    std::ofstream out(options_.json);
    out << rows_.dump(2) << '\n';
    if (!out.flush()) throw std::runtime_error("cannot write " + options_.json);
  }

  const Options& options_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
  bool fine_ = true;
};

int list() {
  std::cout << "hostile\t" << kSeedsSubject << '\n';
  for (const Target target : kTargets) std::cout << "hostile\t" << subject_of(target) << '\n';
  return 0;
}

int write_seeds(const std::string& directory, const std::vector<std::string>& inputs) {
  fs::create_directories(directory);
  const World world;
  const std::vector<Script> seeds = inputs.empty() ? all_seeds(world) : scripts_in(inputs);
  std::size_t number = 0;
  for (const Script& seed : seeds) {
    const std::vector<std::uint8_t> bytes = bytes_of(seed);
    std::ofstream file(fs::path(directory) / std::to_string(number++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) throw std::runtime_error("cannot write to " + directory);
  }
  std::cout << number << " seeds\n";
  return 0;
}

}  // namespace
}  // namespace kith::hostile

int main(int count, char** arguments) {
  CLI::App app("Gives kith's operations bytes that lie, and sees whether they believe them");
  kith::hostile::Options options;
  app.add_flag("--long", options.for_long, "an hour");
  app.add_flag("--list", options.list, "a line for each proof and subject; nothing is tried");
  app.add_option("--json", options.json, "write rows to this file");
  app.add_option("--only", options.only, "subjects whose name contains this");
  app.add_option("--target", options.target, "operations, flips, truncation or sealed");
  app.add_option("--seconds", options.limit.seconds, "for each target");
  app.add_option("--runs", options.limit.runs, "for each target");
  app.add_option("--seed", options.seed, "of the mutations");
  app.add_option("--write-seeds", options.write_seeds, "write the seeds into this folder");
  app.add_option("inputs", options.inputs, "files or folders of inputs to run, and no others");
  CLI11_PARSE(app, count, arguments);
  try {
    if (options.list) return kith::hostile::list();
    if (!options.write_seeds.empty()) {
      return kith::hostile::write_seeds(options.write_seeds, options.inputs);
    }
    return kith::hostile::Proof(options).run();
  } catch (const std::exception& error) {
    std::cerr << "kith_hostile: " << error.what() << '\n';
    return 1;
  }
}
