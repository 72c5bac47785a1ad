// A memory's file: born whole under its name, opened, removed. What the named kinds of memory have
// in common; only where their names lie and how they are spelled differs.
#pragma once

#include <cstdint>
#include <string>

#include "kith/memory/internal/mapped_bytes.hpp"
#include "kith/os/file.hpp"

namespace kith::internal {

// Where a memory lies: `name` in `directory`; `object` is what errors call it.
struct Place {
  std::string directory;
  std::string name;
  std::string object;
};

// Of a path; throws invalid_name if its last part cannot be a file's name.
[[nodiscard]] Place place_of_path(const std::string& path, const std::string& object);

// Why `name` cannot be a file's name in a directory; empty if it can.
[[nodiscard]] std::string why_not_a_file_name(const std::string& name);

// Throws unless `size` is one that can be mapped: not zero, and within the address space.
void require_size(std::uint64_t size, const std::string& object);

// Throws no_space if the whole machine has less memory than that.
void require_machine_room(std::uint64_t size, const std::string& object);

// Gives an empty file `size` bytes, every one of them allocated. Throws no_space before it takes
// what others have left, if it can be known beforehand.
void make_room(const os::Descriptor& file, std::uint64_t size, const std::string& object);

// The same for a file of huge pages, rounded up to whole ones; returns the size it has then. Throws
// no_space with the pool named.
std::uint64_t make_huge_room(const os::Descriptor& file, std::uint64_t size,
                             const std::string& object);

// Maps the whole file at its present size, after a look at what it is.
[[nodiscard]] MappedBytes map_whole(const os::Descriptor& file, os::Access access,
                                    const std::string& object);

// How a file is kept from sight until it is complete.
enum class Birth { unnamed, temporary_name };

// A file nobody can see yet; gone at the end unless it was published.
class UnseenFile {
 public:
  UnseenFile(const Place& place, Birth birth);
  UnseenFile(const UnseenFile&) = delete;
  UnseenFile& operator=(const UnseenFile&) = delete;
  ~UnseenFile();

  [[nodiscard]] const os::Descriptor& file() const noexcept { return file_; }
  // Gives the file its name; throws already_exists if somebody was faster.
  void publish(const Place& place);

 private:
  void create_under_temporary_name(const Place& place);

  os::Descriptor directory_;
  os::Descriptor file_;
  std::string temporary_name_;  // only where the file system knows no unnamed files
};

[[nodiscard]] MappedBytes create_named(const Place& place, std::uint64_t size,
                                       Birth birth = Birth::unnamed);
[[nodiscard]] os::Descriptor open_file(const Place& place, os::Access access);
void require_regular(const os::Descriptor& file, const std::string& object);
[[nodiscard]] MappedBytes open_named(const Place& place, os::Access access);
void remove_named(const Place& place);
// A descriptor of what is mapped in `bytes`, by its name.
[[nodiscard]] os::Descriptor reopen_named(const Place& place, const MappedBytes& bytes);

}  // namespace kith::internal
