// Wakers: the things that one process waits on and another wakes it by, ours and the usual ones,
// each in memory that both map.
//
// Callers      one thread of each of two processes, in turn: one calls prepare() and wake(), the
//              other wait() and settle(). All throw if what they use says no.
// A peer dies  the others block for ever; what kith has says so after its deadline.
// Cost         that is the question.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <linux/futex.h>
#include <memory>
#include <pthread.h>
#include <semaphore.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "kith/region/region.hpp"
#include "kith/sync/condition.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/semaphore.hpp"

#include "bench/clock.hpp"
#include "bench/rivals.hpp"

namespace kith::bench {

// Ours, for one direction.
struct WakeCells {
  MutexCell mutex;
  ConditionCell condition;
  std::uint64_t told;  // what the mutex guards
  EventCell manual;
  EventCell automatic;
  SemaphoreCell<1> permit;
  std::atomic<std::uint64_t> permit_is_held;
  CountingSemaphoreCell count;
};

// The usual ones, for one direction. Zero at first.
struct RivalWords {
  std::atomic<std::uint32_t> futex;
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  std::uint64_t told;
  sem_t count;
};

// Where all of one run lie, new for each.
class WakePlace {
 public:
  enum Direction : std::size_t { there, back };

  explicit WakePlace(const Domain& domain)
      : domain_(domain),
        memory_(::mmap(nullptr, 2 * kSize, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::runtime_error("no memory for what wakes");
    for (const Direction way : {there, back}) {
      RivalWords& words = rivals(way);
      internal::prepare_mutex(words.mutex, PTHREAD_MUTEX_STALLED);
      pthread_condattr_t attributes;
      ::pthread_condattr_init(&attributes);
      ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
      internal::require_zero(::pthread_cond_init(&words.condition, &attributes),
                             "pthread_cond_init");
      internal::require_zero(::sem_init(&words.count, 1, 0), "sem_init");
    }
  }
  ~WakePlace() {
    for (const Direction way : {there, back}) (void)remove_object(domain_, kNames[way]);
    ::munmap(memory_, 2 * kSize);
  }
  WakePlace(const WakePlace&) = delete;
  WakePlace& operator=(const WakePlace&) = delete;

  [[nodiscard]] Region<WakeCells> ours(Direction way) const {
    return Region<WakeCells>::open_or_create(domain_, kNames[way]);
  }
  [[nodiscard]] RivalWords& rivals(Direction way) const noexcept {
    return *reinterpret_cast<RivalWords*>(static_cast<std::byte*>(memory_) + way * kSize);
  }

 private:
  static constexpr std::array<const char*, 2> kNames = {"wake.there", "wake.back"};
  static constexpr std::size_t kSize = 4096;
  static_assert(sizeof(RivalWords) <= kSize);
  Domain domain_;
  void* memory_;
};

using WakeWay = WakePlace::Direction;

class Waker {
 public:
  virtual ~Waker() = default;
  // By who will wake, a moment before.
  virtual void prepare() {}
  virtual void wake() = 0;
  // Returns when woken.
  virtual void wait() = 0;
  // By who was woken, before it wakes anybody.
  virtual void settle() {}

 protected:
  Waker() = default;
  Waker(const Waker&) = default;
  Waker& operator=(const Waker&) = default;

  static void require(bool fine, const char* who) {
    if (!fine) throw std::runtime_error(std::string(who) + " said no");
  }
  static Deadline patience() { return Deadline::after(std::chrono::seconds(10)); }
};

// A store, FUTEX_WAKE, and a sleeper in FUTEX_WAIT without a deadline.
class FutexWaker final : public Waker {
 public:
  static constexpr const char* kName = "machine";
  FutexWaker(const WakePlace& place, WakeWay way) : word_(&place.rivals(way).futex) {}

