// A child for tests that need no name for it: testkit::Process (which forks, waits and kills), with
// an exit status as its answer. It asserts nothing; the parent judges after the child has ended.
//
//   Child child([](Mouth& parent) { parent.say("ready"); return parent.hear(soon()) ? 0 : 1; });
//   EXPECT_EQ(child.hear(), "ready");
//   child.say("go");
//   EXPECT_EQ(child.wait(), 0);
#pragma once

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <utility>

#include "kith/base/deadline.hpp"

#include "testkit/process.hpp"

namespace kith::tests {

using testkit::Mouth;

inline constexpr int kHung = -1000;
inline constexpr int kThrew = 99;    // exit status of a child whose work threw
inline constexpr int kRefused = 77;  // exit status of a child that may not do what it is to test

// The end of every wait for a word.
inline testkit::TimePoint soon() {
  return testkit::within(std::chrono::seconds(30));
}

// The end of every wait at a lock: enough for a loaded machine. One that takes so long is a hang.
inline Deadline patience() {
  return Deadline::after(std::chrono::seconds(30));
}

// A line of communication between any two processes: tell() at one end, wait() at the other.
class Signal {
 public:
  Signal() {
    if (::pipe(ends_) != 0) std::abort();
  }
  ~Signal() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void tell() {
    const char byte = 1;
    if (::write(ends_[1], &byte, 1) != 1) std::abort();
  }
  // False if nobody told in time.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    pollfd ready{ends_[0], POLLIN, 0};
    char byte = 0;
    return ::poll(&ready, 1, static_cast<int>(patience.count())) == 1 &&
           ::read(ends_[0], &byte, 1) == 1;
  }

 private:
  int ends_[2];
};

// Killed at its end if it still runs.
class Child {
 public:
  explicit Child(std::function<int(Mouth&)> work)
      : process_(
            testkit::Process::fork("child", [work = std::move(work)](Mouth& parent) -> std::string {
              ::_exit(status_of(work, parent));
            })) {}
  explicit Child(std::function<int()> work)
      : Child(std::function<int(Mouth&)>([work = std::move(work)](Mouth&) { return work(); })) {}

  // The exit status, the negative signal number, or kHung (and it was killed).
  int wait(std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    const testkit::Ending ending = process_.finish(testkit::within(patience));
    if (ending.how == testkit::Ending::How::hung) return kHung;
    return ending.how == testkit::Ending::How::signalled ? -ending.status : ending.status;
  }
  // Returns when it is gone with everything it held.
  void kill() { (void)process_.kill(); }
  void signal(int number) const { ::kill(process_.pid(), number); }
  // True when it really is stopped, false if it ended first.
  bool stop() { return process_.stop(); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  void say(const std::string& word) { (void)process_.tell(word); }
  // The next word; "" if it is gone or says nothing for too long.
  [[nodiscard]] std::string hear() { return hear_until(soon()); }
  [[nodiscard]] std::string hear_until(testkit::TimePoint end) {
    return process_.next_word(end).value_or("");
  }

 private:
  // Nothing leaves the work: what it threw would go on as a second copy of the test program.
  static int status_of(const std::function<int(Mouth&)>& work, Mouth& parent) noexcept {
    try {
      return work(parent);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
    } catch (...) {
      std::fprintf(stderr, "child: threw something that is not a std::exception\n");
    }
    return kThrew;
  }

  testkit::Process process_;
};

}  // namespace kith::tests
