#include "kith/inspect/domains.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

#include "kith/base/error.hpp"
#include "kith/base/name.hpp"
#include "kith/inspect/internal/member_table.hpp"
#include "kith/inspect/internal/proc_text.hpp"
#include "kith/os/failure.hpp"
#include "kith/os/machine.hpp"
#include "kith/os/process.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"

namespace kith {
namespace {

using internal::Look;
using internal::RegionLock;

constexpr int kLevels = 3;
constexpr std::uint64_t kMountsMax = std::uint64_t{16} << 20;
constexpr const char* kSharedMemory = "/dev/shm";
constexpr std::string_view kStandardPrefix = "kith-";

// Its lifetime is over, and nobody living will notice.
bool is_leftover(const Look& look, bool in_use) {
  switch (static_cast<Lifetime>(look.facts().lifetime)) {
    case Lifetime::until_last_member:
      return !in_use;
    case Lifetime::while_creator_lives:
      return !look.is_held(RegionLock::kCreator);
    case Lifetime::until_removed:
      break;
  }
  return false;
}

void count_members(const os::Descriptor& directory, DomainFacts& facts) {
  try {
    const std::string object = "member table of domain " + facts.path;
    const Look look(directory, internal::kMembersName, object);
    for (const auto& entry : internal::read_members(look, object)) {
      (entry.facts.liveness == Liveness::dead ? facts.members_dead : facts.members_living) += 1;
    }
  } catch (const Error& error) {
    // Without a table nobody ever joined.
    if (error.errc() != Errc::not_found) facts.problem = error.what();
  }
}

// True if something in it waits for somebody to clean up.
bool count_objects(const os::Descriptor& directory, DomainFacts& facts) {
  bool leftovers = false;
  const auto names = os::names_in(directory);
  if (!names)
    facts.problem =
        internal::system_error("domain " + facts.path, "listing it", names.error).what();
  for (const std::string& name : names.value) {
    const auto file = os::facts_at(directory, name);
    if (file) facts.allocated_bytes += file.value.allocated_bytes;
    if (!why_not_a_name(name, kObjectNameMax).empty()) continue;
    ++facts.objects;
    try {
      const Look look(directory, name, name);
      const bool in_use = look.is_held(RegionLock::kUse);
      facts.objects_in_use += in_use ? 1u : 0u;
      leftovers = leftovers || is_leftover(look, in_use);
    } catch (const Error&) {
      // Another program's file, or one that may not be read: `kith ls` says which.
    }
  }
  return leftovers;
}

bool holds_member_table(const os::Descriptor& directory) {
  try {
    return Look(directory, internal::kMembersName, "").facts().kind == "members";
  } catch (const Error& error) {
    // A table of ours all the same: of another version, damaged, or not for us to read.
    return error.errc() != Errc::not_found && error.errc() != Errc::not_ours;
  }
}

class Search {
 public:
  explicit Search(const Progress& progress) : progress_(progress) {}

  void add(const std::string& path) { found_.insert(path); }

  // Whatever looks like a domain, in the directory or below it.
  void look_in(const std::string& path, int levels) {
    if (looked_at_ == kDirectoriesMax) {
      cut_off_ = true;
      return;
    }
    // The same mount may be there twice, and a link is never followed.
    const auto facts = os::facts_of_path(path);
    if (!facts || facts.value.kind != os::FileKind::directory) return;
    if (!seen_.insert({facts.value.identity.device, facts.value.identity.inode}).second) return;
    ++looked_at_;
    if (progress_) progress_(looked_at_, 0);
    if (is_standard(path)) found_.insert(path);
    const auto directory = os::open_directory(path);
    if (!directory) {
      if (!found_.contains(path)) unseen_.push_back(path + ": " + os::error_text(directory.error));
      return;
    }
    if (holds_member_table(directory.value)) {
      found_.insert(path);
      return;
    }
    if (levels == 0) return;
    const auto names = os::names_in(directory.value);
    for (const std::string& name : names.value) {
      const auto below = os::facts_at(directory.value, name);
      const bool same_mount = below && below.value.identity.device == facts.value.identity.device;
      if (same_mount && below.value.kind == os::FileKind::directory) {
        look_in(path + "/" + name, levels - 1);
      }
    }
  }

  [[nodiscard]] DomainListing listing() && {
    DomainListing listing;
    for (const std::string& path : found_) listing.domains.push_back(domain_facts(path));
    if (cut_off_) {
      unseen_.push_back("more than " + std::to_string(kDirectoriesMax) + " directories");
    }
    listing.unseen = std::move(unseen_);
    return listing;
  }

 private:
  static bool is_standard(const std::string& path) {
    const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
    return path == std::string(kSharedMemory) + "/" + std::string(name) &&
           name.starts_with(kStandardPrefix) && name.size() > kStandardPrefix.size() &&
           name.find_first_not_of("0123456789", kStandardPrefix.size()) == std::string_view::npos;
  }

  const Progress& progress_;
  std::set<std::string> found_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  std::vector<std::string> unseen_;
  std::uint32_t looked_at_ = 0;
  bool cut_off_ = false;
};

}  // namespace

DomainFacts domain_facts(const std::string& path) {
  DomainFacts facts;
  facts.path = path;
  const auto file = os::facts_of_path(path);
  if (!file) {
    facts.problem = internal::system_error("domain " + path, "looking at it", file.error).what();
    return facts;
  }
  facts.owner = file.value.owner;
  facts.group = file.value.group;
  facts.permissions = file.value.permissions;
  facts.standard = path == std::string(kSharedMemory) + "/kith-" + std::to_string(facts.owner);
  const auto directory = os::open_directory(path);
  if (!directory) {
    facts.problem = internal::system_error("domain " + path, "opening it", directory.error).what();
    return facts;
  }
  const bool leftovers = count_objects(directory.value, facts);
  count_members(directory.value, facts);
  const bool nobody = facts.members_living == 0 && facts.objects_in_use == 0;
  facts.orphaned = nobody && (leftovers || facts.members_dead > 0);
  return facts;
}

DomainListing list_domains(const Progress& progress) {
  Search search(progress);
  search.look_in(kSharedMemory, kLevels);
  const auto text = os::read_text("/proc/self/mountinfo", kMountsMax);
  for (const internal::MountLine& mount : internal::parse_mounts(text.value)) {
    const bool in_memory = mount.file_system == "tmpfs" || mount.file_system == "ramfs" ||
                           mount.file_system == "hugetlbfs";
    // What lies below these belongs to the kernel or to the system's own services.
    const bool of_the_system =
        mount.directory.starts_with("/sys/") || mount.directory.starts_with("/proc/");
    if (in_memory && !of_the_system) search.look_in(mount.directory, kLevels);
  }
  const std::string named = os::environment("KITH_DOMAIN");
  if (!named.empty()) {
    const Domain domain = Domain::standard();
    if (domain.exists()) search.add(domain.path());
  }
  return std::move(search).listing();
}

}  // namespace kith
