#include "tests/prove/campaign.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include "testkit/process.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;

// What a run may take beyond its own seconds: starting, and ending in an orderly way.
constexpr auto kPatience = 60s;

// With which the mesh begins everything it says.
constexpr std::string_view kSummary = "mesh:";

// The numbers of "mesh: kills 12, restarts 12, ..., slots leaked 0", each by its words.
std::map<std::string, std::uint64_t> numbers_of(const std::string& summary) {
  std::map<std::string, std::uint64_t> numbers;
  std::istringstream entries(summary.substr(std::min(summary.size(), kSummary.size())));
  for (std::string entry; std::getline(entries, entry, ',');) {
    const auto digits = entry.find_first_of("0123456789");
    const auto words = entry.find_first_not_of(' ');
    if (digits == std::string::npos || words + 1 >= digits) continue;
    numbers[entry.substr(words, digits - words - 1)] = std::stoull(entry.substr(digits));
  }
  return numbers;
}

// The last line that begins as a summary does; everything said before is of no interest here.
std::string summary_of(testkit::Process& mesh, testkit::TimePoint until) {
  std::string summary;
  while (const auto word = mesh.next_word(until)) {
    if (word->starts_with("mesh: kills ")) summary = *word;
  }
  return summary;
}

void judge(CampaignResult& result, const std::string& summary, const testkit::Ending& ending) {
  auto numbers = numbers_of(summary);
  for (const char* must_be_there :
       {"kills", "reads", "writes", "torn reads", "went backwards", "slots leaked"}) {
    if (!numbers.contains(must_be_there)) {
      result.broken = "the mesh did not tell its " + std::string(must_be_there);
      return;
    }
  }
  result.tried = numbers["kills"];
  result.failed = numbers["torn reads"] + numbers["went backwards"] + numbers["slots leaked"];
  result.detail = summary;
  if (numbers["reads"] == 0 || numbers["writes"] == 0) result.broken = "nothing was exchanged";
  if (!ending.fine() && result.failed == 0) result.broken = ending.text();
}

}  // namespace

CampaignResult run_campaign(const std::string& command, const std::string& domain,
                            std::uint32_t seconds) {
  CampaignResult result;
  const std::vector<std::string> arguments{
      "mesh", "5", "--chaos", "20", "--seconds", std::to_string(seconds), "--domain", domain};
  result.subject = std::string(kCampaign) + " --seconds " + std::to_string(seconds);
  const auto until = testkit::within(std::chrono::seconds(seconds) + kPatience);
  auto mesh =
      testkit::Process::start("mesh", {.path = command, .arguments = arguments, .extra = {}});
  const std::string summary = summary_of(mesh, until);
  const testkit::Ending ending = mesh.finish(until);
  judge(result, summary, ending);
  std::error_code ignored;
  for (const auto& left : std::filesystem::directory_iterator(domain, ignored)) {
    result.broken = "left behind: " + left.path().string();
  }
  std::filesystem::remove_all(domain, ignored);
  return result;
}

}  // namespace kith::prove
