// Locks between processes, ours and the usual ones, each in memory that all processes of a run map.
//
// prepare() is called by one process over zeroed memory, before any other constructs the lock over
// the same memory. lock() and unlock() throw if they fail.
//
// Callers      one thread of each process.
// A peer dies  kith, pthread robust: the next holder is told, see lock_after_death(). All others
//              block for ever, or fail for ever.
// Cost         that is the question.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <linux/futex.h>
#include <memory>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<boost/interprocess/sync/interprocess_mutex.hpp>)
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#define KITH_BENCH_BOOST 1
#endif

#include "kith/sync/mutex.hpp"

#include "bench/bench.hpp"
#include "bench/rivals.hpp"

namespace kith::bench {

// Where a run's locks and what they guard lie: zeroed pages, new for each run, so that no lock has
// the luck of one place in all repeats.
class LockPlace {
 public:
  explicit LockPlace(const Domain& domain)
      : domain_(domain),
        memory_(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::runtime_error("no memory for a lock");
  }
  ~LockPlace();
  LockPlace(const LockPlace&) = delete;
  LockPlace& operator=(const LockPlace&) = delete;

  [[nodiscard]] const Domain& domain() const noexcept { return domain_; }
  [[nodiscard]] void* lock() const noexcept { return memory_; }
  [[nodiscard]] void* guarded() const noexcept {
    return static_cast<std::byte*>(memory_) + kSize / 2;
  }
  static constexpr const char* kName = "lock";  // of ours, in the domain

 private:
  static constexpr std::size_t kSize = 8192;
  Domain domain_;
  void* memory_;
};

inline LockPlace::~LockPlace() {
  (void)remove_object(domain_, kName);
  ::munmap(memory_, kSize);
}

// By the verbs that answer.
class KithLock {
 public:
  static constexpr const char* kName = "kith";
  static void prepare(const LockPlace&) {}
  explicit KithLock(const LockPlace& place) : mutex_(place.domain(), LockPlace::kName) {}

  void lock() {
    if (mutex_.acquire(Deadline::never()) != LockAnswer::acquired) throw failed();
  }
  void unlock() {
    if (mutex_.release() != LockAnswer::released) throw failed();
  }
  // Throws unless its holder has died meanwhile.
  void lock_after_death() {
    const auto deadline = Deadline::after(std::chrono::seconds(20));
    if (mutex_.acquire(deadline) != LockAnswer::owner_died) throw failed();
  }
  void repair() {
    if (mutex_.declare_consistent() != LockAnswer::owner_died) throw failed();
  }

 private:
  static std::runtime_error failed() { return std::runtime_error("kith: the mutex said no"); }
  Mutex mutex_;
};

// By the standard's verbs.
class KithStandardLock {
 public:
  static constexpr const char* kName = "kith, lock and unlock";
  static void prepare(const LockPlace&) {}
  explicit KithStandardLock(const LockPlace& place) : mutex_(place.domain(), LockPlace::kName) {}
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  Mutex mutex_;
};

template <bool kRobust>
class PthreadLock {
 public:
  static constexpr const char* kName = kRobust ? "pthread robust mutex" : "pthread mutex";

  static void prepare(const LockPlace& place) {
    internal::prepare_mutex(*static_cast<pthread_mutex_t*>(place.lock()),
                            kRobust ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED);
  }
  explicit PthreadLock(const LockPlace& place)
      : mutex_(static_cast<pthread_mutex_t*>(place.lock())) {}

  void lock() { internal::require_zero(::pthread_mutex_lock(mutex_), "pthread_mutex_lock"); }
  void unlock() { internal::require_zero(::pthread_mutex_unlock(mutex_), "pthread_mutex_unlock"); }
  void lock_after_death() {
    if (::pthread_mutex_lock(mutex_) != EOWNERDEAD) {
      throw std::runtime_error("pthread_mutex_lock: no word of a death");
    }
  }
  void repair() { internal::require_zero(::pthread_mutex_consistent(mutex_), "consistent"); }

 private:
  pthread_mutex_t* mutex_;
};

// The third mutex of U. Drepper, "Futexes are tricky": 0 free, 1 held, 2 held and waited for.
class FutexLock {
 public:
  static constexpr const char* kName = "futex, three states";
  static void prepare(const LockPlace&) {}
  explicit FutexLock(const LockPlace& place)
      : word_(static_cast<std::atomic<std::uint32_t>*>(place.lock())) {}

  void lock() {
    std::uint32_t seen = 0;
    // acquire, release: as any lock. relaxed on failure: nothing is used of it.
    if (word_->compare_exchange_strong(seen, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return;
    }
    if (seen != 2) seen = word_->exchange(2, std::memory_order_acquire);
    while (seen != 0) {
      ::syscall(SYS_futex, word_, FUTEX_WAIT, 2, nullptr, nullptr, 0);
      seen = word_->exchange(2, std::memory_order_acquire);
    }
  }
  void unlock() {
    if (word_->exchange(0, std::memory_order_release) == 2) {
      ::syscall(SYS_futex, word_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    }
  }

 private:
  std::atomic<std::uint32_t>* word_;
};

#if defined(KITH_BENCH_BOOST)
class BoostLock {
 public:
  static constexpr const char* kName = "Boost interprocess_mutex";
  using Lock = boost::interprocess::interprocess_mutex;

  static void prepare(const LockPlace& place) { new (place.lock()) Lock; }
  explicit BoostLock(const LockPlace& place) : lock_(static_cast<Lock*>(place.lock())) {}
  void lock() { lock_->lock(); }
  void unlock() { lock_->unlock(); }

 private:
  Lock* lock_;
};
#endif

// A lock that nobody else wants, taken and given back.
template <class Lock>
TimedAlone time_lock(const Plan& plan, Crew& crew, Book& book, const std::string& what,
                     const std::string& peer) {
  const LockPlace place(plan.domain);
  Lock::prepare(place);
  return time_alone(plan, 80, crew, book, {what, peer, 0, "exchange_store"}, [&] {
    return [lock = Lock(place)]() mutable {
      lock.lock();
      lock.unlock();
    };
  });
}

// Calls `visit.template operator()<Lock>()` for each that is measured against ours.
template <class Visit>
void for_each_rival_lock(const Visit& visit) {
  visit.template operator()<PthreadLock<false>>();
  visit.template operator()<FutexLock>();
#if defined(KITH_BENCH_BOOST)
  visit.template operator()<BoostLock>();
#endif
  visit.template operator()<PthreadLock<true>>();
}

// The same for each whose next holder is told of a death.
template <class Visit>
void for_each_robust_lock(const Visit& visit) {
  visit.template operator()<KithLock>();
  visit.template operator()<PthreadLock<true>>();
}

}  // namespace kith::bench
