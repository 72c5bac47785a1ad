// A read-write lock that is only read: by one process alone, and by one on each of two cores, ours
// beside pthread's.
//
// Readers on two cores slow each other where both write to one line. How much two processes slow
// each other that share nothing, only the machine, stands beside it: each with an exchange and a
// store in a line of its own. The contestants take turns within each repeat, and what a second
// reader costs is formed in that repeat.
#include <algorithm>
#include <atomic>
#include <memory>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "kith/sync/rw_lock.hpp"

#include "bench/bench.hpp"
#include "bench/lock_rivals.hpp"

namespace kith::bench {
namespace {

// By the verbs that answer.
class KithReadLock {
 public:
  static constexpr const char* kName = "kith";
  static void prepare(const LockPlace&) {}
  explicit KithReadLock(const LockPlace& place) : lock_(place.domain(), LockPlace::kName) {}

  void lock() {
    if (lock_.acquire_shared(Deadline::never()) != LockAnswer::acquired) throw failed();
  }
  void unlock() {
    if (lock_.release() != LockAnswer::released) throw failed();
  }

 private:
  static std::runtime_error failed() { return std::runtime_error("kith: the lock said no"); }
  RwLock lock_;
};

// By the standard's verbs.
class KithStandardReadLock {
 public:
  static constexpr const char* kName = "kith, lock_shared and unlock_shared";
  static void prepare(const LockPlace&) {}
  explicit KithStandardReadLock(const LockPlace& place) : lock_(place.domain(), LockPlace::kName) {}
  void lock() { lock_.lock_shared(); }
  void unlock() { lock_.unlock_shared(); }

 private:
  RwLock lock_;
};

class PthreadReadLock {
 public:
  static constexpr const char* kName = "pthread rwlock";
  static void prepare(const LockPlace& place) { internal::prepare_rwlock(rwlock(place)); }
  explicit PthreadReadLock(const LockPlace& place) : lock_(&rwlock(place)) {}
  void lock() { internal::require_zero(::pthread_rwlock_rdlock(lock_), "pthread_rwlock_rdlock"); }
  void unlock() { internal::require_zero(::pthread_rwlock_unlock(lock_), "pthread_rwlock_unlock"); }

 private:
  static pthread_rwlock_t& rwlock(const LockPlace& place) {
    return *static_cast<pthread_rwlock_t*>(place.lock());
  }
  pthread_rwlock_t* lock_;
};

// No lock: the least that one can be, in a line that nobody else has.
class OwnLine {
 public:
  static constexpr const char* kName = "machine, nothing shared";
  static void prepare(const LockPlace&) {}
  explicit OwnLine(const LockPlace&) : line_(std::make_unique<SharedWord>()) {}
  void lock() { line_->value.exchange(1, std::memory_order_seq_cst); }
  void unlock() { line_->value.store(0, std::memory_order_release); }

 private:
  std::unique_ptr<SharedWord> line_;
};

Run alone(const Plan& plan) {
  const char* const what = "read_lock";
  return {what, [plan, what](Crew& crew, Book& book) {
            const TimedAlone ours =
                time_lock<KithReadLock>(plan, crew, book, what, "kith, acquire_shared and release");
            const TimedAlone standard = time_lock<KithStandardReadLock>(
                plan, crew, book, what, KithStandardReadLock::kName);
            const TimedAlone rival =
                time_lock<PthreadReadLock>(plan, crew, book, what, PthreadReadLock::kName);
            Notes notes(book, std::max({ours.share, standard.share, rival.share}));
            notes.number({"read_lock_against", PthreadReadLock::kName}, "p50_ratio",
                         std::max(ours.p50_ns, standard.p50_ns) / rival.p50_ns, "x");
          }};
}

// Times of all readers together, one on each core.
template <class Lock>
double play(const Plan& plan, Crew& crew, std::size_t readers, Histogram& times) {
  const LockPlace place(plan.domain);
  Lock::prepare(place);
  std::vector<Part> parts;
  for (std::size_t i = 0; i < readers; ++i) {
    parts.push_back({"reader " + std::to_string(i), i, [&](Sheet& sheet) {
                       Lock lock(place);
                       auto both = [&] {
                         lock.lock();
                         lock.unlock();
                       };
                       time_batches(crew.stage(), sheet, kBatch, both);
                     }});
  }
  const double share = crew.play(plan.time(80), parts);
  for (std::size_t i = 0; i < readers; ++i) times.add(crew.stage().sheet(i).times);
  return share;
}

template <class Lock>
Run two(const Plan& plan) {
  const Notes::Name name{"read_lock_two", Lock::kName};
  return {name.what, [plan, name](Crew& crew, Book& book) {
            const auto one_reader = std::make_unique<Histogram>();
            const auto two_readers = std::make_unique<Histogram>();
            const double share = std::max(play<Lock>(plan, crew, 1, *one_reader),
                                          play<Lock>(plan, crew, 2, *two_readers));
            Notes notes(book, share);
            notes.percentiles(name, *two_readers);
            notes.number(name, "slowdown",
                         two_readers->percentile_ns(0.5) / one_reader->percentile_ns(0.5), "x");
          }};
}

}  // namespace

Section read_locks_section(const Plan& plan) {
  return {"read_locks",
          plan.repeats(21),
          {exchange_store_run(plan), alone(plan), two<OwnLine>(plan), two<KithReadLock>(plan),
           two<PthreadReadLock>(plan)}};
}

}  // namespace kith::bench
