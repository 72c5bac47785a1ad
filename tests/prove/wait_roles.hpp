// What the subjects that wait have in common: one process that sleeps, the victim beside it, and
// what they tell each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "tests/prove/lock_trial.hpp"
#include "tests/prove/subjects.hpp"

namespace kith::prove {

// What the mutex beside a condition guards. relaxed, both: ordered by the mutex, which is what is
// being tried.
inline void set_value() {
  shared().first.store(1, std::memory_order_relaxed);
}
inline bool is_value_set() {
  return shared().first.load(std::memory_order_relaxed) != 0;
}

inline void must(bool fact, const char* what) {
  if (!fact) throw std::runtime_error(what);
}

// So many have arrived in the event count that lies there.
inline std::uint64_t arrivals(const World& world, std::uint64_t offset) {
  return word_in_file(world, "it", offset) >> 32;
}
inline void until_somebody_waits(const World& world, std::uint64_t offset) {
  const Deadline deadline = patience();
  while (arrivals(world, offset) == 0) {
    must(!deadline.has_passed(), "nobody came to wait");
    std::this_thread::yield();
  }
}

// One that waits in a process of its own, which lives on: true if it got what it waited for.
inline std::function<void()> sleeper(std::function<bool()> waits) {
  return [waits = std::move(waits)] { std::thread([waits] { say_sleeper(waits()); }).detach(); };
}

inline testkit::Subject wait_subject(const World& world, const std::string& name) {
  testkit::Subject subject = world.subject(name);
  share(subject);
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

}  // namespace kith::prove
