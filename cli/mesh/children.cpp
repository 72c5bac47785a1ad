#include "cli/mesh/children.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace kith::mesh {
namespace {

// This very program, also if its file has been replaced since.
std::string own_program() {
  std::array<char, 4096> path;
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  std::string program(path.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return ::access(program.c_str(), X_OK) == 0 ? program : "/proc/self/exe";
}

// How a child begins: no input, nothing of our signal handling, and the signals that a terminal
// sends to everybody waiting until it says what it makes of them.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    sigset_t all;
    sigset_t held;
    ::sigfillset(&all);
    ::sigemptyset(&held);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&held, signal);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &held);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ~SpawnAttributes() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;

  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }
  [[nodiscard]] const posix_spawn_file_actions_t* files() const { return &files_; }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t files_;
};

// Only the stopped are woken: a debugger or a sanitizer that is just stopping a process would wait
// for ever after a SIGCONT in between.
bool is_stopped(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

}  // namespace

Children::Children(const Options& options)
    : options_(options), program_(own_program()), children_(options.processes) {}

Children::~Children() {
  kill_all();
  for (const Child& child : children_) {
    if (child.status != Status::down) ::waitpid(child.pid, nullptr, 0);
  }
}

void Children::start(std::uint32_t index) {
  Child& child = children_[index];
  auto words = options_.arguments_for(index);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const SpawnAttributes how;
  const int error = ::posix_spawn(&child.pid, program_.c_str(), how.files(), how.attributes(),
                                  arguments.data(), environ);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(),
                            fmt::format("process {} of the mesh cannot be started", index));
  }
  child.status = Status::running;
  ++alive_;
  if (child.has_run) ++restarts_;
  child.has_run = true;
}

void Children::kill(std::uint32_t index) {
  Child& child = children_[index];
  ::kill(child.pid, SIGKILL);
  child.status = Status::dying;
}

void Children::kill_all() {
  for (std::uint32_t i = 0; i < children_.size(); ++i) {
    if (children_[i].status == Status::running) kill(i);
  }
}

void Children::tell_all() const {
  for (const Child& child : children_) {
    if (child.status != Status::running) continue;
    ::kill(child.pid, SIGTERM);
    if (is_stopped(child.pid)) ::kill(child.pid, SIGCONT);
  }
}

std::optional<Children::Ended> Children::reap() {
  int status = 0;
  const pid_t pid = ::waitpid(-1, &status, WNOHANG);
  const auto child = std::find_if(children_.begin(), children_.end(), [pid](const Child& each) {
    return each.status != Status::down && each.pid == pid;
  });
  if (pid <= 0 || child == children_.end()) return std::nullopt;
  Ended ended;
  ended.index = static_cast<std::uint32_t>(child - children_.begin());
  ended.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  ended.killed_by_us = ended.killed && child->status == Status::dying;
  ended.failed = !ended.killed && (WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
  ended.how = WIFSIGNALED(status) ? fmt::format("by signal {}", WTERMSIG(status))
                                  : fmt::format("with status {}", WEXITSTATUS(status));
  child->status = Status::down;
  child->pid = -1;
  --alive_;
  return ended;
}

}  // namespace kith::mesh
