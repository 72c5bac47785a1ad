#include "cli/place.hpp"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace kith::cli {

namespace {

bool is_own(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

// What lstat says of the directory, if it is another user's.
std::optional<struct stat> directory_of_another(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return std::nullopt;
  return status;
}

}  // namespace

Domain domain_at(const std::string& directory) {
  if (directory.empty()) return Domain::standard();
  Domain domain = Domain::at(directory);
  const char* rights = std::getenv("KITH_RIGHTS");
  // They may be meant for KITH_DOMAIN: a directory of one's own that is there has its own.
  if (rights == nullptr || is_own(domain.path())) return domain;
  return Domain::at(directory, {.rights = Rights::from_text(rights)});
}

Domain domain_to_look_at(const std::string& directory) {
  Domain domain = domain_at(directory);
  const auto another = directory_of_another(domain.path());
  if (!another || ::geteuid() == 0) return domain;
  return Domain::at(domain.path(),
                    {.rights = {another->st_mode & 0777u, std::to_string(another->st_gid)}});
}

std::string object_name(const std::string& typed) {
  return typed.starts_with("./") ? typed.substr(2) : typed;
}

void complain(std::string_view text) {
  // One call, so that the lines of several processes stay whole.
  const std::string line = fmt::format("kith: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace kith::cli
