// From rights as people say them to the modes of files: one object may be several files, each of
// which gives every class of users what it needs there and no more.
#pragma once

#include <cstdint>
#include <string>

#include "kith/os/file.hpp"
#include "kith/region/rights.hpp"

namespace kith::internal {

// Rights with every blank filled in.
struct FileRights {
  std::uint32_t mode = 0600;
  std::uint32_t group = 0;

  // Some class may read and not write: such users are guests.
  [[nodiscard]] bool has_guests() const noexcept;
  // The object's own file, of those who do everything.
  [[nodiscard]] std::uint32_t members_mode() const noexcept;
  // What guests only look at, and where they say what they look at.
  [[nodiscard]] std::uint32_t read_mode() const noexcept { return mode & 0666; }
  [[nodiscard]] std::uint32_t seats_mode() const noexcept;
};

// The number of a user or group. Throws invalid_argument if there is none of that name.
[[nodiscard]] std::uint32_t user_number(const std::string& name, const std::string& object);
[[nodiscard]] std::uint32_t group_number(const std::string& name, const std::string& object);

// What `asked` means for an object in `directory`. Throws invalid_argument for a mode that gives
// writing without reading, or reading to the group without a right to the directory's entries.
[[nodiscard]] FileRights file_rights(const Rights& asked, const os::FileFacts& directory,
                                     const std::string& object);

// Gives a new file that nobody else can see yet its mode and group.
void give_file_rights(const os::Descriptor& file, std::uint32_t mode, std::uint32_t group,
                      const os::FileFacts& directory, const std::string& object);

// True if a file of this owner and group in `directory` is one that those who share the directory
// made, and not somebody's who only may reach it.
[[nodiscard]] bool is_made_by_members(const os::FileFacts& file, const os::FileFacts& directory);

}  // namespace kith::internal
