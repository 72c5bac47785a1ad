// kith_explore [--json FILE] [--long] [--only TEXT] [--replay CHOICES]: every algorithm's model
// through every interleaving and death within its bounds, then the mutants of its code.
// kith_explore --list: a line for each proof and subject there is, and nothing is tried.
//
// explore   the models, on the code that ships
// mutate    the same code with one place changed at a time: the models must find it, or the source
//           says why it makes no difference
//
// Exits with 0 only if every row tried something and nothing failed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fmt/core.h>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "testkit/explore/mutation.hpp"
#include "tests/explore/subjects.hpp"

namespace kith::explored {
namespace {

struct Options {
  bool everything = false;
  bool list = false;
  std::string json;
  std::string only;
  std::string replay;
};

struct Row {
  std::string proof;
  std::string subject;
  std::uint64_t tried = 0;
  std::uint64_t failed = 0;
  std::string detail;
};

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

Row explore_one(const Subject& subject, const Options& options) {
  explore::Bounds bounds = subject.bounds;
  bounds.replay = options.replay;
  const Stopwatch watch;
  const explore::Result result = subject.run(bounds);
  fmt::print("{:<64} {:5.1f} s  {}\n", subject.name, watch.seconds(), result.detail);
  if (!result.failure.empty()) fmt::print("FAILED: {}\n", result.failure);
  std::fflush(stdout);
  // What was to be exhausted and was not proves less than it says.
  const bool fine = result.fine() && (result.exhausted || bounds.random_runs > 0);
  return {"explore", subject.name, result.runs, fine ? 0u : 1u, result.detail};
}

struct Score {
  std::uint64_t found = 0;
  std::uint64_t equivalent = 0;
  std::uint64_t unseen = 0;
  std::uint64_t survive = 0;

