// Stops a thread at a chosen system call of the library, so that a race happens in every run. The
// calls below are this program's own functions, which the library finds before those of libc.
#pragma once

#include <fcntl.h>
#include <functional>
#include <string>

namespace kith::tests {

// In effect on the thread that made it, as long as it lives; one at a time.
class SystemCallHooks {
 public:
  SystemCallHooks();
  ~SystemCallHooks();
  SystemCallHooks(const SystemCallHooks&) = delete;
  SystemCallHooks& operator=(const SystemCallHooks&) = delete;

  // A question or a request about a lock: F_OFD_GETLK or F_OFD_SETLK.
  std::function<void(int file, int command, const struct flock& lock)> before_lock;
  std::function<void(int command, const struct flock& lock, bool granted)> after_lock;
  std::function<void(const std::string& path)> after_open;
  std::function<void()> before_link;
  bool no_unnamed_files = false;  // O_TMPFILE is unknown, as on some file systems
  bool no_pauses = false;         // clock_nanosleep() returns at once
};

}  // namespace kith::tests
