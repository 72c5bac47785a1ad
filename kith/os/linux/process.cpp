#include "kith/os/process.hpp"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace kith::os {

ProcessFacts this_process() {
  ProcessFacts facts;
  facts.pid = static_cast<std::uint32_t>(::getpid());
  facts.user = ::geteuid();
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) == 0) facts.pid_namespace = status.st_ino;
  std::ifstream name("/proc/self/comm");
  std::getline(name, facts.program);
  return facts;
}

std::uint32_t effective_user() noexcept {
  return ::geteuid();
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string error_text(int error_number) {
  return std::generic_category().message(error_number);
}

std::int64_t wall_clock_ns() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace kith::os
