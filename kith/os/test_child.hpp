// TestChild: a forked child for unit tests. It asserts nothing: it says words through a socket and
// returns an exit code; the parent judges after it has ended.
//
//   TestChild child([](Line& parent) { parent.say('h'); return parent.hear() == 'g' ? 0 : 1; });
//   EXPECT_EQ(child.line().hear(), 'h');
//   child.line().say('g');
//   EXPECT_EQ(child.end(), "exit 0");
//
// Included by tests only. Every wait ends after 30 seconds; the child dies with its parent.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "kith/os/file.hpp"

namespace kith::os {

inline constexpr int kTestPatienceMs = 30'000;
inline constexpr int kTestThrew = 99;    // exit code of a child whose role threw
inline constexpr int kTestRefused = 77;  // exit code of a child that may not do what it is to test

// One end of a socket pair on which single characters travel.
class Line {
 public:
  explicit Line(int number) : end_(number) {}

  void say(char word) const {
    const auto sent = ::send(end_.number(), &word, 1, MSG_NOSIGNAL);
    static_cast<void>(sent);  // the other side is gone: whoever waits for it finds out
  }

  // The next word; '\0' if the other side is gone or says nothing for too long.
  [[nodiscard]] char hear() const {
    pollfd waited{end_.number(), POLLIN, 0};
    char word = '\0';
    if (::poll(&waited, 1, kTestPatienceMs) != 1) return '\0';
    return ::recv(end_.number(), &word, 1, 0) == 1 ? word : '\0';
  }

 private:
  Descriptor end_;
};

class TestChild {
 public:
  // Runs `role(line to the parent)` in a child and ends it with what that returns.
  template <class Role>
  explicit TestChild(Role role) : TestChild(role, make_pair_of_ends()) {}
  TestChild(const TestChild&) = delete;
  TestChild& operator=(const TestChild&) = delete;
  ~TestChild() {
    if (ended_) return;
    send(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] const Line& line() const { return line_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void send(int signal) const { ::kill(pid_, signal); }

  // Waits until a SIGSTOP has taken effect.
  [[nodiscard]] bool is_stopped() const {
    int status = 0;
    return ::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
  }

  // Waits for the end: "exit CODE", "signal NUMBER", or "hangs" (and is killed) after too long.
  [[nodiscard]] std::string end() {
    const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    pollfd waited{process.number(), POLLIN, 0};
    if (::poll(&waited, 1, kTestPatienceMs) != 1) return "hangs";
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
  }

 private:
  static std::pair<int, int> make_pair_of_ends() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    return {ends[0], ends[1]};
  }

  template <class Role>
  TestChild(Role& role, std::pair<int, int> ends) : line_(ends.first), pid_(::fork()) {
    if (pid_ == 0) {
      ::close(ends.first);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      Line parent(ends.second);
      ::_exit(exit_code_of(role, parent));
    }
    ::close(ends.second);
  }

  // Nothing leaves the role: what it threw would go on as a second copy of the test program.
  template <class Role>
  static int exit_code_of(Role& role, Line& parent) noexcept {
    try {
      return role(parent);
    } catch (...) {
      return kTestThrew;
    }
  }

  Line line_;
  pid_t pid_;
  bool ended_ = false;
};

// In a child that has called enter_own_mounts(): mounts a tmpfs of `size` ("1m") on `directory`.
inline bool mount_tmpfs(const std::string& directory, const std::string& size) {
  return ::mount("none", directory.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
}

// Mounts made from here on are this process's alone and vanish with it.
inline bool enter_own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// A fresh directory, on /dev/shm unless told; removed with the files in it.
class TestDirectory {
 public:
  explicit TestDirectory(std::string where = "/dev/shm") : path_(where + "/kith-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() {
    if (const auto directory = open(); directory) {
      const auto names = names_in(directory);
      for (const std::string& name : names.value) {
        if (!unlink_at(directory, name)) ::rmdir(in(name).c_str());
      }
    }
    ::rmdir(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string in(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] Descriptor open() const { return std::move(open_directory(path_).value); }

 private:
  std::string path_;
};

}  // namespace kith::os
