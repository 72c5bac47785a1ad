// SharedMutex: a mutex by name that comes with its first user and goes with its last.
//
//   SharedMutex mutex("printer");              // in any program, at any moment, in any order
//   { const std::scoped_lock guard(mutex); print(); }
//   mutex.release();                           // gives the attachment up before the handle's end
//
// It is a Mutex (kith/sync/mutex.hpp) with a lifetime, and what one may ask of a thing that is
// shared: how many processes are attached, since when there has been one.
//
// States       attached; released or moved from (using it is a broken contract).
// Callers      as Mutex.
// A peer dies  as Mutex; its attachment is gone with it. If all are killed, the mutex waits for the
//              next user, whole, and is told of the death; or for `kith clean`. No age is needed to
//              tell such a leftover from one in use: the kernel knows who lives.
// Cost         opening about 100 us; then as Mutex.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "kith/sync/mutex.hpp"

namespace kith {

struct SharedMutexOptions {
  Lifetime lifetime = Lifetime::until_last_member;  // or until_removed; decided by its creator
  bool recursive = false;
  Rights rights{};
  // One that is older, and that nobody living is attached to, is replaced by a new one.
  std::optional<std::chrono::milliseconds> age_max{};
};

class SharedMutex {
 public:
  explicit SharedMutex(const std::string& name, SharedMutexOptions options = {})
      : SharedMutex(Domain::standard(), name, options) {}
  // Throws what Mutex throws.
  SharedMutex(const Domain& domain, const std::string& name, SharedMutexOptions options = {});

  // As those of Mutex, and so are the answers and errors.
  LockAnswer acquire(Deadline deadline) noexcept { return mutex_.acquire(deadline); }
  LockAnswer try_acquire() noexcept { return mutex_.try_acquire(); }
  LockAnswer declare_consistent() noexcept { return mutex_.declare_consistent(); }
  void lock() { mutex_.lock(); }
  [[nodiscard]] bool try_lock() { return mutex_.try_lock(); }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> wait) {
    return mutex_.try_lock_for(wait);
  }
  template <class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Deadline::Clock, Duration> end) {
    return mutex_.try_lock_until(end);
  }
  void unlock() { mutex_.unlock(); }

  // For a Condition.
  [[nodiscard]] Mutex& mutex() noexcept { return mutex_; }

  // Living processes that have it open, this one included. Asks the kernel about each: for people.
  [[nodiscard]] std::uint32_t attached() const { return mutex_.attached(); }
  // When it was created: milliseconds of the wall clock since 1970.
  [[nodiscard]] std::int64_t created_ms() const { return mutex_.created_ns() / 1'000'000; }
  [[nodiscard]] MutexFacts facts() const { return mutex_.facts(); }
  [[nodiscard]] bool is_orphaned() const noexcept { return mutex_.is_orphaned(); }

  // Gives the attachment up: the last one to do so removes the mutex, if that is its lifetime. Held
  // by a thread of this process, its next holder is told `owner_died`.
  void release() noexcept { mutex_.close(); }
  explicit operator bool() const noexcept { return static_cast<bool>(mutex_); }

 private:
  Mutex mutex_;
};

}  // namespace kith
