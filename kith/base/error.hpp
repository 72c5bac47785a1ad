// Error: the one exception of kith. Opening, creating and joining throw it; operations on an open
// object answer with an enum instead.
//
//   try { auto region = Region<Pose>::open(domain, "pose"); }
//   catch (const kith::Error& error) { if (error.code() == kith::Errc::not_found) ...; }
//
// Its text names the object, what was expected, what was found, and what to do, in that order.
// code() compares equal to the std::errc of the same meaning, so generic code understands it too.
#pragma once

#include <string>
#include <system_error>

namespace kith {

// Numbers are part of the interface: a number, once given, keeps its meaning.
enum class Errc {
  not_found = 1,      // no object of this name
  already_exists,     // exclusive creation of a name that is taken
  permission_denied,  // the kernel refused
  wrong_owner,        // a file or directory that belongs to somebody else
  not_ours,           // not made by kith: another program's file, a directory, a link, a device
  wrong_type,         // made by kith, but another kind, type or geometry than asked for
  wrong_version,      // made by an incompatible version, byte order or word size
  damaged,            // made by kith once, and no longer whole
  no_space,           // the file system is full
  limit_reached,      // descriptors, mappings, memory: a limit of this process or machine
  invalid_name,       // the name cannot name an object
  invalid_argument,   // an argument that cannot be honoured
  timed_out,          // the deadline passed
  in_use,             // somebody living uses it
  orphaned,           // the name is gone or stands for a newer object
  role_taken,         // the role has a living holder
  table_full,         // no free place for a member, a role or a named object
  forked,             // a handle of the parent, used in a forked child
  unsupported,        // this machine or file system cannot do it
  system,             // any other error of the kernel
  owner_died,         // a lock's holder died, and nobody has repaired what it guards
  would_deadlock,     // a lock that this thread holds already
  not_owner,          // a lock that this thread does not hold
  retired,            // a lock that was given up for good
};

[[nodiscard]] const std::error_category& error_category() noexcept;
[[nodiscard]] std::error_code make_error_code(Errc code) noexcept;

// The parts of an error's text; empty parts are left out. The braces let callers name only some.
struct ErrorText {
  std::string object{};    // "region 'pose' in /dev/shm/kith-1000"
  std::string expected{};  // "type Pose, 48 bytes"
  std::string found{};     // "type Twist, 96 bytes"
  std::string remedy{};    // "rebuild both programs from one definition"
};

class Error : public std::system_error {
 public:
  Error(Errc code, ErrorText text);

  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }
  [[nodiscard]] const ErrorText& text() const noexcept { return text_; }
  [[nodiscard]] Errc errc() const noexcept { return static_cast<Errc>(code().value()); }

 private:
  ErrorText text_;
  std::string what_;
};

}  // namespace kith

template <>
struct std::is_error_code_enum<kith::Errc> : std::true_type {};
