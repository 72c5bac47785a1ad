#include "kith/os/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kith/os/huge_pages.hpp"
#include "kith/os/mapping.hpp"

namespace kith::os {
namespace {

constexpr mode_t kPrivate = 0600;

Outcome<Descriptor> opened(int number) {
  if (number < 0) return Outcome<Descriptor>::failed(errno);
  return {Descriptor(number), 0};
}

Done done(int answer) {
  return {answer == 0 ? 0 : errno};
}

// O_NONBLOCK: opening a FIFO or a device that somebody put in our way must not hang.
int flags_for(Access access) {
  return (access == Access::read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
         O_NOCTTY;
}

std::string path_of(const Descriptor& file) {
  return "/proc/self/fd/" + std::to_string(file.number());
}

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::regular;
  if (S_ISDIR(mode)) return FileKind::directory;
  if (S_ISLNK(mode)) return FileKind::link;
  return FileKind::other;
}

FileFacts facts_from(const struct stat& status) {
  FileFacts facts;
  facts.identity = {static_cast<std::uint64_t>(status.st_dev),
                    static_cast<std::uint64_t>(status.st_ino)};
  facts.kind = kind_of(status.st_mode);
  facts.size = static_cast<std::uint64_t>(status.st_size);
  facts.allocated_bytes = static_cast<std::uint64_t>(status.st_blocks) * 512;
  facts.owner = status.st_uid;
  facts.group = status.st_gid;
  facts.permissions = status.st_mode & 07777;
  facts.links = static_cast<std::uint32_t>(status.st_nlink);
  return facts;
}

// For hugetlbfs, which knows no write(2).
Done write_through_mapping(const Descriptor& file, const void* from, std::uint64_t length,
                           std::uint64_t offset) {
  const auto facts = facts_of(file);
  if (!facts) return {facts.error};
  if (offset + length > facts.value.size) return {EFBIG};
  // A page that is not there would be a SIGBUS where the pool is empty.
  if (const Done allocated = allocate(file, offset, length); !allocated) return allocated;
  const std::uint64_t page = page_size_of(file);
  const std::uint64_t begin = offset / page * page;
  const std::uint64_t size = (offset - begin + length + page - 1) / page * page;
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                         file.number(), static_cast<off_t>(begin));
  if (address == MAP_FAILED) return {errno};
  std::memcpy(static_cast<char*>(address) + (offset - begin), from, length);
  return done(::munmap(address, size));
}

}  // namespace

