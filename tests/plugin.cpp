#include "tests/plugin.hpp"

#include <chrono>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "kith/base/deadline.hpp"
#include "kith/region/domain.hpp"
#include "kith/sync/guarded.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/rw_lock.hpp"

namespace kith::tests {
namespace {

using namespace std::chrono_literals;

Deadline soon() {
  return Deadline::after(10s);
}

}  // namespace

const char* plugin_uses_mutex(const char* path) {
  Mutex mutex(Domain::at(path), "mutex");
  if (mutex.acquire(soon()) != LockAnswer::acquired) return "the mutex was not acquired";
  if (mutex.check() != LockAnswer::acquired) return "who has the mutex is not its owner";
  if (mutex.release() != LockAnswer::released) return "the mutex was not released";
  return mutex.facts().held ? "the mutex is held still" : "";
}

const char* plugin_reads_and_writes(const char* path) {
  RwLock lock(Domain::at(path), "rwlock");
  if (lock.acquire_shared(soon()) != LockAnswer::acquired) return "it does not read";
  if (lock.release() != LockAnswer::released) return "the read was not released";
  if (lock.acquire(soon()) != LockAnswer::acquired) return "it does not write";
  return lock.release() == LockAnswer::released ? "" : "the write was not released";
}

const char* plugin_forks_in_a_change(const char* path) {
  Guarded<int> number(Domain::at(path), "number");
  pid_t child = -1;
  const GuardedAnswer answer = number.change(
      [&child](int& now) {
        ++now;
        child = ::fork();
      },
      soon());
  if (child == 0) ::_exit(answer == GuardedAnswer::forked ? 0 : 1);
  int status = -1;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return "no child";
  if (answer != GuardedAnswer::committed) return "the parent did not commit";
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return "the child was not told that it forked";
  return number.version() == 1 ? "" : "more than one change was committed";
}

}  // namespace kith::tests
