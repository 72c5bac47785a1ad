// Processes of several users, for tests that share: each becomes an unprivileged user for good and
// keeps one group. Only root can make them.
//
//   Process writer = as_user("writer", kAlice, kGroup, [&](Mouth& test) -> std::string { ... });
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <grp.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "kith/channel/latest.hpp"
#include "kith/region/domain.hpp"

#include "testkit/process.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::tests {

using testkit::Process;

// Ids that no machine has given away: two users who share a group, and one outside of it.
inline constexpr unsigned kAlice = 61331;
inline constexpr unsigned kBob = 61332;
inline constexpr unsigned kCarol = 61333;
inline constexpr unsigned kGroup = 61340;
inline constexpr unsigned kNoGroup = 61349;  // one that gives nothing
inline const std::string kGroupText = std::to_string(kGroup);

inline Rights shared_whole() {
  return {0770, kGroupText};
}
inline Rights shared_with_guests() {
  return {0750, kGroupText};
}
inline Rights for_guests() {
  return {0640, kGroupText};
}

// Why these tests cannot work here; empty if they can.
inline std::string why_not_several_users() {
  return ::geteuid() == 0 ? "" : "becoming other users needs root";
}

#define KITH_NEEDS_SEVERAL_USERS()                                    \
  do {                                                                \
    const std::string why_not = kith::tests::why_not_several_users(); \
    if (!why_not.empty()) GTEST_SKIP() << why_not;                    \
  } while (false)

// Becomes `user` for good, with one supplementary group.
inline std::string become_user_in(unsigned user, unsigned group) {
  const gid_t groups[] = {group};
  if (::setgroups(1, groups) == 0 && ::setresgid(user, user, user) == 0 &&
      ::setresuid(user, user, user) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0) {
    // Becoming another user has cleared it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return "";
  }
  return std::string("becoming another user was refused: ") + std::strerror(errno);
}

inline Process as_user(const std::string& name, unsigned user, unsigned group, Process::Role role) {
  return Process::fork(name, [=, role = std::move(role)](Mouth& test) -> std::string {
    const std::string refusal = become_user_in(user, group);
    return refusal.empty() ? role(test) : refusal;
  });
}

// Runs a role as that user to its end: "" or what went wrong.
inline std::string try_as(unsigned user, unsigned group, Process::Role role) {
  return as_user("user " + std::to_string(user), user, group, std::move(role))
      .finish(soon())
      .text();
}

// A folder where every user may make a domain, as in /dev/shm.
class SharedFolder : public ScratchDirectory {
 public:
  SharedFolder() { ::chmod(path().c_str(), 01777); }
  [[nodiscard]] Domain domain_of(const Rights& rights = {}) const {
    return Domain::at(domain_path(), {.rights = rights});
  }
  [[nodiscard]] std::string domain_path() const { return in("robots"); }
};

struct FileLook {
  unsigned mode = 0;
  unsigned owner = 0;
  unsigned group = 0;
  friend bool operator==(const FileLook&, const FileLook&) = default;
  friend std::ostream& operator<<(std::ostream& out, const FileLook& look) {
    return out << std::oct << look.mode << std::dec << " " << look.owner << ":" << look.group;
  }
};

inline FileLook look_at_file(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return {};
  return {facts.st_mode & 07777u, facts.st_uid, facts.st_gid};
}

// Several cache lines, every word the same: a torn value cannot look whole.
struct Whole {
  std::array<std::uint64_t, 40> words{};

  [[nodiscard]] static Whole of(std::uint64_t number) {
    Whole value;
    value.words.fill(number);
    return value;
  }
  [[nodiscard]] bool is(std::uint64_t number) const {
    return std::all_of(words.begin(), words.end(),
                       [&](std::uint64_t word) { return word == number; });
  }
};

// The writer's next value, which says its own number.
inline bool write_next(LatestWriter<Whole>& writer) {
  return writer.write(Whole::of(writer.sequence() + 1)) == WriteAnswer::committed;
}

// Names of all files, hidden ones too.
inline std::vector<std::string> files_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace kith::tests
