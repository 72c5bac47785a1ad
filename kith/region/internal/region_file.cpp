#include "kith/region/internal/region_file.hpp"

#include <algorithm>
#include <cerrno>

#include "kith/base/name.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/os/huge_pages.hpp"
#include "kith/os/process.hpp"
#include "kith/os/random.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/file_rights.hpp"
#include "kith/region/internal/satellite.hpp"

namespace kith::internal {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kTemporaryPrefix = ".new-";

bool file_system_lacks_unnamed(int error) {
  return error == EOPNOTSUPP || error == EISDIR;
}

void check_file(const os::FileFacts& facts, const os::FileFacts& directory,
                const std::string& object) {
  if (facts.kind != os::FileKind::regular) {
    throw Error(Errc::not_ours, {.object = object,
                                 .expected = "a regular file",
                                 .found = describe(facts.kind),
                                 .remedy = "choose another name, or remove it yourself"});
  }
  const std::uint32_t self = os::effective_user();
  if (facts.owner != self && self != 0 && !is_made_by_members(facts, directory)) {
    throw Error(Errc::wrong_owner,
                {.object = object,
                 .expected = "a file of user " + std::to_string(self) +
                             ", or of those who share the domain",
                 .found = "one of user " + std::to_string(facts.owner),
                 .remedy = "have its owner remove it, or use a domain of your own"});
  }
}

// What a second user reads who was not let in.
Error not_allowed(const RegionFile& region, const std::string& name, const std::string& object) {
  const auto facts = os::facts_at(region.directory, name);
  if (!facts || facts.value.kind != os::FileKind::regular) {
    return system_error(object, "opening the file", EACCES);
  }
  return Error(
      Errc::permission_denied,
      {.object = object,
       .expected = "the right to use it",
       .found = "one of user " + std::to_string(facts.value.owner) + ", mode " +
                octal(facts.value.permissions) + ", group " + std::to_string(facts.value.group),
       .remedy = "run as its owner, or have its owner create it with rights for you: "
                 "0660 and a group to do everything, 0640 to read a channel as a guest"});
}

// By read, not through a mapping: a page that was never allocated can be read on a full tmpfs,
// while touching it in a mapping would be a SIGBUS.
RegionFacts read_facts(const os::Descriptor& file, std::uint64_t file_size,
                       const std::string& object) {
  RegionHeader header{};
  // equivalent if read_at remembered: what is taken from a header never changes.
  const auto got = os::read_at(file, &header, sizeof header, 0);
  if (!got) throw system_error(object, "reading the header", got.error);
  HeaderFault fault = check_header(header, file_size);
  // Cut off inside the header: what is left of it still tells whose it was.
  if (got.value < sizeof header && fault != HeaderFault::not_ours) fault = HeaderFault::damaged;
  if (fault != HeaderFault::none) throw header_error(object, fault, header, file_size);
  return facts_from(header);
}

bool is_retired(const os::Descriptor& file) {
  std::uint32_t retired = 0;
  // equivalent if read_at remembered: it lost its name before, which is looked at after this.
  const auto got = os::read_at(file, &retired, sizeof retired, offsetof(RegionHeader, retired));
  return got && got.value == sizeof retired && retired != 0;
}

// By write, like the reads: no mapping that could fail, no page touched that is not there.
void mark_retired(const os::Descriptor& file) {
  const std::uint32_t retired = 1;
  // equivalent if write_at skipped: the missing name says the same.
  static_cast<void>(  // refused, it only spares others a look at the name
      os::write_at(file, &retired, sizeof retired, offsetof(RegionHeader, retired)));
}

// Everything but the header: whatever it says, this is a file of ours to judge.
std::optional<RegionFile> open_unread(const Domain& domain, const std::string& name,
                                      const std::string& object) {
  RegionFile region;
  try {
    region.directory = domain.open();
  } catch (const Error& error) {
    if (error.errc() == Errc::not_found) return std::nullopt;
    throw;
  }
  auto file = os::open_at(region.directory, name, os::Access::read_write);
  if (!file && file.error == ENOENT) return std::nullopt;
  if (!file && file.error == EACCES) throw not_allowed(region, name, object);
  if (!file) throw system_error(object, "opening the file", file.error);
  region.file = std::move(file.value);
  const auto facts = os::facts_of(region.file);
  const auto around = os::facts_of(region.directory);
  if (!facts || !around) {
    throw system_error(object, "looking at the file", std::max(facts.error, around.error));
  }
  check_file(facts.value, around.value, object);
  region.identity = facts.value.identity;
  region.facts.size = facts.value.size;
  return region;
}

// `kith rm --force` of what can never be opened again. Never of a file that kith did not make.
Removal remove_unreadable(const Domain& domain, const std::string& name,
                          const std::string& object) {
  const auto region = open_unread(domain, name, object);
  if (!region) return Removal::not_found;
  const auto locked = os::try_lock(region->file, RegionLock::kRemove, os::LockKind::exclusive);
  if (!locked) throw system_error(object, "locking it for removal", locked.error);
  if (locked.value == os::Locked::refused) return Removal::in_use;
  if (!name_stands_for(region->directory, name, region->identity)) return Removal::not_found;
  const auto unlinked = os::unlink_at(region->directory, name);
  if (!unlinked) throw system_error(object, "removing its name", unlinked.error);
  remove_satellites(region->directory, region->identity);
  return Removal::removed;
}

// A name of an object or of one of our own tables, which have a leading dot; never a path.
void check_removable(const std::string& name) {
  const std::string_view checked = std::string_view(name).substr(name.starts_with('.') ? 1 : 0);
  const std::string why = why_not_a_name(checked, kObjectNameMax);
  if (!why.empty()) throw invalid_name("object", name, why);
}

bool can_never_be_opened(const Error& error) {
  return error.errc() == Errc::damaged || error.errc() == Errc::wrong_version;
}

}  // namespace

