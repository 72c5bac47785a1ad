// The campaign: a mesh of real processes under random kills, judged by its own books.
#pragma once

#include <cstdint>
#include <string>

namespace kith::prove {

// The command, without its seconds.
inline constexpr const char* kCampaign = "kith mesh 5 --chaos 20";

struct CampaignResult {
  std::string subject;       // the command that was run
  std::uint64_t tried = 0;   // kills
  std::uint64_t failed = 0;  // torn reads, values that went backwards, slots leaked
  std::string detail;        // the mesh's own summary, on one line
  std::string broken;        // why it could not be run or judged

  [[nodiscard]] bool fine() const { return broken.empty() && failed == 0 && tried > 0; }
};

// Runs `kith mesh 5 --chaos 20 --seconds SECONDS` in a domain of its own.
[[nodiscard]] CampaignResult run_campaign(const std::string& command, const std::string& domain,
                                          std::uint32_t seconds);

}  // namespace kith::prove
