#include "kith/region/internal/satellite.hpp"

#include <cerrno>
#include <charconv>
#include <set>

#include "kith/os/failure.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

// The number in ".NUMBER.data" or ".NUMBER.seats".
std::optional<std::uint64_t> object_of(const std::string& name) {
  const std::size_t dot = name.find('.', 1);
  if (!name.starts_with('.') || dot == std::string::npos) return std::nullopt;
  const std::string_view what = std::string_view(name).substr(dot + 1);
  if (what != kDataSatellite && what != kSeatsSatellite) return std::nullopt;
  std::uint64_t inode = 0;
  const char* end = name.data() + dot;
  const auto parsed = std::from_chars(name.data() + 1, end, inode);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return inode;
}

std::set<std::uint64_t> inodes_in(const os::Descriptor& directory) {
  std::set<std::uint64_t> inodes;
  const auto names = os::names_in(directory);
  for (const std::string& name : names.value) {
    const auto facts = os::facts_at(directory, name);
    if (facts) inodes.insert(facts.value.identity.inode);
  }
  return inodes;
}

}  // namespace

std::string satellite_name(const os::FileIdentity& object, const char* what) {
  return "." + std::to_string(object.inode) + "." + what;
}

void remove_satellites(const os::Descriptor& directory, const os::FileIdentity& object) noexcept {
  for (const char* what : {kDataSatellite, kSeatsSatellite}) {
    // Missing is what is wanted; refused, it stays for who may.
    static_cast<void>(os::unlink_at(directory, satellite_name(object, what)));
  }
}

namespace {

// Its creator holds this lock on the data, which come before the seats, until the object has its
// name. Asked for in a way that only a lock for writing refuses: a guest, who may not write the
// data, cannot pretend to be a creator and so keep garbage.
bool is_being_born(const os::Descriptor& directory, const os::FileIdentity& object) {
  const std::string name = satellite_name(object, kDataSatellite);
  const auto data = os::open_at(directory, name, os::Access::read_only);
  if (!data) return data.error != ENOENT;  // what cannot be asked stays
  const auto held = os::is_locked_elsewhere(data.value, RegionLock::kCreator, os::LockKind::shared);
  return !held || held.value;
}

}  // namespace

int remove_lost_satellites(const os::Descriptor& directory) noexcept {
  int removed = 0;
  const auto names = os::names_in(directory);
  for (const std::string& name : names.value) {
    const auto inode = object_of(name);
    if (!inode) continue;
    const auto before = os::facts_at(directory, name);
    // In this order: an object has its name before its creator lets go of the lock.
    if (!before || is_being_born(directory, {.device = 0, .inode = *inode})) continue;
    if (inodes_in(directory).contains(*inode)) continue;
    if (!name_stands_for(directory, name, before.value.identity)) continue;
    if (os::unlink_at(directory, name)) ++removed;
  }
  return removed;
}

namespace {

// Its bytes unread.
std::optional<RegionFile> open_unread(const Domain& domain, const os::FileIdentity& object,
                                      const char* what, os::Access access,
                                      const std::string& description) {
  RegionFile satellite;
  satellite.directory = domain.open();
  auto file = os::open_at(satellite.directory, satellite_name(object, what), access);
  if (!file && file.error == ENOENT) return std::nullopt;
  if (!file) {
    throw system_error(description, std::string("opening its ") + what, file.error);
  }
  satellite.file = std::move(file.value);
  const auto facts = os::facts_of(satellite.file);
  if (!facts) throw system_error(description, "looking at its files", facts.error);
  if (facts.value.kind != os::FileKind::regular) {
    throw header_error(description, HeaderFault::not_ours, RegionHeader{}, facts.value.size);
  }
  satellite.identity = facts.value.identity;
  satellite.facts.size = facts.value.size;
  return satellite;
}

}  // namespace

std::optional<RegionFile> open_seats(const Domain& domain, const os::FileIdentity& object,
                                     os::Access access, const std::string& description) {
  return open_unread(domain, object, kSeatsSatellite, access, description);
}

std::optional<RegionFile> open_satellite(const Domain& domain, const os::FileIdentity& object,
                                         const char* what, os::Access access,
                                         const std::string& description) {
  auto satellite = open_unread(domain, object, what, access, description);
  if (!satellite) return std::nullopt;
  const std::uint64_t size = satellite->facts.size;
  RegionHeader header{};
  const auto got = os::read_at(satellite->file, &header, sizeof header, 0);
  if (!got) throw system_error(description, "reading a header", got.error);
  HeaderFault fault = check_header(header, size);
  if (got.value < sizeof header && fault != HeaderFault::not_ours) fault = HeaderFault::damaged;
  if (header.geometry[kObjectInodeWord] != object.inode) fault = HeaderFault::damaged;
  if (fault != HeaderFault::none) throw header_error(description, fault, header, size);
  satellite->facts = facts_from(header);
  return satellite;
}

}  // namespace kith::internal