std::optional<RegionFile> open_region_file(const Domain& domain, const std::string& name,
                                           const std::string& object) {
  auto region = open_unread(domain, name, object);
  if (region) region->facts = read_facts(region->file, region->facts.size, object);
  return region;
}

std::uint64_t region_file_size(std::uint64_t content_size, const os::Descriptor& file) noexcept {
  const std::uint64_t page = os::page_size_of(file);
  return (kRegionHeaderSize + content_size + page - 1) / page * page;
}

bool name_stands_for(const os::Descriptor& directory, const std::string& name,
                     const os::FileIdentity& identity) {
  const auto facts = os::facts_at(directory, name);
  return facts && facts.value.identity == identity;
}

bool is_over(const RegionFile& region) {
  if (is_retired(region.file)) return true;
  if (region.facts.lifetime != static_cast<std::uint32_t>(Lifetime::while_creator_lives)) {
    return false;
  }
  const auto alive =
      os::is_locked_elsewhere(region.file, RegionLock::kCreator, os::LockKind::exclusive);
  return alive && !alive.value;
}

bool retire(const RegionFile& region, const std::string& name) {
  const auto locked = os::try_lock(region.file, RegionLock::kRemove, os::LockKind::exclusive);
  if (!locked || locked.value == os::Locked::refused) return false;
  // The name first: where the directory refuses, nothing is decided and the region lives on. Killed
  // before the mark, the missing name says the same to everybody.
  os::Done gone;
  if (name_stands_for(region.directory, name, region.identity)) {
    gone = os::unlink_at(region.directory, name);
  }
  if (gone) mark_retired(region.file);
  // After the name, which is what says that they belong to somebody.
  if (gone && region.facts.has_satellites) remove_satellites(region.directory, region.identity);
  return true;  // closing the file, which whoever opened it does next, drops the lock
}

