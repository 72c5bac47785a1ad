// The kinds of what can be held or waited for.
#pragma once

#include <cstdint>
#include <string_view>

namespace kith {

enum class LockKind : std::uint8_t {
  mutex,
  rwlock,
  guarded,
  guarded_bytes,
  once,
  event,
  condition,
  counting_semaphore,
  semaphore,
  barrier,
};
inline constexpr LockKind kLastLockKind = LockKind::barrier;

// "counting_semaphore": also the kind of a region that is one.
[[nodiscard]] constexpr std::string_view to_string(LockKind kind) noexcept {
  switch (kind) {
    case LockKind::mutex:
      return "mutex";
    case LockKind::rwlock:
      return "rwlock";
    case LockKind::guarded:
      return "guarded";
    case LockKind::guarded_bytes:
      return "guarded_bytes";
    case LockKind::once:
      return "once";
    case LockKind::event:
      return "event";
    case LockKind::condition:
      return "condition";
    case LockKind::counting_semaphore:
      return "counting_semaphore";
    case LockKind::semaphore:
      return "semaphore";
    case LockKind::barrier:
      return "barrier";
  }
  return "?";
}

}  // namespace kith
