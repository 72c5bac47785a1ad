// The ways in which a value is usually shared, each in memory that two processes map: a seqlock, a
// read-write lock and a robust mutex, each with a copy in and a copy out.
//
// A rival is constructed over zeroed shared memory of memory_size(bytes) by one process, which then
// calls prepare(); the other just constructs it.
//
// Callers      one writer and one reader, each in its own process.
// A peer dies  seqlock: a dead writer blocks readers for ever. Read-write lock: a dead holder
//              blocks all. Robust mutex: the next holder is told.
// Cost         that is the question.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <pthread.h>
#include <span>
#include <stdexcept>

#include "bench/clock.hpp"
#include "bench/crew.hpp"

namespace kith::bench {

class Seqlock {
 public:
  static constexpr const char* kName = "seqlock + copy";

  Seqlock(std::byte* memory, std::size_t bytes)
      : version_(*reinterpret_cast<SharedWord*>(memory)),
        value_(memory + sizeof(SharedWord)),
        bytes_(bytes) {}
  void prepare() {}

  void write(std::span<const std::byte> value) {
    const std::uint64_t version = version_.value.load(std::memory_order_relaxed);
    version_.value.store(version + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    std::memcpy(value_, value.data(), bytes_);
    version_.value.store(version + 2, std::memory_order_release);
  }
  // False if no copy was whole before `until`: the writer was always faster.
  bool read(std::span<std::byte> to, std::uint64_t until) {
    while (true) {
      const std::uint64_t before = version_.value.load(std::memory_order_acquire);
      if (before % 2 == 0) {
        std::memcpy(to.data(), value_, bytes_);
        std::atomic_thread_fence(std::memory_order_acquire);
        if (version_.value.load(std::memory_order_relaxed) == before) return true;
      }
      ++retries_;
      if (ticks() >= until) return false;
    }
  }
  [[nodiscard]] std::uint64_t retries() const { return retries_; }

 private:
  SharedWord& version_;
  std::byte* value_;
  std::size_t bytes_;
  std::uint64_t retries_ = 0;
};

namespace internal {

inline void require_zero(int error, const char* what) {
  if (error != 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(error));
}

inline void prepare_mutex(pthread_mutex_t& mutex, int robustness) {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, robustness);
  require_zero(::pthread_mutex_init(&mutex, &attributes), "pthread_mutex_init");
}

inline void prepare_rwlock(pthread_rwlock_t& lock) {
  pthread_rwlockattr_t attributes;
  ::pthread_rwlockattr_init(&attributes);
  ::pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  require_zero(::pthread_rwlock_init(&lock, &attributes), "pthread_rwlock_init");
}

}  // namespace internal

class LockedByRwlock {
 public:
  static constexpr const char* kName = "pthread rwlock + copy";

  LockedByRwlock(std::byte* memory, std::size_t bytes)
      : lock_(*reinterpret_cast<pthread_rwlock_t*>(memory)),
        value_(memory + sizeof(SharedWord)),
        bytes_(bytes) {
    static_assert(sizeof(pthread_rwlock_t) <= sizeof(SharedWord));
  }
  void prepare() { internal::prepare_rwlock(lock_); }

  void write(std::span<const std::byte> value) {
    internal::require_zero(::pthread_rwlock_wrlock(&lock_), "pthread_rwlock_wrlock");
    std::memcpy(value_, value.data(), bytes_);
    ::pthread_rwlock_unlock(&lock_);
  }
  bool read(std::span<std::byte> to, std::uint64_t) {
    internal::require_zero(::pthread_rwlock_rdlock(&lock_), "pthread_rwlock_rdlock");
    std::memcpy(to.data(), value_, bytes_);
    ::pthread_rwlock_unlock(&lock_);
    return true;
  }

 private:
  pthread_rwlock_t& lock_;
  std::byte* value_;
  std::size_t bytes_;
};

class LockedByRobustMutex {
 public:
  static constexpr const char* kName = "robust mutex + copy";

  LockedByRobustMutex(std::byte* memory, std::size_t bytes)
      : mutex_(*reinterpret_cast<pthread_mutex_t*>(memory)),
        value_(memory + sizeof(SharedWord)),
        bytes_(bytes) {
    static_assert(sizeof(pthread_mutex_t) <= sizeof(SharedWord));
  }
  void prepare() { internal::prepare_mutex(mutex_, PTHREAD_MUTEX_ROBUST); }

  void write(std::span<const std::byte> value) {
    internal::require_zero(::pthread_mutex_lock(&mutex_), "pthread_mutex_lock");
    std::memcpy(value_, value.data(), bytes_);
    ::pthread_mutex_unlock(&mutex_);
  }
  bool read(std::span<std::byte> to, std::uint64_t) {
    internal::require_zero(::pthread_mutex_lock(&mutex_), "pthread_mutex_lock");
    std::memcpy(to.data(), value_, bytes_);
    ::pthread_mutex_unlock(&mutex_);
    return true;
  }

 private:
  pthread_mutex_t& mutex_;
  std::byte* value_;
  std::size_t bytes_;
};

[[nodiscard]] inline std::size_t rival_memory_size(std::size_t bytes) {
  return sizeof(SharedWord) + bytes;
}

}  // namespace kith::bench