namespace {

// Guests hold no use lock on a file they cannot open; they hold one on the file they can. False if
// somebody does; otherwise nobody comes in until `seats` is closed.
bool keep_guests_out(const Domain& domain, const RegionFile& region, const std::string& object,
                     std::optional<RegionFile>& seats) {
  if (!region.facts.has_satellites) return true;
  seats = open_seats(domain, region.identity, os::Access::read_write, object);
  if (!seats) return true;
  const auto alone = os::try_lock(seats->file, RegionLock::kUse, os::LockKind::exclusive);
  if (!alone) throw system_error(object, "locking its seats for removal", alone.error);
  return alone.value == os::Locked::yes;
}

}  // namespace

Removal remove_region(const Domain& domain, const std::string& name, Force force,
                      const os::FileIdentity* only) {
  const os::ForkGuard no_forks;  // a child born now would keep the locks taken below
  const std::string object = describe_object("object", name, domain.path());
  check_removable(name);
  std::optional<RegionFile> region;
  try {
    region = open_region_file(domain, name, object);
  } catch (const Error& error) {
    if (force == Force::no || !can_never_be_opened(error)) throw;
    return remove_unreadable(domain, name, object);
  }
  if (!region || (only != nullptr && region->identity != *only)) return Removal::not_found;
  std::optional<RegionFile> seats;
  if (force == Force::no && !is_over(*region)) {
    // Holding `use` exclusively until the file is closed keeps newcomers out meanwhile.
    const auto alone = os::try_lock(region->file, RegionLock::kUse, os::LockKind::exclusive);
    if (!alone) throw system_error(object, "locking it for removal", alone.error);
    if (alone.value == os::Locked::refused) return Removal::in_use;
    // They do not keep an object alive whose members all left; but nobody takes it from them
    // unasked.
    if (only == nullptr && !keep_guests_out(domain, *region, object, seats)) return Removal::in_use;
  }
  if (!retire(*region, name)) return Removal::in_use;
  if (name_stands_for(region->directory, name, region->identity)) {
    throw Error(Errc::permission_denied, {.object = object,
                                          .expected = "the right to remove a name",
                                          .found = "a directory that refuses it",
                                          .remedy = "chmod u+w " + domain.path()});
  }
  return Removal::removed;
}

void tidy_domain(const Domain& domain) noexcept {
  try {
    if (!domain.exists() || !domain.names().empty()) return;
    if (remove_region(domain, kMembersName, Force::no) != Removal::in_use) {
      domain.remove_if_empty();
    }
  } catch (const std::exception&) {
    // Nothing is lost: an empty table stays for the next member.
  }
}

Newborn::Newborn(const Domain& domain, const std::string& object)
    : directory_(domain.open_or_create()) {
  const os::ForkGuard no_forks;
  auto unnamed = os::create_unnamed(directory_);
  if (unnamed) {
    adopt(std::move(unnamed.value));
    return;
  }
  if (!file_system_lacks_unnamed(unnamed.error)) {
    throw system_error(object, "creating a file", unnamed.error);
  }
  remove_stillborn(directory_);
  temporary_name_ = std::string(kTemporaryPrefix) + std::to_string(os::random_number());
  auto named = os::create_at(directory_, temporary_name_);
  if (!named) throw system_error(object, "creating a file", named.error);
  adopt(std::move(named.value));
  // Tells remove_stillborn() that the parent lives; in the instant before, it may take our name
  // away, and publish() then reports it.
  const auto locked = os::try_lock(file_, RegionLock::kRemove, os::LockKind::shared);
  if (!locked) throw system_error(object, "locking the new file", locked.error);
}

void Newborn::adopt(os::Descriptor file) {
  os::close_in_children(file.number());
  file_ = std::move(file);
}

os::Descriptor Newborn::keep_file() noexcept {
  os::forget_descriptor(file_.number());
  return std::move(file_);
}

Newborn::~Newborn() {
  const os::ForkGuard no_forks;
  if (file_) os::forget_descriptor(file_.number());
  file_.close();
  if (!temporary_name_.empty()) static_cast<void>(os::unlink_at(directory_, temporary_name_));
}

