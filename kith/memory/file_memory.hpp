// FileMemory: memory that is a file, under a path on any file system.
//
//   auto table = FileMemory::create("/var/lib/app/table", 1 << 20);
//   auto other = FileMemory::open("/var/lib/app/table", Access::read_write);
//   table.flush();                                        // on the disk when it returns
//   FileMemory::remove("/var/lib/app/table");
//
// States       see memory.hpp. On a disk the file outlives the machine's restart; the kernel writes
//              it back when it likes and in any order. What was flushed before a power cut is
//              there after it; pages written since may be old or new, each for itself.
// Callers      see memory.hpp; create, open and remove: any thread.
// A peer dies  see memory.hpp: a killed process loses nothing that it wrote. Where the file system
//              has no unnamed files (NFS, 9p, older overlayfs), a killed creator may leave a file
//              .new-memory-... beside the path; never a half-made memory under it. Killed in
//              flush(), it leaves some pages written back and the others for the kernel to write.
// Cost         see memory.hpp; on a disk the kernel adds the writing back. flush(): as long as the
//              disk takes.
//
// A symbolic link as the last component of the path is refused, not followed. Use PosixShm where
// the bytes need no disk, and a tmpfs path where they need neither disk nor a name known to
// shm_open.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "kith/memory/internal/mapped_bytes.hpp"
#include "kith/memory/memory.hpp"

namespace kith {

class FileMemory : public internal::MappedBytes {
 public:
  using Name = std::string;

  FileMemory() noexcept = default;

  [[nodiscard]] static FileMemory create(const std::string& path, std::uint64_t size);
  [[nodiscard]] static FileMemory open(const std::string& path, Access access);
  static void remove(const std::string& path);

  // Returns when every byte written by any process before the call, the size and the name have
  // reached the disk, or what the disk calls so. Nothing to do where the file lies in memory. It
  // takes no deadline, because the kernel offers none: a slow disk or a dead network server holds
  // it up. Throws system if the disk refused; the kernel says so once, and the pages that failed
  // count as written from then on: create the file anew. Works read-only too.
  void flush() const;

  // The path as it was given.
  [[nodiscard]] const std::string& name() const noexcept { return path_; }
  [[nodiscard]] os::Descriptor descriptor() const;

 private:
  FileMemory(internal::MappedBytes bytes, std::string path) noexcept
      : MappedBytes(std::move(bytes)), path_(std::move(path)) {}

  std::string path_;
};

static_assert(NamedMemory<FileMemory> && DescriptorMemory<FileMemory>);

}  // namespace kith
