// Domain: a directory that holds objects, one file each under the object's own name.
//
//   const Domain domain = Domain::standard();      // KITH_DOMAIN, else a private one per user
//   auto pose = Region<Pose>::open_or_create(domain, "pose");
//
// States       there; orphaned (its directory was removed or replaced: is_orphaned()). A missing
//              directory is made, mode 0700, by whoever creates the first object in it.
// Callers      any thread; a value that owns no descriptor, cheap to copy.
// A peer dies  a directory holds nothing of the living or the dead.
// Cost         every creation or opening of an object looks at the directory anew: about 5 us.
//
// The access rights of the directory are the rights of the domain: private to its user by default.
// Others come in where both sides name the same rights, because who may write a domain's directory
// is trusted with what lies in it:
//
//   const Domain robots = Domain::at("/dev/shm/robots", {.rights = {0770, "robots"}});
//
// Any tmpfs, huge-page mount or disk folder can be a domain; containers share one by mounting it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kith/os/file.hpp"
#include "kith/region/rights.hpp"

namespace kith {

struct DomainOptions {
  // Places in the member table, decided by whoever creates it: processes that hold roles at once.
  std::uint32_t members_max = 4096;
  // Who may come in. A directory that is made gets these rights; one that is there must have them.
  // None given: a new one is private, and one of another user is refused.
  Rights rights{};
};

class Domain {
 public:
  // The domain that KITH_DOMAIN names, with the rights in KITH_RIGHTS (as 0770:robots or
  // 0750:robots@alice); without it the user's own, /dev/shm/kith-UID.
  [[nodiscard]] static Domain standard(DomainOptions options = {});
  // The domain in `directory`, an absolute or relative path.
  [[nodiscard]] static Domain at(std::string directory, DomainOptions options = {});

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const DomainOptions& options() const noexcept { return options_; }
  // The user's own default place, which disappears when nothing is left in it.
  [[nodiscard]] bool is_private_default() const noexcept { return private_default_; }
  [[nodiscard]] bool exists() const;
  // True if the directory this domain was first used in is gone or replaced.
  [[nodiscard]] bool is_orphaned() const;

  // Names of the files in it that could be objects, sorted. Empty if the directory is not there.
  [[nodiscard]] std::vector<std::string> names() const;

  // The directory, checked: a directory, not a link, with the rights asked for; where none were,
  // owned by this user (or this user is root) and not writable by others. Throws Error; not_found
  // if it is missing.
  [[nodiscard]] os::Descriptor open() const;
  // The same, but a missing directory is made first.
  [[nodiscard]] os::Descriptor open_or_create() const;
  // Removes the directory if it is the private default and empty; otherwise nothing happens.
  void remove_if_empty() const noexcept;

 private:
  Domain(std::string path, DomainOptions options, bool private_default);
  [[nodiscard]] os::Descriptor open_now() const;
  void check(const os::Descriptor& directory) const;
  void check_rights(const os::FileFacts& facts) const;
  void give_rights(const os::Descriptor& directory) const;
  void share(bool made_here) const;
  [[nodiscard]] bool is_ours_to_make() const;
  [[nodiscard]] os::FileIdentity first_identity() const noexcept;

  std::string path_;
  DomainOptions options_;
  bool private_default_;
  mutable os::FileIdentity identity_;  // of the directory first opened; zero before that
};

}  // namespace kith
