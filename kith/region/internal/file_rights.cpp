#include "kith/region/internal/file_rights.hpp"

#include "kith/base/error.hpp"
#include "kith/os/failure.hpp"
#include "kith/os/process.hpp"

namespace kith::internal {
namespace {

constexpr std::uint32_t kGroupMayWrite = 0020;
constexpr std::uint32_t kClasses[] = {0100, 0010, 0001};  // times 4 is read, times 2 is write

bool may_read(std::uint32_t mode, std::uint32_t who) {
  return (mode & (who * 4)) != 0;
}
bool may_write(std::uint32_t mode, std::uint32_t who) {
  return (mode & (who * 2)) != 0;
}

void check_mode(std::uint32_t mode, const std::string& object) {
  const bool owner_does_all = may_read(mode, kClasses[0]) && may_write(mode, kClasses[0]);
  bool write_only = false;
  for (const std::uint32_t who : kClasses) {
    write_only = write_only || (may_write(mode, who) && !may_read(mode, who));
  }
  if ((mode & ~0666u) == 0 && owner_does_all && !write_only) return;
  throw Error(Errc::invalid_argument,
              {.object = object,
               .expected = "rw for the owner, and rw, r or nothing for group and others",
               .found = "mode " + octal(mode),
               .remedy = "as in 0600 (private), 0660 (a group does everything), 0640 (a group "
                         "reads)"});
}

}  // namespace

bool FileRights::has_guests() const noexcept {
  for (const std::uint32_t who : kClasses) {
    if (may_read(mode, who) && !may_write(mode, who)) return true;
  }
  return false;
}

std::uint32_t FileRights::members_mode() const noexcept {
  std::uint32_t members = 0;
  for (const std::uint32_t who : kClasses) {
    if (may_read(mode, who) && may_write(mode, who)) members |= who * 6;
  }
  return members;
}

std::uint32_t FileRights::seats_mode() const noexcept {
  std::uint32_t seats = 0;
  for (const std::uint32_t who : kClasses) {
    if (may_read(mode, who)) seats |= who * 6;
  }
  return seats;
}

namespace {

std::uint32_t require_number(const os::Outcome<std::uint32_t>& number, const std::string& name,
                             const std::string& object, const std::string& what,
                             const std::string& book) {
  if (number) return number.value;
  throw Error(Errc::invalid_argument, {.object = object,
                                       .expected = "the name or number of a " + what,
                                       .found = "'" + name + "'",
                                       .remedy = "see `getent " + book + "` for those there are"});
}

}  // namespace

std::uint32_t user_number(const std::string& name, const std::string& object) {
  return require_number(os::user_number(name), name, object, "user", "passwd");
}

std::uint32_t group_number(const std::string& name, const std::string& object) {
  return require_number(os::group_number(name), name, object, "group", "group");
}

FileRights file_rights(const Rights& asked, const os::FileFacts& directory,
                       const std::string& object) {
  FileRights rights;
  const bool shared = (directory.permissions & kGroupMayWrite) != 0;
  rights.mode = asked.are_given() ? asked.mode : shared ? 0660u : 0600u;
  check_mode(rights.mode, object);
  rights.group = asked.group.empty() ? directory.group : group_number(asked.group, object);
  return rights;
}

void give_file_rights(const os::Descriptor& file, std::uint32_t mode, std::uint32_t group,
                      const os::FileFacts& directory, const std::string& object) {
  const auto facts = os::facts_of(file);
  if (!facts) throw system_error(object, "looking at the new file", facts.error);
  // Root in a user's domain leaves that user no file that only root may open.
  const std::uint32_t owner = facts.value.owner == 0 ? directory.owner : facts.value.owner;
  const bool for_group = (mode & 0060) != 0;
  const std::uint32_t wanted_group =
      for_group || owner != facts.value.owner ? group : facts.value.group;
  // Before the mode, which is to count for this group and no other.
  if (owner != facts.value.owner || wanted_group != facts.value.group) {
    auto given = os::set_owner(file, owner, wanted_group);
    // In a container the directory's owner may be nobody this side knows; the group decides then.
    if (!given && owner != facts.value.owner && wanted_group == facts.value.group) given = {};
    if (!given) {
      throw system_error(object, "giving it to group " + std::to_string(wanted_group), given.error);
    }
  }
  if (const auto set = os::set_permissions(file, mode); !set) {
    throw system_error(object, "setting its mode to " + octal(mode), set.error);
  }
}

bool is_made_by_members(const os::FileFacts& file, const os::FileFacts& directory) {
  if (file.owner == directory.owner) return true;
  const bool shared = (directory.permissions & kGroupMayWrite) != 0;
  return shared && file.group == directory.group;
}

}  // namespace kith::internal
