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

int remove_lost_satellites(const os::Descriptor& directory) noexcept {
  int removed = 0;
  const auto names = os::names_in(directory);
  for (const std::string& name : names.value) {
    const auto object = object_of(name);
    if (!object) continue;
    const auto file = os::open_at(directory, name, os::Access::read_write);
    if (!file) continue;
    // Its creator holds this lock until the object has its name.
    const auto locked = os::try_lock(file.value, RegionLock::kCreator, os::LockKind::exclusive);
    if (!locked || locked.value == os::Locked::refused) continue;
    if (inodes_in(directory).contains(*object)) continue;
    if (os::unlink_at(directory, name)) ++removed;
  }
  return removed;
}

std::optional<RegionFile> open_satellite(const Domain& domain, const os::FileIdentity& object,
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
  const auto around = os::facts_of(satellite.directory);
  if (!facts || !around) {
    throw system_error(description, "looking at its files", std::max(facts.error, around.error));
  }
  RegionHeader header{};
  const auto got = os::read_at(satellite.file, &header, sizeof header, 0);
  if (!got) throw system_error(description, "reading a header", got.error);
  HeaderFault fault = check_header(header, facts.value.size);
  if (got.value < sizeof header && fault != HeaderFault::not_ours) fault = HeaderFault::damaged;
  if (header.geometry[kObjectInodeWord] != object.inode) fault = HeaderFault::damaged;
  if (facts.value.kind != os::FileKind::regular) fault = HeaderFault::not_ours;
  if (fault != HeaderFault::none) {
    throw header_error(description, fault, header, facts.value.size);
  }
  satellite.identity = facts.value.identity;
  satellite.facts = facts_from(header);
  return satellite;
}

}  // namespace kith::internal
