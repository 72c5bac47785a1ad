#include "kith/region/internal/errors.hpp"

#include <cerrno>
#include <cstdio>

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
      return {Errc::permission_denied, "run as its owner, or use a domain of your own"};
    case ELOOP:
      return {Errc::not_ours, "a symbolic link stands in its place: remove it"};
    case ENXIO:
    case ENOTDIR:
    case EISDIR:
      return {Errc::not_ours, "something else stands in its place: remove it or choose a name"};
    case EMFILE:
      return {Errc::limit_reached,
              "this process may open no more files: raise `ulimit -n`, or close some"};
    case ENFILE:
      return {Errc::limit_reached, "the machine may open no more files: raise fs.file-max"};
    case ENOMEM:
      return {Errc::limit_reached,
              "no room to map it: look at `ulimit -v`, vm.max_map_count and the memory limit"};
    case EFBIG:
      return {Errc::limit_reached, "this process may make no file so large: raise `ulimit -f`"};
    case ENOLCK:
      return {Errc::limit_reached, "the file system has no locks left or none at all"};
    case ENOSPC:
    case EDQUOT:
      return {Errc::no_space, "free some space, or use a domain on a larger file system"};
    case ENAMETOOLONG:
      return {Errc::invalid_name, "use a shorter name"};
    case EOPNOTSUPP:
    case EINVAL:
    case ENOSYS:
      return {Errc::unsupported, "use a domain on tmpfs, as /dev/shm"};
    default:
      return {Errc::system, ""};
  }
}

}  // namespace

std::string describe_object(const std::string& kind, const std::string& name,
                            const std::string& domain) {
  return kind + " '" + name + "' in " + domain;
}

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
  std::string found = "less";
  if (const auto space = os::space_of(file); space) {
    found = bytes_text(space.value.free_bytes) + " of " + bytes_text(space.value.total_bytes);
  }
  return Error(
      Errc::no_space,
      {.object = object,
       .expected = bytes_text(wanted) + " free",
       .found = found,
       .remedy = "free some, or enlarge the file system (a container's /dev/shm has 64 MiB "
                 "unless started with --shm-size)"});
}

Error header_error(const std::string& object, HeaderFault fault, const RegionHeader& header,
                   std::uint64_t file_size) {
  switch (fault) {
    case HeaderFault::byte_order:
      return Error(Errc::wrong_version, {.object = object,
                                         .expected = "this machine's byte order",
                                         .found = "another",
                                         .remedy = "open it on a machine like its creator's"});
    case HeaderFault::version:
      return Error(Errc::wrong_version,
                   {.object = object,
                    .expected = "format " + std::to_string(kFormatMajor),
                    .found = "format " + std::to_string(header.format_major) + "." +
                             std::to_string(header.format_minor),
                    .remedy = "build both programs with one major version of kith"});
    case HeaderFault::word_size:
      return Error(Errc::wrong_version,
                   {.object = object,
                    .expected = "a creator of " + std::to_string(kWordBits) + " bits",
                    .found = "one of " + std::to_string(header.word_bits) + " bits",
                    .remedy = "build both programs for one word size"});
    case HeaderFault::damaged:
      return Error(Errc::damaged, {.object = object,
                                   .expected = bytes_text(header.size),
                                   .found = bytes_text(file_size),
                                   .remedy = "it was truncated or overwritten: remove it with "
                                             "`kith rm --force`"});
    case HeaderFault::none:
    case HeaderFault::not_ours:
      break;
  }
  return Error(Errc::not_ours, {.object = object,
                                .expected = "a region of kith",
                                .found = bytes_text(file_size) + " of something else",
                                .remedy = "choose another name, or remove the file yourself"});
}

Error invalid_name(const std::string& what, const std::string& name, const std::string& why) {
  std::string shown = name;
  for (char& c : shown) {
    // A terminal obeys control characters, and a newline would break the message in two.
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return Error(Errc::invalid_name,
               {.object = what + " '" + shown + "'", .expected = {}, .found = why, .remedy = {}});
}

}  // namespace kith::internal
