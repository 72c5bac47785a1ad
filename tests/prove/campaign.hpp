// The campaigns: real processes under random kills and stops, judged by their own books: a mesh,
// and a crowd that takes one mutex.
#pragma once

#include <cstdint>
#include <string>

namespace kith::prove {

// The command, without its seconds.
inline constexpr const char* kCampaign = "kith mesh 5 --chaos 20";
// The subject, without its processes and seconds.
inline constexpr const char* kLockCampaign = "one mutex, random kills and stops";

struct CampaignResult {
  std::string subject;       // the command that was run, or what was tried
  std::uint64_t tried = 0;   // kills and stops
  std::uint64_t failed = 0;  // what was torn, went backwards, leaked; two in at once; hangs
  std::string detail;        // the summary, on one line
  std::string broken;        // why it could not be run or judged

  [[nodiscard]] bool fine() const { return broken.empty() && failed == 0 && tried > 0; }
};

// Runs `kith mesh 5 --chaos 20 --seconds SECONDS` in a domain of its own.
[[nodiscard]] CampaignResult run_campaign(const std::string& command, const std::string& domain,
                                          std::uint32_t seconds);
// Processes that take one mutex and change what it guards, and are killed, stopped and replaced at
// random: never two in, torn only where told of a death, nobody hangs, nothing is left.
[[nodiscard]] CampaignResult run_lock_campaign(const std::string& domain, std::uint32_t processes,
                                               std::uint32_t seconds);

}  // namespace kith::prove
