#include "tests/issues/system_call_hooks.hpp"

#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <sys/syscall.h>
#include <unistd.h>

namespace kith::tests {
namespace {

thread_local SystemCallHooks* installed = nullptr;

}  // namespace

SystemCallHooks::SystemCallHooks() {
  installed = this;
}
SystemCallHooks::~SystemCallHooks() {
  installed = nullptr;
}

}  // namespace kith::tests

using kith::tests::installed;

extern "C" int fcntl(int file, int command, ...) {
  va_list list;
  va_start(list, command);
  const long argument = va_arg(list, long);  // an int or a pointer, passed alike on Linux
  va_end(list);
  const bool hooked = installed != nullptr && (command == F_OFD_GETLK || command == F_OFD_SETLK);
  if (!hooked) return static_cast<int>(::syscall(SYS_fcntl, file, command, argument));
  const auto* lock = reinterpret_cast<const struct flock*>(argument);
  if (installed->before_lock) installed->before_lock(file, command, *lock);
  const int answer = static_cast<int>(::syscall(SYS_fcntl, file, command, argument));
  const int error = errno;
  if (installed->after_lock) installed->after_lock(command, *lock, answer == 0);
  errno = error;
  return answer;
}

extern "C" int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  const unsigned mode = creates ? va_arg(list, unsigned) : 0;
  va_end(list);
  const int file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  const int error = errno;
  if (installed != nullptr && installed->after_open) installed->after_open(path);
  errno = error;
  return file;
}

extern "C" int openat(int directory, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  const unsigned mode = (flags & O_CREAT) != 0 || unnamed ? va_arg(list, unsigned) : 0;
  va_end(list);
  if (unnamed && installed != nullptr && installed->no_unnamed_files) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
}

extern "C" int linkat(int from_directory, const char* from, int to_directory, const char* to,
                      int flags) noexcept {
  if (installed != nullptr && installed->before_link) installed->before_link();
  return static_cast<int>(::syscall(SYS_linkat, from_directory, from, to_directory, to, flags));
}

extern "C" int clock_nanosleep(clockid_t clock, int flags, const timespec* span, timespec* left) {
  if (installed != nullptr && installed->no_pauses) return 0;
  return ::syscall(SYS_clock_nanosleep, clock, flags, span, left) == 0 ? 0 : errno;
}
