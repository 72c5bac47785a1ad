// Files and directories: descriptors, facts, allocation, links. Every call is close-on-exec and
// refuses to follow a link in the last component of a name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kith/os/outcome.hpp"

namespace kith::os {

// Owns a file descriptor; closes it at the end. Null when moved from.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { close(); }

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  explicit operator bool() const noexcept { return number_ >= 0; }
  void close() noexcept;

 private:
  int number_ = -1;
};

enum class FileKind { regular, directory, link, other };
enum class Access { read_only, read_write };

struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) noexcept = default;
};

struct FileFacts {
  FileIdentity identity;
  FileKind kind = FileKind::other;
  std::uint64_t size = 0;             // bytes, as `ls -l` shows
  std::uint64_t allocated_bytes = 0;  // bytes that occupy memory or disk, as `du` shows
  std::uint32_t owner = 0;            // user id
  std::uint32_t group = 0;            // group id
  std::uint32_t permissions = 0;      // the low twelve bits of the mode
  std::uint32_t links = 0;
};

struct SpaceFacts {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

Outcome<Descriptor> open_directory(const std::string& path);
Outcome<Descriptor> open_at(const Descriptor& directory, const std::string& name, Access access);
Outcome<Descriptor> open_path(const std::string& path, Access access);
// A second, independent open of the same file: locks taken through one are seen by the other.
Outcome<Descriptor> open_again(const Descriptor& file, Access access);
// A second descriptor of the same open, for one handed over by number: same rights, same locks.
Outcome<Descriptor> duplicate(int number);
// A regular file without a name: it vanishes with its last descriptor and mapping.
Outcome<Descriptor> create_unnamed(const Descriptor& directory);
Outcome<Descriptor> create_at(const Descriptor& directory, const std::string& name);
Outcome<Descriptor> create_path(const std::string& path);
// Gives an unnamed file its name; EEXIST if the name is taken.
Done link_unnamed(const Descriptor& file, const Descriptor& directory, const std::string& name);
Done link_named(const Descriptor& directory, const std::string& from, const std::string& to);
Done unlink_at(const Descriptor& directory, const std::string& name);
Done unlink_path(const std::string& path);

Outcome<FileFacts> facts_of(const Descriptor& file);
Outcome<FileFacts> facts_at(const Descriptor& directory, const std::string& name);
Outcome<FileFacts> facts_of_path(const std::string& path);
Outcome<SpaceFacts> space_of(const Descriptor& file);

Done set_permissions(const Descriptor& file, std::uint32_t permissions);
Done set_owner(const Descriptor& file, std::uint32_t owner, std::uint32_t group);
Done set_size(const Descriptor& file, std::uint64_t size);
// Makes [offset, offset + length) occupy real pages now, so that a full file system is an error
// here and not a SIGBUS at the first touch.
Done allocate(const Descriptor& file, std::uint64_t offset, std::uint64_t length);
// The first place from `offset` on, inside the file, where no page is, to be touched through a
// mapping without a new one: its end if there is none. Pages that were allocated and never written
// count as missing on some file systems.
Outcome<std::uint64_t> hole_from(const Descriptor& file, std::uint64_t offset);
// Gives the pages of a range back; it reads as zeros from then on, and the file keeps its size.
Done give_back(const Descriptor& file, std::uint64_t offset, std::uint64_t length);
// Reads up to `length` bytes at `offset`; safe where touching a mapping would not be.
Outcome<std::uint64_t> read_at(const Descriptor& file, void* to, std::uint64_t length,
                               std::uint64_t offset);
Done write_at(const Descriptor& file, const void* from, std::uint64_t length, std::uint64_t offset);
// Returns when the file or directory has reached its disk.
Done write_back(const Descriptor& file);

Done make_directory(const std::string& path, std::uint32_t permissions);
Done remove_directory(const std::string& path);
Outcome<std::vector<std::string>> names_in(const Descriptor& directory);

// shm_open's names, for memory shared with programs that use it.
Outcome<Descriptor> open_posix_shm(const std::string& name, Access access);
Outcome<Descriptor> create_posix_shm(const std::string& name);
Done unlink_posix_shm(const std::string& name);

Outcome<Descriptor> create_memfd(const std::string& name);
// From here on nobody, owner included, can change the size.
Done seal_size(const Descriptor& memfd);
Outcome<bool> size_is_sealed(const Descriptor& memfd);

}  // namespace kith::os
