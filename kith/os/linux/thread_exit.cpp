#include "kith/os/thread_exit.hpp"

#include <pthread.h>

#include "kith/base/contract.hpp"

namespace kith::os {
namespace {

// A key, and not a thread_local object: the destructors of those run before, and may still use what
// the function gives up.
pthread_key_t exit_key() noexcept {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    const int error = ::pthread_key_create(
        &made, [](void* function) { reinterpret_cast<void (*)()>(function)(); });
    KITH_REQUIRE(error == 0, "a process has a key of pthreads to spare");
    return made;
  }();
  return key;
}

}  // namespace

void call_at_thread_exit(void (*function)()) noexcept {
  ::pthread_setspecific(exit_key(), reinterpret_cast<const void*>(function));
}

}  // namespace kith::os
