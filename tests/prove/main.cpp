// kith_prove [--json FILE] [--long]: the proofs by killing, as a table for people and as rows for
// machines.
// kith_prove --list: a line for each proof and subject there is, and nothing is tried.
//
// step      every operation, killed after each of its instructions (the short form: after every
//           system call, every change of shared bytes, and a sample of the rest)
// campaign  processes under random kills, values checksummed, books balanced at the end: a mesh,
//           and a crowd that takes one mutex
//
// Exits with 0 only if every row tried something and nothing failed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "kith/base/error.hpp"
#include "kith/member/member.hpp"

#include "testkit/report.hpp"
#include "tests/prove/campaign.hpp"
#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;

struct Options {
  bool everything = false;  // --long
  bool list = false;
  std::string json;
  std::string only;
  std::uint32_t campaign_seconds = 60;
  std::uint32_t lock_seconds = 5;
  std::uint32_t lock_processes = 16;  // more in the long form
};

std::vector<testkit::Subject> all_subjects(const World& world) {
  std::vector<testkit::Subject> all;
  for (auto subjects : {memory_subjects(world), region_subjects(world), member_subjects(world),
                        latest_write_subjects(world), latest_read_subjects(world),
                        mutex_subjects(world), guarded_subjects(world), wait_subjects(world),
                        any_subjects(world), rw_lock_subjects(world), guest_subjects(world)}) {
    for (testkit::Subject& subject : subjects) all.push_back(std::move(subject));
  }
  return all;
}

// Those that are asked for and that this process can try.
std::vector<testkit::Subject> subjects_to_try(const World& world, const std::string& only) {
  auto all = all_subjects(world);
  if (::geteuid() != 0) {
    std::cerr << "step: left out, because only root can become other users: guests\n";
    all.resize(all.size() - guest_subjects(world).size());
  }
  std::erase_if(all, [&](const auto& one) { return one.name.find(only) == std::string::npos; });
  return all;
}

std::vector<testkit::Report> run_step_killer(const World& world, const Options& options) {
  testkit::Plan plan = testkit::Plan::full();
  if (!options.everything) {
    plan = testkit::Plan::brief(200);
    plan.budget = 4s;  // a hundred subjects in three minutes; what is left out is said
  }
  std::vector<testkit::Report> reports;
  for (const testkit::Subject& subject : subjects_to_try(world, options.only)) {
    std::cerr << "step: " << subject.name << " ...\n";
    reports.push_back(testkit::kill_every_step(subject, plan));
  }
  return reports;
}

nlohmann::json row_of(const CampaignResult& result) {
  return {{"proof", "campaign"},
          {"subject", result.subject},
          {"tried", result.tried},
          {"failed", result.failed},
          {"detail", result.broken.empty() ? result.detail : result.broken}};
}

void write_json(const std::string& file, const std::vector<testkit::Report>& reports,
                const std::vector<CampaignResult>& campaigns) {
  nlohmann::json rows = nlohmann::json::array();
  for (const testkit::Report& report : reports) {
    rows.push_back(nlohmann::json::parse(testkit::json_row(report)));
  }
  for (const CampaignResult& result : campaigns) rows.push_back(row_of(result));
  std::ofstream out(file);
  out << rows.dump(2) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

// "" if this machine lets us prove anything, else what it refuses, by name.
std::string refusal(const World& world) {
  const std::string tracing = testkit::why_refused();
  if (!tracing.empty()) return tracing;
  try {
    static_cast<void>(Member::join(world.domain()));
  } catch (const Error& error) {
    return std::string("joining a domain, which takes file locks, is refused: ") + error.what();
  }
  return {};
}

std::vector<CampaignResult> run_campaigns(const std::string& scratch, const Options& options) {
  const auto is_wanted = [&](const char* name) {
    return std::string(name).find(options.only) != std::string::npos;
  };
  const auto directory = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::vector<CampaignResult> results;
  if (is_wanted(kCampaign)) {
    results.push_back(
        run_campaign(directory / "kith", scratch + "-mesh", options.campaign_seconds));
  }
  if (is_wanted(kLockCampaign)) {
    results.push_back(
        run_lock_campaign(scratch + "-lock", options.lock_processes, options.lock_seconds));
  }
  for (const CampaignResult& result : results) {
    std::cout << "\ncampaign: " << result.subject << "\n  "
              << (result.broken.empty() ? result.detail : result.broken) << '\n';
  }
  return results;
}

int list() {
  for (const auto& one : all_subjects(World("/nowhere"))) std::cout << "step\t" << one.name << '\n';
  for (const char* name : {kCampaign, kLockCampaign}) std::cout << "campaign\t" << name << '\n';
  return std::cout.flush() ? 0 : 1;
}

int run(const Options& options) {
  const std::string scratch = "/dev/shm/kith-prove-" + std::to_string(::getpid());
  const std::string why_not = refusal(World(scratch));
  std::vector<testkit::Report> reports;
  if (why_not.empty()) {
    reports = run_step_killer(World(scratch), options);
    std::cout << testkit::table(reports);
  } else {
    std::cout << "step: cannot work here: " << why_not << '\n';
  }
  const std::vector<CampaignResult> campaigns = run_campaigns(scratch, options);
  if (!options.json.empty()) write_json(options.json, reports, campaigns);

  const auto fine = [](const auto& row) { return row.fine(); };
  // Of --only, some other program of ./prove.sh may have it.
  const bool is_elsewhere = !options.only.empty() && reports.empty() && campaigns.empty();
  const bool none_asked_for = !options.only.empty() && !campaigns.empty();
  const bool proved = why_not.empty() && (is_elsewhere || none_asked_for || !reports.empty()) &&
                      std::all_of(reports.begin(), reports.end(), fine) &&
                      std::all_of(campaigns.begin(), campaigns.end(), fine);
  std::cout << (is_elsewhere ? "step: no subject of that name\n"
                : proved     ? "\nproved: nothing failed\n"
                             : "\nNOT PROVED: see above\n");
  std::error_code ignored;
  std::filesystem::remove_all(scratch, ignored);
  return proved ? 0 : 1;
}

}  // namespace
}  // namespace kith::prove

int main(int count, char** arguments) {
  CLI::App app("Kills kith's operations after every instruction, and balances the books");
  kith::prove::Options options;
  app.add_flag("--long", options.everything, "every kill point, and campaigns of an hour");
  app.add_option("--json", options.json, "write rows to this file");
  app.add_option("--only", options.only, "subjects and campaigns whose name contains this");
  app.add_flag("--list", options.list, "a line for each proof and subject; nothing is tried");
  CLI11_PARSE(app, count, arguments);
  if (options.everything) {
    options.campaign_seconds = options.lock_seconds = 3600;
    options.lock_processes = 64;
  }
  try {
    return options.list ? kith::prove::list() : kith::prove::run(options);
  } catch (const std::exception& error) {
    std::cerr << "kith_prove: " << error.what() << '\n';
    return 1;
  }
}
