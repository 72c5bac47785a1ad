#include "bench/machine.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/utsname.h>
#include <thread>

#include "bench/clock.hpp"

namespace kith::bench {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// What stands after the colon in the first such line of /proc/cpuinfo.
std::string processor_says(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

double megahertz() {
  try {
    return std::stod(processor_says("cpu MHz"));
  } catch (const std::exception&) {
    return 0;
  }
}

std::string mitigations() {
  const std::filesystem::path folder = "/sys/devices/system/cpu/vulnerabilities";
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string says = first_line(entry.path().string());
    if (says.starts_with("Mitigation")) {
      found.push_back(entry.path().filename().string() + " (" + says.substr(12) + ")");
    }
  }
  std::sort(found.begin(), found.end());
  std::string text;
  for (const std::string& one : found) text += (text.empty() ? "" : "; ") + one;
  return text.empty() ? "none" : text;
}

std::string caches() {
  const std::filesystem::path folder = "/sys/devices/system/cpu/cpu0/cache";
  std::string text;
  for (int index = 0; index < 8; ++index) {
    const auto entry = folder / ("index" + std::to_string(index));
    if (!std::filesystem::exists(entry)) break;
    const std::string level = first_line((entry / "level").string());
    const std::string type = first_line((entry / "type").string());
    if (type == "Instruction") continue;
    text += (text.empty() ? "L" : ", L") + level + " " + first_line((entry / "size").string());
  }
  return text.empty() ? "unknown" : text;
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

}  // namespace

std::vector<int> two_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("which processors?");
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE && cores.size() < 2; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  if (cores.size() < 2) throw std::runtime_error("two processors are needed, and here is one");
  return cores;
}

std::vector<Row> machine_rows(bool quick) {
  std::vector<Row> rows;
  const auto say = [&](const std::string& fact, const std::string& text, double value = 1,
                       const std::string& unit = "text") {
    rows.push_back({"machine", text, 0, fact, value, unit});
  };
  utsname system{};
  ::uname(&system);
  const auto cores = two_cores();
  say("processor", processor_says("model name"), std::thread::hardware_concurrency(), "processors");
  say("processor model",
      fmt::format("family {}, model {}, stepping {}", processor_says("cpu family"),
                  processor_says("model\t"), processor_says("stepping")),
      megahertz(), "MHz");
  say("caches", caches());
  say("kernel", std::string(system.sysname) + " " + system.release + " " + system.machine);
  say("virtual", processor_says("flags").find("hypervisor") == std::string::npos ? "no" : "yes");
  say("compiler", compiler());
  say("build", KITH_BENCH_BUILD);
  say("mitigations", mitigations());
  say("pinned cores", fmt::format("{} and {}", cores[0], cores[1]));
  say("clock", "one pair of readings costs", ticking().cost_ns(), "ns");
  say("date", date(), static_cast<double>(std::time(nullptr)), "seconds since 1970");
  say("quick", quick ? "yes: short runs, the figures mean nothing" : "no");
  return rows;
}

}  // namespace kith::bench
