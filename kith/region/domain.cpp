#include "kith/region/domain.hpp"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "kith/base/error.hpp"
#include "kith/base/name.hpp"
#include "kith/os/futex.hpp"
#include "kith/os/process.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/file_rights.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;

// How long the second user of a new domain bears with one that is made and not shared yet.
constexpr auto kSharingPatience = 200ms;

constexpr std::uint32_t kPrivateDirectory = 0700;
constexpr std::uint32_t kGroupMayWrite = 0020;
constexpr std::uint32_t kGivesGroup = 02000;  // new files get the directory's group
constexpr std::uint32_t kOthersMayWrite = 0002;

std::string default_path() {
  return "/dev/shm/kith-" + std::to_string(os::effective_user());
}

std::string object_text(const std::string& path) {
  return "domain " + path;
}

std::string rights_text(const os::FileFacts& facts) {
  return "one of user " + std::to_string(facts.owner) + ", mode " +
         internal::octal(facts.permissions & 0777) + ", group " + std::to_string(facts.group);
}

// A directory of another user that this one may not enter, or did not say it would.
Error not_shared(const std::string& path, const Rights& asked, const os::FileFacts& facts) {
  const std::uint32_t self = os::effective_user();
  return Error(asked.are_given() ? Errc::permission_denied : Errc::wrong_owner,
               {.object = object_text(path),
                .expected = asked.are_given() ? "a directory with rights " + asked.text()
                                              : "a directory of user " + std::to_string(self),
                .found = rights_text(facts),
                .remedy = "to share a domain, have its owner make it for a group, and name the "
                          "same rights on both sides, as in KITH_RIGHTS=0770:GROUP or "
                          "DomainOptions::rights; otherwise set KITH_DOMAIN to a directory of "
                          "your own, or have that user or root remove it"});
}

}  // namespace

Domain Domain::standard(DomainOptions options) {
  std::string named = os::environment("KITH_DOMAIN");
  if (!named.empty()) {
    if (!options.rights.are_given()) {
      options.rights = Rights::from_text(os::environment("KITH_RIGHTS"));
    }
    return at(std::move(named), std::move(options));
  }
  return Domain(default_path(), std::move(options), true);
}

Domain Domain::at(std::string directory, DomainOptions options) {
  if (directory.empty()) {
    throw Error(Errc::invalid_argument, {.object = "domain",
                                         .expected = "the path of a directory",
                                         .found = "an empty one",
                                         .remedy = "name a directory, as in /dev/shm/my-domain"});
  }
  // Absolute from the beginning: the program may change its working directory.
  directory = std::filesystem::absolute(directory).lexically_normal();
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  const bool private_default = directory == default_path();
  return Domain(std::move(directory), std::move(options), private_default);
}

Domain::Domain(std::string path, DomainOptions options, bool private_default)
    : path_(std::move(path)), options_(std::move(options)), private_default_(private_default) {
  if (options.members_max < 1 || options.members_max > 65'535) {
    throw Error(Errc::invalid_argument, {.object = object_text(path_),
                                         .expected = "1 to 65535 members at most",
                                         .found = std::to_string(options.members_max),
                                         .remedy = "change DomainOptions::members_max"});
  }
}

bool Domain::exists() const {
  const auto facts = os::facts_of_path(path_);
  return facts && facts.value.kind == os::FileKind::directory;
}

os::FileIdentity Domain::first_identity() const noexcept {
  return {std::atomic_ref(identity_.device).load(std::memory_order_relaxed),
          std::atomic_ref(identity_.inode).load(std::memory_order_relaxed)};
}

bool Domain::is_orphaned() const {
  const os::FileIdentity first = first_identity();
  if (first == os::FileIdentity{}) return false;
  const auto facts = os::facts_of_path(path_);
  return !facts || facts.value.identity != first;
}

std::vector<std::string> Domain::names() const {
  os::Outcome<std::vector<std::string>> listed;
  try {
    listed = os::names_in(open());
  } catch (const Error& error) {
    if (error.errc() == Errc::not_found) return {};
    throw;
  }
  if (listed.error == ENOENT) return {};  // removed since it was opened
  if (!listed) throw internal::system_error(object_text(path_), "listing it", listed.error);
  std::erase_if(listed.value, [](const std::string& name) {
    return !why_not_a_name(name, kObjectNameMax).empty();
  });
  return std::move(listed.value);
}

os::Descriptor Domain::open() const {
  const Deadline patience = Deadline::after(kSharingPatience);
  for (;;) {
    try {
      return open_now();
    } catch (const Error& error) {
      // One who shares a new domain does so a moment after it made it.
      const bool not_yet = options_.rights.are_given() && error.errc() == Errc::permission_denied &&
                           (os::facts_of_path(path_).value.permissions & 0777) == kPrivateDirectory;
      if (!not_yet || patience.has_passed()) throw;
    }
    os::pause_for(1ms, patience);
  }
}

os::Descriptor Domain::open_now() const {
  auto directory = os::open_directory(path_);
  if (!directory) {
    // equivalent if facts_of_path remembered: it finds the words for what opening it said.
    const auto facts = os::facts_of_path(path_);
    if (facts && facts.value.kind != os::FileKind::directory) {
      throw Error(Errc::not_ours,
                  {.object = object_text(path_),
                   .expected = "a directory",
                   .found = internal::describe(facts.value.kind),
                   .remedy = "name a directory, with KITH_DOMAIN or as the domain's path"});
    }
    if (directory.error == EACCES && facts && facts.value.owner != os::effective_user()) {
      throw not_shared(path_, options_.rights, facts.value);
    }
    throw internal::system_error(object_text(path_), "opening the directory", directory.error);
  }
  check(directory.value);
  return std::move(directory.value);
}

