// A forked child for unit tests: it does one thing and says by its exit status how that went. The
// parent asserts, after the child has ended.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kith::tests {

inline constexpr int kHung = -1000;

// A line of communication: tell() at one end, wait() at the other.
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

class Child {
 public:
  explicit Child(const std::function<int()>& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int status = 99;
    try {
      status = work();
    } catch (const std::exception& error) {
      ::fprintf(stderr, "child: %s\n", error.what());
    }
    ::_exit(status);
  }
  ~Child() {
    if (pid_ > 0) kill();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The exit status, the negative signal number, or kHung.
  int wait(std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd ended{handle, POLLIN, 0};
    const bool in_time = ::poll(&ended, 1, static_cast<int>(patience.count())) == 1;
    ::close(handle);
    if (!in_time) {
      kill();
      return kHung;
    }
    return reap();
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    reap();
  }
  void signal(int number) const { ::kill(pid_, number); }
  // Until it really is stopped.
  void stop() const {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  int reap() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  pid_t pid_;
};

}  // namespace kith::tests