void Descriptor::close() noexcept {
  // The number is gone even where close reports EINTR, so there is nothing to repeat.
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Outcome<Descriptor> open_directory(const std::string& path) {
  return opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

Outcome<Descriptor> open_at(const Descriptor& directory, const std::string& name, Access access) {
  return opened(::openat(directory.number(), name.c_str(), flags_for(access)));
}

Outcome<Descriptor> open_path(const std::string& path, Access access) {
  return opened(::open(path.c_str(), flags_for(access)));
}

Outcome<Descriptor> open_again(const Descriptor& file, Access access) {
  const int flags = access == Access::read_only ? O_RDONLY : O_RDWR;
  return opened(::open(path_of(file).c_str(), flags | O_CLOEXEC));
}

Outcome<Descriptor> duplicate(int number) {
  return opened(::fcntl(number, F_DUPFD_CLOEXEC, 0));
}

Outcome<Descriptor> create_unnamed(const Descriptor& directory) {
  return opened(::openat(directory.number(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kPrivate));
}

Outcome<Descriptor> create_at(const Descriptor& directory, const std::string& name) {
  return opened(::openat(directory.number(), name.c_str(),
                         flags_for(Access::read_write) | O_CREAT | O_EXCL, kPrivate));
}

Outcome<Descriptor> create_path(const std::string& path) {
  return opened(::open(path.c_str(), flags_for(Access::read_write) | O_CREAT | O_EXCL, kPrivate));
}

Done link_unnamed(const Descriptor& file, const Descriptor& directory, const std::string& name) {
  // Through /proc, because AT_EMPTY_PATH asks older kernels' callers for a capability.
  return done(::linkat(AT_FDCWD, path_of(file).c_str(), directory.number(), name.c_str(),
                       AT_SYMLINK_FOLLOW));
}

Done link_named(const Descriptor& directory, const std::string& from, const std::string& to) {
  return done(::linkat(directory.number(), from.c_str(), directory.number(), to.c_str(), 0));
}

Done unlink_at(const Descriptor& directory, const std::string& name) {
  return done(::unlinkat(directory.number(), name.c_str(), 0));
}

Done unlink_path(const std::string& path) {
  return done(::unlink(path.c_str()));
}

Outcome<FileFacts> facts_of(const Descriptor& file) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return Outcome<FileFacts>::failed(errno);
  return {facts_from(status), 0};
}

Outcome<FileFacts> facts_at(const Descriptor& directory, const std::string& name) {
  struct stat status {};
  if (::fstatat(directory.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return Outcome<FileFacts>::failed(errno);
  }
  return {facts_from(status), 0};
}

Outcome<FileFacts> facts_of_path(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return Outcome<FileFacts>::failed(errno);
  return {facts_from(status), 0};
}

Outcome<SpaceFacts> space_of(const Descriptor& file) {
  struct statvfs status {};
  if (::fstatvfs(file.number(), &status) != 0) return Outcome<SpaceFacts>::failed(errno);
  const std::uint64_t unit = status.f_frsize;
  return {{status.f_bavail * unit, status.f_blocks * unit}, 0};
}

Done set_permissions(const Descriptor& file, std::uint32_t permissions) {
  return done(::fchmod(file.number(), permissions));
}

Done set_owner(const Descriptor& file, std::uint32_t owner, std::uint32_t group) {
  return done(::fchown(file.number(), owner, group));
}

Done set_size(const Descriptor& file, std::uint64_t size) {
  // Beyond this limit the kernel answers with a signal that ends the process.
  struct rlimit limit {};
  const bool known = ::getrlimit(RLIMIT_FSIZE, &limit) == 0;
  if (known && limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur) return {EFBIG};
  return done(::ftruncate(file.number(), static_cast<off_t>(size)));
}

Done allocate(const Descriptor& file, std::uint64_t offset, std::uint64_t length) {
  // In pieces: the tmpfs of many kernels undoes an allocation that a signal interrupts, and a
  // program with a fast periodic timer, as a profiler's, would never see the end of a long one. A
  // piece takes about 0.1 ms.
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  for (const std::uint64_t end = offset + length; offset < end;) {
    const std::uint64_t piece = std::min(kPiece, end - offset);
    const int error =
        ::posix_fallocate(file.number(), static_cast<off_t>(offset), static_cast<off_t>(piece));
    if (error == EINTR) continue;
    if (error != 0) return {error};
    offset += piece;
  }
  return {};
}

Outcome<std::uint64_t> hole_from(const Descriptor& file, std::uint64_t offset) {
  const off_t hole = ::lseek(file.number(), static_cast<off_t>(offset), SEEK_HOLE);
  if (hole >= 0) return {static_cast<std::uint64_t>(hole), 0};
  if (errno == ENXIO) return {offset, 0};  // behind the end
  return Outcome<std::uint64_t>::failed(errno);
}

Done give_back(const Descriptor& file, std::uint64_t offset, std::uint64_t length) {
  return done(::fallocate(file.number(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                          static_cast<off_t>(offset), static_cast<off_t>(length)));
}

Outcome<std::uint64_t> read_at(const Descriptor& file, void* to, std::uint64_t length,
                               std::uint64_t offset) {
  std::uint64_t got = 0;
  while (got < length) {
    const ssize_t piece = ::pread(file.number(), static_cast<char*>(to) + got, length - got,
                                  static_cast<off_t>(offset + got));
    if (piece < 0 && errno == EINTR) continue;
    if (piece < 0) return Outcome<std::uint64_t>::failed(errno);
    if (piece == 0) break;
    got += static_cast<std::uint64_t>(piece);
  }
  return {got, 0};
}

Done write_at(const Descriptor& file, const void* from, std::uint64_t length,
              std::uint64_t offset) {
  std::uint64_t put = 0;
  while (put < length) {
    const ssize_t piece = ::pwrite(file.number(), static_cast<const char*>(from) + put,
                                   length - put, static_cast<off_t>(offset + put));
    if (piece < 0 && errno == EINTR) continue;
    if (piece < 0 && errno == EINVAL && page_size_of(file) != page_size()) {
      return write_through_mapping(file, from, length, offset);
    }
    if (piece <= 0) return {piece < 0 ? errno : EIO};
    put += static_cast<std::uint64_t>(piece);
  }
  return {};
}

Done write_back(const Descriptor& file) {
  const bool written = ::fsync(file.number()) == 0;
  // Some file systems have no disk for a directory: there is nothing to wait for.
  return {written || errno == EINVAL || errno == EROFS ? 0 : errno};
}

Done make_directory(const std::string& path, std::uint32_t permissions) {
  return done(::mkdir(path.c_str(), permissions));
}

Done remove_directory(const std::string& path) {
  return done(::rmdir(path.c_str()));
}

Outcome<std::vector<std::string>> names_in(const Descriptor& directory) {
  using Names = std::vector<std::string>;
  // A descriptor of its own: readdir moves the position that all duplicates share.
  const int number = ::openat(directory.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return Outcome<Names>::failed(errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(number), &::closedir);
  if (!stream) {
    const int error = errno;
    ::close(number);
    return Outcome<Names>::failed(error);
  }
  Names names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) return Outcome<Names>::failed(errno);
  std::sort(names.begin(), names.end());
  return {std::move(names), 0};
}

Outcome<Descriptor> open_posix_shm(const std::string& name, Access access) {
  const int flags = access == Access::read_only ? O_RDONLY : O_RDWR;
  return opened(::shm_open(name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK, 0));
}

Outcome<Descriptor> create_posix_shm(const std::string& name) {
  return opened(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, kPrivate));
}

Done unlink_posix_shm(const std::string& name) {
  return done(::shm_unlink(name.c_str()));
}

Outcome<Descriptor> create_memfd(const std::string& name) {
  return opened(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

Done seal_size(const Descriptor& memfd) {
  return done(::fcntl(memfd.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
}

Outcome<bool> size_is_sealed(const Descriptor& memfd) {
  const int seals = ::fcntl(memfd.number(), F_GET_SEALS);
  if (seals < 0) return Outcome<bool>::failed(errno);
  return {(seals & F_SEAL_SHRINK) != 0, 0};
}

}  // namespace kith::os
