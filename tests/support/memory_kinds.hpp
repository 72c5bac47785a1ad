// The kinds of memory as the conformance suites see them: how a fresh name looks, how a memory is
// created, opened again and looked at from outside. The rest is one for all.
#pragma once

#include <csignal>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

#include "kith/memory/file_memory.hpp"
#include "kith/memory/huge_file.hpp"
#include "kith/memory/memfd.hpp"
#include "kith/memory/posix_shm.hpp"
#include "kith/memory/sysv_shm.hpp"
#include "kith/os/mapping.hpp"

#include "tests/support/huge_pool.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::tests {

inline std::string fresh_word() {
  static int count = 0;
  return "kith-memory-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

// What kinds of ordinary pages that have a descriptor share.
struct FileLike {
  // Why this kind cannot be tried here.
  [[nodiscard]] static std::string refusal() { return ""; }
  // The size that comes of a wanted one.
  [[nodiscard]] static std::uint64_t whole(std::uint64_t size) { return size; }
  template <class M>
  [[nodiscard]] static std::uint64_t allocated(const M& memory) {
    return os::facts_of(memory.descriptor()).value.allocated_bytes;
  }
  template <class M>
  [[nodiscard]] static std::uint32_t permissions(const M& memory) {
    return os::facts_of(memory.descriptor()).value.permissions;
  }
  template <class M>
  static bool set_permissions(const M& memory, std::uint32_t permissions) {
    return static_cast<bool>(os::set_permissions(memory.descriptor(), permissions));
  }
};

struct PosixShmKind : FileLike {
  using Type = PosixShm;
  std::string name = "/" + fresh_word();
  std::string file = "/dev/shm" + name;
  [[nodiscard]] static std::string folder() { return "/dev/shm"; }
  [[nodiscard]] std::string text() const { return name; }
  [[nodiscard]] PosixShm create(std::uint64_t size) const { return PosixShm::create(name, size); }
  [[nodiscard]] PosixShm again(const PosixShm&, Access access) const {
    return PosixShm::open(name, access);
  }
  [[nodiscard]] bool is_there() const { return static_cast<bool>(os::facts_of_path(file)); }
  void clear() const { ::unlink(file.c_str()); }
};

struct FileKind : FileLike {
  using Type = FileMemory;
  ScratchDirectory directory;
  std::string name = directory.in("memory");
  std::string file = name;
  [[nodiscard]] std::string folder() const { return directory.path(); }
  [[nodiscard]] std::string text() const { return name; }
  [[nodiscard]] FileMemory create(std::uint64_t size) const {
    return FileMemory::create(name, size);
  }
  [[nodiscard]] FileMemory again(const FileMemory&, Access access) const {
    return FileMemory::open(name, access);
  }
  [[nodiscard]] bool is_there() const { return static_cast<bool>(os::facts_of_path(file)); }
  void clear() const { ::unlink(file.c_str()); }
};

// The same kind on a disk, where the bytes are allocated and zeroed in other ways.
struct DiskFileKind : FileKind {
  DiskFileKind() : on_disk("/var/tmp") {
    name = on_disk.in("memory");
    file = name;
  }
  [[nodiscard]] std::string folder() const { return on_disk.path(); }
  ScratchDirectory on_disk;
};

struct MemfdKind : FileLike {
  using Type = Memfd;
  std::string name = fresh_word();
  [[nodiscard]] std::string text() const { return name; }
  [[nodiscard]] Memfd create(std::uint64_t size) const { return Memfd::create(name, size); }
  [[nodiscard]] static Memfd again(const Memfd& memory, Access access) {
    return Memfd::open(memory.descriptor().number(), access);
  }
  void clear() const {}
};

// Pages enough for every test of the suites.
inline constexpr std::uint64_t kHugePagesForTests = 8;

struct HugeMemfdKind : FileLike {
  using Type = Memfd;
  HugePool pool{kHugePagesForTests};
  std::string name = fresh_word();
  [[nodiscard]] std::string refusal() const { return pool.refusal(); }
  [[nodiscard]] std::string text() const { return name; }
  [[nodiscard]] std::uint64_t whole(std::uint64_t size) const {
    return (size + pool.page_size() - 1) / pool.page_size() * pool.page_size();
  }
  [[nodiscard]] Memfd create(std::uint64_t size) const { return Memfd::create_huge(name, size); }
  [[nodiscard]] static Memfd again(const Memfd& memory, Access access) {
    return Memfd::open(memory.descriptor().number(), access);
  }
  void clear() const {}
};

struct HugeFileKind : FileLike {
  using Type = HugeFile;
  HugePool pool{kHugePagesForTests};
  ScratchDirectory directory;
  std::string mounted = mount_huge_pages(directory.path());
  std::string name = directory.in("memory");
  std::string file = name;
  ~HugeFileKind() {
    clear();
    ::umount2(directory.path().c_str(), MNT_DETACH);
  }
  [[nodiscard]] std::string refusal() const {
    return pool.refusal().empty() ? mounted : pool.refusal();
  }
  [[nodiscard]] std::string folder() const { return directory.path(); }
  [[nodiscard]] std::string text() const { return name; }
  [[nodiscard]] std::uint64_t whole(std::uint64_t size) const {
    return (size + pool.page_size() - 1) / pool.page_size() * pool.page_size();
  }
  [[nodiscard]] HugeFile create(std::uint64_t size) const { return HugeFile::create(name, size); }
  [[nodiscard]] HugeFile again(const HugeFile&, Access access) const {
    return HugeFile::open(name, access);
  }
  [[nodiscard]] bool is_there() const { return static_cast<bool>(os::facts_of_path(file)); }
  void clear() const { ::unlink(file.c_str()); }
};

struct SysvShmKind {
  using Type = SysvShm;
  SysvKey name = SysvKey::of_number(0x6b000000 | static_cast<std::int32_t>(::getpid()));
  [[nodiscard]] static std::string refusal() { return ""; }
  [[nodiscard]] static std::uint64_t whole(std::uint64_t size) { return size; }
  [[nodiscard]] std::string text() const { return name.text(); }
  [[nodiscard]] SysvShm create(std::uint64_t size) const { return SysvShm::create(name, size); }
  [[nodiscard]] SysvShm again(const SysvShm&, Access access) const {
    return SysvShm::open(name, access);
  }
  // The bytes that are in memory, as the kernel's own list has them.
  [[nodiscard]] static std::uint64_t allocated(const SysvShm& memory) {
    std::ifstream list("/proc/sysvipc/shm");
    std::string words;
    std::getline(list, words);
    while (std::getline(list, words)) {
      std::istringstream line(words);
      std::uint64_t field[15] = {};
      for (std::uint64_t& number : field) line >> number;
      if (static_cast<std::int32_t>(field[1]) == memory.id()) return field[14];
    }
    return 0;
  }
  [[nodiscard]] static std::uint32_t permissions(const SysvShm& memory) {
    return memory.facts().permissions;
  }
  static bool set_permissions(const SysvShm& memory, std::uint32_t permissions) {
    return static_cast<bool>(os::set_sysv_permissions(memory.id(), permissions));
  }
  [[nodiscard]] bool is_there() const {
    return static_cast<bool>(os::find_sysv_segment(name.number()));
  }
  void clear() const {
    const auto id = os::find_sysv_segment(name.number());
    if (id) static_cast<void>(os::remove_sysv_segment(id.value));
  }
};

}  // namespace kith::tests
