#include "kith/memory/internal/memory_errors.hpp"

#include <cerrno>
#include <cstddef>
#include <limits>

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
              "start the program that creates it; if it was there before, somebody removed it"};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Errc::permission_denied, "run as its owner, or have its owner grant the rights"};
    case ELOOP:
      return {Errc::not_ours, "a symbolic link stands in its place: name its target, or remove it"};
    case ENXIO:
    case ENOTDIR:
    case EISDIR:
    case ENODEV:
      return {Errc::not_ours, "something that is no file stands in its place: choose another name"};
    case EMFILE:
      return {Errc::limit_reached,
              "this process may open no more files: raise `ulimit -n`, or close some"};
    case ENFILE:
      return {Errc::limit_reached, "the machine may open no more files: raise fs.file-max"};
    case ENOMEM:
      return {Errc::limit_reached,
              "no room to map it: look at `ulimit -v`, vm.max_map_count and the memory limit"};
    case ENOSPC:
    case EDQUOT:
      return {Errc::no_space, "free some space or a quota, or use a larger file system"};
    case EFBIG:
      return {Errc::invalid_argument, "larger than the file system allows: ask for less"};
    case ENAMETOOLONG:
      return {Errc::invalid_name, "use a shorter name"};
    case EBADF:
      return {Errc::invalid_argument, "hand over the number of an open descriptor"};
    case EOPNOTSUPP:
    case EINVAL:
    case ENOSYS:
      return {Errc::unsupported, "use a file system that can, as tmpfs or ext4"};
    default:
      return {Errc::system, ""};
  }
}

const char* words_for(os::FileKind kind) {
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
  return "a pipe, socket or device";
}

std::string bytes_words(std::uint64_t count) {
  return std::to_string(count) + " bytes";
}

}  // namespace

std::string file_words(const os::FileFacts& facts) {
  const bool is_file = facts.kind == os::FileKind::regular;
  return words_for(facts.kind) + (is_file ? " of " + bytes_words(facts.size) : std::string());
}

Error memory_call_failed(const std::string& object, const std::string& doing, int error_number) {
  const Meaning meaning = meaning_of(error_number);
  return Error(meaning.code, {.object = object,
                              .expected = {},
                              .found = doing + " failed: " + os::error_text(error_number),
                              .remedy = meaning.remedy});
}

Error memory_has_no_room(const std::string& object, std::uint64_t wanted,
                         const std::string& found) {
  return Error(
      Errc::no_space,
      {.object = object,
       .expected = bytes_words(wanted) + " free",
       .found = found,
       .remedy = "free some, or enlarge the file system (a container's /dev/shm has 64 MiB "
                 "unless started with --shm-size)"});
}

Error memory_is_taken(const std::string& object, const std::string& by) {
  return Error(Errc::already_exists,
               {.object = object,
                .expected = "a name that is free",
                .found = by,
                .remedy = "open what is there, remove it first, or choose another name"});
}

Error memory_is_no_file(const std::string& object, os::FileKind kind) {
  return Error(Errc::not_ours, {.object = object,
                                .expected = "a regular file",
                                .found = words_for(kind),
                                .remedy = "choose another name, or remove it yourself"});
}

Error memory_is_empty(const std::string& object) {
  return Error(Errc::damaged,
               {.object = object,
                .expected = "at least 1 byte",
                .found = "0 bytes",
                .remedy = "its creator has not given it a size yet: try again; or it "
                          "was killed before it could: remove it"});
}

Error memory_is_orphaned(const std::string& object, const std::string& found) {
  return Error(Errc::orphaned, {.object = object,
                                .expected = "the name of the memory that is open here",
                                .found = found,
                                .remedy = "open the name anew if the newer one will do"});
}

Error memory_size_refused(const std::string& object, std::uint64_t size) {
  const auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
  return Error(Errc::invalid_argument, {.object = object,
                                        .expected = "a size of 1 to " + bytes_words(largest),
                                        .found = bytes_words(size),
                                        .remedy = "ask for a size that can be mapped"});
}

Error memory_name_refused(const std::string& object, const std::string& why) {
  return Error(Errc::invalid_name,
               {.object = object, .expected = {}, .found = why, .remedy = "choose another name"});
}

}  // namespace kith::internal
