// Satellites: further files of one object, where not everybody who may use a part of it may use all
// of it. A channel with guests has two, beside its own file that only members open:
//   .INODE.data    what guests read and cannot write
//   .INODE.seats   where guests say what they read: all that they can write
// INODE is the number of the object's own file, which therefore is made first; it gets its name
// last, and that is the commit. As long as it lives no other file can have its number, so whatever
// bears that number when it is born is what a killed creator or remover left: garbage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kith/os/file.hpp"
#include "kith/region/internal/file_rights.hpp"
#include "kith/region/internal/region_file.hpp"
#include "kith/region/layout.hpp"

namespace kith::internal {

inline constexpr const char* kDataSatellite = "data";
inline constexpr const char* kSeatsSatellite = "seats";

struct SatelliteSpec {
  const char* what = nullptr;  // kDataSatellite or kSeatsSatellite
  std::uint64_t content_size = 0;
  std::uint32_t mode = 0;
};

[[nodiscard]] std::string satellite_name(const os::FileIdentity& object, const char* what);

// Where a satellite's header says which object it belongs to: a word of the geometry.
inline constexpr std::size_t kObjectInodeWord = 7;

// Removes what is left of the satellites of an object that is gone, or is not born yet.
void remove_satellites(const os::Descriptor& directory, const os::FileIdentity& object) noexcept;

// Removes the satellites of objects that do not exist (any more). Returns how many.
int remove_lost_satellites(const os::Descriptor& directory) noexcept;

// A satellite opened by its name, which only those who may make objects can give; none of its bytes
// is looked at, because guests may write them all and cut it short. Empty if there is none of that
// name. Throws Error.
[[nodiscard]] std::optional<RegionFile> open_seats(const Domain& domain,
                                                   const os::FileIdentity& object,
                                                   os::Access access,
                                                   const std::string& description);

// One that guests cannot write, checked to belong to `object`; otherwise the same.
[[nodiscard]] std::optional<RegionFile> open_satellite(const Domain& domain,
                                                       const os::FileIdentity& object,
                                                       const char* what, os::Access access,
                                                       const std::string& description);

}  // namespace kith::internal
