#include "kith/os/failure.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "kith/os/huge_pages.hpp"
#include "kith/os/mapping.hpp"
#include "kith/os/process.hpp"

namespace kith::internal {
namespace {

struct Meaning {
  Errc code;
  const char* remedy;
};

Meaning meaning_of(int error_number) {
  switch (error_number) {
    case ENOENT:
      return {Errc::not_found,
              "start the program that creates it; if it was there before, somebody removed it "
              "(systemd's RemoveIPC removes a user's shared memory at logout)"};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Errc::permission_denied,
              "run as its owner, have its owner grant the rights, or choose a place of your own"};
    case ELOOP:
      return {Errc::not_ours, "a symbolic link stands in its place: name its target, or remove it"};
    case ENXIO:
    case ENOTDIR:
    case EISDIR:
    case ENODEV:
      return {Errc::not_ours,
              "something else stands in its place: remove it, or choose another name"};
    case EMFILE:
      return {Errc::limit_reached,
              "this process may open no more files: raise `ulimit -n`, or close some"};
    case ENFILE:
      return {Errc::limit_reached, "the machine may open no more files: raise fs.file-max"};
    case ENOMEM:
      return {Errc::limit_reached,
              "no room to map it: look at `ulimit -v`, vm.max_map_count and the memory limit"};
    case EFBIG:
      return {Errc::limit_reached,
              "no file may be so large here: ask for less, or raise `ulimit -f`"};
    case ENOLCK:
      return {Errc::limit_reached, "the file system has no locks left or none at all"};
    case ENOSPC:
    case EDQUOT:
      return {Errc::no_space, "free some space or a quota, or use a larger file system"};
    case ENAMETOOLONG:
      return {Errc::invalid_name, "use a shorter name"};
    case EBADF:
      return {Errc::invalid_argument, "hand over the number of an open descriptor"};
    case EOPNOTSUPP:
    case EINVAL:
    case ENOSYS:
      return {Errc::unsupported, "use a file system that can, as tmpfs at /dev/shm"};
    default:
      return {Errc::system, ""};
  }
}

}  // namespace

std::string describe(os::FileKind kind) {
  switch (kind) {
    case os::FileKind::regular:
      return "a regular file";
    case os::FileKind::directory:
      return "a directory";
    case os::FileKind::link:
      return "a symbolic link";
    case os::FileKind::other:
      break;
  }
  return "a device, pipe or socket";
}

std::string octal(std::uint32_t permissions) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", permissions);
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  return std::to_string(bytes) + " bytes";
}

Error system_error(const std::string& object, const std::string& doing, int error_number) {
  const Meaning meaning = meaning_of(error_number);
  return Error(meaning.code, {.object = object,
                              .expected = {},
                              .found = doing + " failed: " + os::error_text(error_number),
                              .remedy = meaning.remedy});
}

Error no_space(const std::string& object, std::uint64_t wanted, const os::Descriptor& file) {
  const std::uint64_t page = os::page_size_of(file);
  if (page != os::page_size()) return no_huge_pages(object, wanted, page);
  const auto space = os::space_of(file);
  if (!space) return no_space(object, wanted, "less");
  return no_space(
      object, wanted,
      bytes_text(space.value.free_bytes) + " of " + bytes_text(space.value.total_bytes));
}

Error no_space(const std::string& object, std::uint64_t wanted, const std::string& found) {
  return Error(
      Errc::no_space,
      {.object = object,
       .expected = bytes_text(wanted) + " free",
       .found = found,
       .remedy = "free some, or enlarge the file system (a container's /dev/shm has 64 MiB "
                 "unless started with --shm-size)"});
}

Error no_huge_pages(const std::string& object, std::uint64_t wanted, std::uint64_t page_size) {
  const std::uint64_t pages = (wanted + page_size - 1) / page_size;
  const std::string file = os::huge_pool_file(page_size);
  const auto pool = os::huge_pool(page_size);
  std::string found = "less in the pool " + file;
  if (pool) {
    const std::uint64_t free =
        pool.value.free_pages - std::min(pool.value.free_pages, pool.value.reserved_pages);
    found = std::to_string(free) + " of the " + std::to_string(pool.value.pages) + " in the pool " +
            file;
  }
  return Error(Errc::no_space,
               {.object = object,
                .expected = std::to_string(pages) + " free huge pages of " + bytes_text(page_size),
                .found = found,
                .remedy = "write a larger number to " + file +
                          " as root, best soon after the start of the machine; if there are "
                          "enough, look at size= of the mount and the hugetlb limits of the "
                          "cgroup; or do without: any memory and advise_huge_pages()"});
}

}  // namespace kith::internal