  void wake() override {
    // release, acquire: what was done before the wake is seen after it.
    word_->store(1, std::memory_order_release);
    ::syscall(SYS_futex, word_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  void wait() override {
    while (word_->load(std::memory_order_acquire) == 0) {
      ::syscall(SYS_futex, word_, FUTEX_WAIT, 0, nullptr, nullptr, 0);
    }
    // relaxed: nobody looks before this process wakes it.
    word_->store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t>* word_;
};

class ConditionWaker final : public Waker {
 public:
  static constexpr const char* kName = "kith, Condition";
  ConditionWaker(const WakePlace& place, WakeWay way)
      : region_(place.ours(way)),
        mutex_(region_, region_->mutex),
        condition_(region_, region_->condition) {}

  void wake() override {
    lock();
    region_->told = 1;
    unlock();
    condition_.notify_one();
  }
  void wait() override {
    lock();
    const auto told = [this] { return region_->told == 1; };
    require(condition_.wait(mutex_, patience(), told) == AwaitAnswer::happened, kName);
    region_->told = 0;
    unlock();
  }

 private:
  void lock() { require(mutex_.acquire(patience()) == LockAnswer::acquired, kName); }
  void unlock() { require(mutex_.release() == LockAnswer::released, kName); }

  Region<WakeCells> region_;
  Mutex mutex_;
  Condition condition_;
};

template <EventReset kReset>
class EventWaker final : public Waker {
 public:
  static constexpr bool kManual = kReset == EventReset::manual;
  static constexpr const char* kName = kManual ? "kith, Event, manual" : "kith, Event, automatic";
  EventWaker(const WakePlace& place, WakeWay way)
      : region_(place.ours(way)),
        event_(region_, kManual ? region_->manual : region_->automatic, {.reset = kReset}) {}

  void wake() override { event_.set(); }
  void wait() override { require(event_.wait(patience()) == AwaitAnswer::happened, kName); }
  void settle() override { require(event_.reset() == kManual, kName); }

 private:
  Region<WakeCells> region_;
  Event event_;
};

// The permit goes from who wakes to who waits, and back to be held again.
class SemaphoreWaker final : public Waker {
 public:
  static constexpr const char* kName = "kith, Semaphore";
  SemaphoreWaker(const WakePlace& place, WakeWay way)
      : region_(place.ours(way)), permit_(region_, region_->permit) {}

  void prepare() override {
    require(permit_.try_acquire() == LockAnswer::acquired, kName);
    // release, acquire: who waits finds the permit held.
    region_->permit_is_held.store(1, std::memory_order_release);
  }
  void wake() override { require(permit_.release() == LockAnswer::released, kName); }
  void wait() override {
    const Deadline deadline = patience();
    while (region_->permit_is_held.load(std::memory_order_acquire) == 0) {
      require(!deadline.has_passed(), kName);
    }
    // relaxed: nobody sets it before this process has woken it.
    region_->permit_is_held.store(0, std::memory_order_relaxed);
    require(permit_.acquire(deadline) == LockAnswer::acquired, kName);
  }
  void settle() override { require(permit_.release() == LockAnswer::released, kName); }

 private:
  Region<WakeCells> region_;
  Semaphore permit_;
};

class CountWaker final : public Waker {
 public:
  static constexpr const char* kName = "kith, CountingSemaphore";
  CountWaker(const WakePlace& place, WakeWay way)
      : region_(place.ours(way)), count_(region_, region_->count) {}

  void wake() override { require(count_.release() == LockAnswer::released, kName); }
  void wait() override { require(count_.acquire(patience()) == LockAnswer::acquired, kName); }

 private:
  Region<WakeCells> region_;
  CountingSemaphore count_;
};

class PthreadConditionWaker final : public Waker {
 public:
  static constexpr const char* kName = "pthread condition";
  PthreadConditionWaker(const WakePlace& place, WakeWay way) : words_(&place.rivals(way)) {}

  void wake() override {
    lock();
    words_->told = 1;
    unlock();
    internal::require_zero(::pthread_cond_signal(&words_->condition), "pthread_cond_signal");
  }
  void wait() override {
    lock();
    while (words_->told == 0) {
      internal::require_zero(::pthread_cond_wait(&words_->condition, &words_->mutex),
                             "pthread_cond_wait");
    }
    words_->told = 0;
    unlock();
  }

 private:
  void lock() { internal::require_zero(::pthread_mutex_lock(&words_->mutex), "mutex_lock"); }
  void unlock() { internal::require_zero(::pthread_mutex_unlock(&words_->mutex), "mutex_unlock"); }
  RivalWords* words_;
};

class PosixSemaphoreWaker final : public Waker {
 public:
  static constexpr const char* kName = "sem_t";
  PosixSemaphoreWaker(const WakePlace& place, WakeWay way) : count_(&place.rivals(way).count) {}

  void wake() override { internal::require_zero(::sem_post(count_), "sem_post"); }
  void wait() override { internal::require_zero(::sem_wait(count_), "sem_wait"); }

 private:
  sem_t* count_;
};

// Calls `visit.template operator()<One>()` for each.
template <class Visit>
void for_each_waker(const Visit& visit) {
  visit.template operator()<FutexWaker>();
  visit.template operator()<EventWaker<EventReset::manual>>();
  visit.template operator()<EventWaker<EventReset::automatic>>();
  visit.template operator()<ConditionWaker>();
  visit.template operator()<SemaphoreWaker>();
  visit.template operator()<CountWaker>();
  visit.template operator()<PthreadConditionWaker>();
  visit.template operator()<PosixSemaphoreWaker>();
}

}  // namespace kith::bench