void Domain::check(const os::Descriptor& directory) const {
  const auto facts = os::facts_of(directory);
  if (!facts) throw internal::system_error(object_text(path_), "looking at it", facts.error);
  const std::uint32_t self = os::effective_user();
  // Root may look into anybody's domain, but never takes a squatted default for its own.
  const bool is_ours = facts.value.owner == self || (self == 0 && !private_default_);
  if (options_.rights.are_given()) {
    check_rights(facts.value);
  } else if (!is_ours) {
    throw not_shared(path_, options_.rights, facts.value);
  } else if ((facts.value.permissions & kOthersMayWrite) != 0) {
    throw Error(Errc::permission_denied,
                {.object = object_text(path_),
                 .expected = "a directory that not everybody may write",
                 .found = "mode " + internal::octal(facts.value.permissions),
                 .remedy = "name a directory inside it, or one of your own"});
  }
  if (first_identity() == os::FileIdentity{}) {
    // Several threads may be the first, with one value. relaxed: it guards no other data.
    std::atomic_ref(identity_.device).store(facts.value.identity.device, std::memory_order_relaxed);
    std::atomic_ref(identity_.inode).store(facts.value.identity.inode, std::memory_order_relaxed);
  }
}

// What was said on both sides must agree: only then has its owner meant to share, and this user
// meant to trust.
void Domain::check_rights(const os::FileFacts& facts) const {
  const Rights& asked = options_.rights;
  const bool same_mode = (facts.permissions & 0777) == asked.mode;
  const bool same_group =
      asked.group.empty() || facts.group == internal::group_number(asked.group, object_text(path_));
  const bool same_owner =
      asked.owner.empty() || facts.owner == internal::user_number(asked.owner, object_text(path_));
  if (same_mode && same_group && same_owner && !private_default_) return;
  throw Error(Errc::permission_denied,
              {.object = object_text(path_),
               .expected = private_default_ ? "no sharing of a user's own domain"
                                            : "a directory with rights " + asked.text(),
               .found = rights_text(facts),
               .remedy = "name one set of rights in all programs (DomainOptions::rights or "
                         "KITH_RIGHTS), or have its owner chgrp and chmod the directory"});
}

// Killed before the last step, it leaves a private, empty directory, which its owner's next attempt
// completes.
void Domain::give_rights(const os::Descriptor& directory) const {
  const Rights& asked = options_.rights;
  const auto facts = os::facts_of(directory);
  if (!asked.are_given() || !facts || facts.value.owner != os::effective_user()) return;
  if ((facts.value.permissions & 0777) != kPrivateDirectory) return;
  const auto names = os::names_in(directory);
  if (!names || !names.value.empty()) return;  // what is in there was made for its owner alone
  if (!asked.group.empty()) {
    const std::uint32_t group = internal::group_number(asked.group, object_text(path_));
    if (const auto given = os::set_owner(directory, facts.value.owner, group); !given) {
      throw internal::system_error(object_text(path_), "giving it to group " + asked.group,
                                   given.error);
    }
  }
  const std::uint32_t gives_group = (asked.mode & kGroupMayWrite) != 0 ? kGivesGroup : 0;
  if (const auto set = os::set_permissions(directory, asked.mode | gives_group); !set) {
    throw internal::system_error(object_text(path_), "setting its mode", set.error);
  }
}

// A directory made for sharing that cannot be shared is in everybody's way: it goes again.
void Domain::share(bool made_here) const {
  try {
    const auto own = os::open_directory(path_);
    if (own) give_rights(own.value);
  } catch (const Error&) {
    if (made_here) static_cast<void>(os::remove_directory(path_));  // refused, somebody uses it
    throw;
  }
}

// Where an owner is named, nobody else makes the directory in that user's place.
bool Domain::is_ours_to_make() const {
  const std::string& owner = options_.rights.owner;
  return owner.empty() || internal::user_number(owner, object_text(path_)) == os::effective_user();
}

os::Descriptor Domain::open_or_create() const {
  // Again: a peer that leaves last may remove the empty default between our mkdir and our open.
  for (int attempt = 0;; ++attempt) {
    const auto made =
        is_ours_to_make() ? os::make_directory(path_, kPrivateDirectory) : os::Done{EEXIST};
    if (!made && made.error == ENOENT) {
      throw Error(Errc::not_found, {.object = object_text(path_),
                                    .expected = "a folder to make it in",
                                    .found = "none above it",
                                    .remedy = "make that folder first"});
    }
    if (!made && made.error != EEXIST) {
      throw internal::system_error(object_text(path_), "making the directory", made.error);
    }
    try {
      if (options_.rights.are_given()) share(made.error == 0);
      return open();
    } catch (const Error& error) {
      if (error.errc() != Errc::not_found || attempt >= 8) throw;
    }
  }
}

void Domain::remove_if_empty() const noexcept {
  // ENOTEMPTY is the usual answer: somebody's objects are still there.
  if (private_default_) static_cast<void>(os::remove_directory(path_));
}

}  // namespace kith