Newborn::Published Newborn::publish(const std::string& name, const std::string& object) {
  const auto linked = temporary_name_.empty() ? os::link_unnamed(file_, directory_, name)
                                              : os::link_named(directory_, temporary_name_, name);
  if (linked) {
    // What remove_stillborn() asks; the file may be kept open.
    if (!temporary_name_.empty()) static_cast<void>(os::unlock(file_, RegionLock::kRemove));
    return Published::yes;
  }
  if (linked.error == EEXIST) return Published::taken;
  if (linked.error == ENOENT) return Published::directory_gone;
  throw system_error(object, "giving the file its name", linked.error);
}

int remove_stillborn(const os::Descriptor& directory) {
  int removed = remove_lost_satellites(directory);
  const auto names = os::names_in(directory);
  for (const std::string& name : names.value) {
    if (!name.starts_with(kTemporaryPrefix)) continue;
    const auto file = os::open_at(directory, name, os::Access::read_write);
    if (!file) continue;
    const auto locked = os::try_lock(file.value, RegionLock::kRemove, os::LockKind::exclusive);
    if (!locked || locked.value == os::Locked::refused) continue;
    if (os::unlink_at(directory, name)) ++removed;
  }
  return removed;
}

std::string describe_users(const RegionFile& region) {
  const auto creator =
      os::is_locked_elsewhere(region.file, RegionLock::kCreator, os::LockKind::exclusive);
  const auto users =
      os::is_locked_elsewhere(region.file, RegionLock::kUse, os::LockKind::exclusive);
  std::string text = "its creator (" + region.facts.creator_program + ", process " +
                     std::to_string(region.facts.creator_pid) + ") is ";
  text += creator && creator.value ? "alive" : "dead";
  text += users && users.value ? ", and it is in use" : ", and nobody uses it";
  return text;
}

AdminLock::AdminLock(const Domain& domain, const std::string& name,
                     const os::FileIdentity& identity, Deadline deadline) noexcept {
  // The lock cannot be slept on with a deadline, so it is asked for with growing pauses; who holds
  // it works for some microseconds, is stopped, or is dead, and the dead hold no locks.
  for (auto pause = 20us;; pause = std::min(pause * 2, 5000us)) {
    no_forks_.emplace();
    answer_ = attempt(domain, name, identity);
    if (answer_ == Answer::held) return;
    file_.close();
    no_forks_.reset();
    if (answer_ != Answer::timed_out || deadline.has_passed()) return;
    os::pause_for(pause, deadline);
  }
}

AdminLock::Answer AdminLock::attempt(const Domain& domain, const std::string& name,
                                     const os::FileIdentity& identity) noexcept {
  const auto directory = os::open_directory(domain.path());
  auto file = directory ? os::open_at(directory.value, name, os::Access::read_write)
                        : os::Outcome<os::Descriptor>::failed(directory.error);
  error_ = file.error;
  if (!file) return error_ == ENOENT ? Answer::orphaned : Answer::failed;
  const auto facts = os::facts_of(file.value);
  if (!facts || facts.value.identity != identity) return Answer::orphaned;
  file_ = std::move(file.value);
  const auto locked = os::try_lock(file_, RegionLock::kAdmin, os::LockKind::exclusive);
  error_ = locked.error;
  if (!locked) return Answer::failed;
  return locked.value == os::Locked::yes ? Answer::held : Answer::timed_out;
}

void AdminLock::require(const std::string& object) const {
  switch (answer_) {
    case Answer::held:
      return;
    case Answer::timed_out:
      throw Error(
          Errc::timed_out,
          {.object = object,
           .expected = "its administrative lock within the deadline",
           .found = "a living process that holds it",
           .remedy = "allow a longer deadline; if it stays so, look for a stopped process"});
    case Answer::orphaned:
      throw Error(Errc::orphaned, {.object = object,
                                   .expected = "the file this handle was opened on",
                                   .found = "none of that name, or a newer one",
                                   .remedy = "open it anew"});
    case Answer::failed:
      break;
  }
  throw system_error(object, "taking its administrative lock", error_);
}

}  // namespace kith::internal
