#include "kith/os/process.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "kith/os/file.hpp"

namespace kith::os {

ProcessFacts this_process() {
  ProcessFacts facts;
  facts.pid = static_cast<std::uint32_t>(::getpid());
  facts.user = ::geteuid();
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) == 0) facts.pid_namespace = status.st_ino;
  // The program's name, not this thread's, which prctl would give.
  char name[32] = {};
  const auto file = open_path("/proc/self/comm", Access::read_only);
  const auto got = file ? read_at(file.value, name, sizeof name - 1, 0)
                        : Outcome<std::uint64_t>::failed(file.error);
  if (got) facts.program.assign(name, ::strcspn(name, "\n"));
  return facts;
}

std::uint32_t effective_user() noexcept {
  return ::geteuid();
}

namespace {

// A number written out, or what `look_up` finds in the system's books for the name.
template <class LookUp>
Outcome<std::uint32_t> number_of(const std::string& name, const LookUp& look_up) {
  std::uint32_t number = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end) return {number, 0};
  std::array<char, 16384> room;  // for the entry's texts; a larger entry answers ERANGE
  return look_up(room);
}

}  // namespace

Outcome<std::uint32_t> user_number(const std::string& name) {
  return number_of(name, [&](auto& room) -> Outcome<std::uint32_t> {
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
    if (found == nullptr) return Outcome<std::uint32_t>::failed(error != 0 ? error : ENOENT);
    return {found->pw_uid, 0};
  });
}

Outcome<std::uint32_t> group_number(const std::string& name) {
  return number_of(name, [&](auto& room) -> Outcome<std::uint32_t> {
    group entry{};
    group* found = nullptr;
    const int error = ::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
    if (found == nullptr) return Outcome<std::uint32_t>::failed(error != 0 ? error : ENOENT);
    return {found->gr_gid, 0};
  });
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