  [[nodiscard]] std::uint64_t all() const { return found + equivalent + unseen + survive; }
};

// In the brief form, of the models that look whether a mutant with a reason is found all the same.
constexpr std::uint64_t kAccessesExcused = 2'000'000;

void judge(const std::vector<Subject>& subjects, const explore::Mutant& mutant, bool everything,
           Score& score) {
  const bool excused = !why_equivalent(mutant).empty() || !why_unseen(mutant).empty();
  const explore::Mutated applied(mutant);
  std::uint64_t accesses = 0;
  bool tried_all = true;
  for (const Subject& subject : subjects) {
    // The costly ones are for what others do not find; that a reason is true, they try at night.
    const bool costly = !subject.in_brief || accesses > kAccessesExcused;
    if (excused && costly && !everything) {
      tried_all = false;
      continue;
    }
    const explore::Result result = subject.run(subject.bounds);
    accesses += result.accesses;
    if (result.failure.empty()) continue;
    ++score.found;
    if (!excused) return;
    ++score.survive;  // so that the row fails
    fmt::print("FOUND IN SPITE OF A REASON: {}: by `{}`\n", to_string(mutant), subject.name);
    return;
  }
  if (applied.uses() == 0 && tried_all) return;
  if (!why_equivalent(mutant).empty()) {
    ++score.equivalent;
    return;
  }
  if (!why_unseen(mutant).empty()) {
    ++score.unseen;
    return;
  }
  ++score.survive;
  fmt::print("SURVIVES: {}\n", to_string(mutant));
}

Row mutate_one(const MutationTarget& target, bool everything) {
  const Stopwatch watch;
  bool sound = true;
  std::vector<std::pair<std::uint64_t, Subject>> by_cost;
  const auto mutants = explore::mutants_of(
      [&] {
        for (const Subject& subject : target.subjects) {
          const explore::Result result = subject.run(subject.bounds);
          sound = result.fine() && sound;
          by_cost.emplace_back(result.accesses, subject);
        }
      },
      target.file, target.through);
  // Where the code as it ships fails, every mutant would be found.
  if (!sound) return {"mutate", target.name, 0, 1, "a model fails without any mutant"};
  std::stable_sort(by_cost.begin(), by_cost.end(), [](const auto& one, const auto& other) {
    return std::pair(!one.second.in_brief, one.first) <
           std::pair(!other.second.in_brief, other.first);
  });
  std::vector<Subject> cheapest_first;
  for (const auto& [accesses, subject] : by_cost) cheapest_first.push_back(subject);
  Score score;
  for (const explore::Mutant& mutant : mutants) judge(cheapest_first, mutant, everything, score);
  const double good = static_cast<double>(score.found + score.equivalent + score.unseen);
  std::string detail = fmt::format(
      "{} mutants: {} found, {} equivalent and {} unseen for a reason in the source, {} survive: "
      "score {:.0f} %",
      score.all(), score.found, score.equivalent, score.unseen, score.survive,
      score.all() == 0 ? 0.0 : 100.0 * good / static_cast<double>(score.all()));
  fmt::print("{:<64} {:5.1f} s  {}\n", "mutants of " + target.name, watch.seconds(), detail);
  std::fflush(stdout);
  return {"mutate", target.name, score.all(), score.survive, std::move(detail)};
}

void write_json(const std::string& file, const std::vector<Row>& rows) {
  nlohmann::json json = nlohmann::json::array();
  for (const Row& row : rows) {
    json.push_back({{"proof", row.proof},
                    {"subject", row.subject},
                    {"tried", row.tried},
                    {"failed", row.failed},
                    {"detail", row.detail}});
  }
  std::ofstream out(file);
  out << json.dump(2) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

std::vector<Subject> all_subjects() {
  std::vector<Subject> all;
  for (const auto& subjects :
       {latest_subjects(), region_subjects(), member_subjects(), role_subjects(), mutex_subjects(),
        signal_subjects(), semaphore_subjects(), barrier_subjects(), condition_subjects(),
        any_subjects(), guarded_subjects(), once_subjects(), rw_lock_subjects()}) {
    all.insert(all.end(), subjects.begin(), subjects.end());
  }
  return all;
}

std::vector<MutationTarget> all_targets() {
  std::vector<MutationTarget> all = {latest_target(), region_target(),  member_target(),
                                     mutex_target(),  guarded_target(), once_target()};
  for (const auto& targets : {role_targets(), rw_lock_targets(), wait_targets()}) {
    all.insert(all.end(), targets.begin(), targets.end());
  }
  return all;
}

int list() {
  for (const Subject& one : all_subjects()) fmt::print("explore\t{}\n", one.name);
  for (const MutationTarget& one : all_targets()) fmt::print("mutate\t{}\n", one.name);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

int run(const Options& options) {
  const auto chosen = [&](const std::string& name) {
    return name.find(options.only) != std::string::npos;
  };
  std::vector<Row> rows;
  for (const Subject& subject : all_subjects()) {
    if (!chosen(subject.name) || (!subject.in_brief && !options.everything)) continue;
    rows.push_back(explore_one(subject, options));
  }
  if (options.replay.empty()) {
    for (const MutationTarget& target : all_targets()) {
      if (chosen("mutants of " + target.name))
        rows.push_back(mutate_one(target, options.everything));
    }
  }
  if (!options.json.empty()) write_json(options.json, rows);
  // Asked for subjects of another program alone, nothing is what there is to do.
  const bool some = !rows.empty() || !options.only.empty();
  const bool proved = some && std::all_of(rows.begin(), rows.end(), [](const Row& row) {
                        return row.failed == 0 && row.tried > 0;
                      });
  if (!proved) fmt::print("NOT PROVED: see above\n");
  return proved ? 0 : 1;
}

}  // namespace
}  // namespace kith::explored

int main(int count, char** arguments) {
  CLI::App app("Explores kith's algorithms: every interleaving, every death, every mutant");
  kith::explored::Options options;
  app.add_flag("--long", options.everything, "larger bounds, for a night");
  app.add_option("--json", options.json, "write rows to this file");
  app.add_option("--only", options.only, "subjects whose name contains this");
  app.add_option("--replay", options.replay,
                 "only the run with these choices, of --only's subject");
  app.add_flag("--list", options.list, "a line for each proof and subject; nothing is tried");
  CLI11_PARSE(app, count, arguments);
  try {
    return options.list ? kith::explored::list() : kith::explored::run(options);
  } catch (const std::exception& error) {
    std::cerr << "kith_explore: " << error.what() << '\n';
    return 1;
  }
}
