#include "bench/scratch_folder.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kith::bench {
namespace {

constexpr std::array kTemplate = std::to_array("/dev/shm/kith-bench-XXXXXX");

// Says where the folder is, and waits until nobody is left at the other end.
[[noreturn]] void keep_folder(int line) {
  ::setsid();  // what a terminal sends to those in front of it is not for the keeper
  auto path = kTemplate;
  if (::mkdtemp(path.data()) == nullptr) ::_exit(EXIT_FAILURE);
  char nothing = 0;
  // A partner that is dead already is no reason to leave the folder.
  if (::send(line, path.data(), path.size(), MSG_NOSIGNAL) > 0) {
    while (::recv(line, &nothing, 1, 0) < 0 && errno == EINTR) {
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(path.data(), ignored);
  ::_exit(EXIT_SUCCESS);
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::array<int, 2> line{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line.data()) != 0) {
    throw std::runtime_error("no line to a keeper");
  }
  // Inherited blocked, so that no signal finds the keeper before it is one.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  keeper_ = ::fork();
  if (keeper_ == 0) {
    ::close(line[0]);
    keep_folder(line[1]);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::close(line[1]);
  lifeline_ = line[0];
  auto path = kTemplate;
  if (keeper_ < 0 || ::recv(lifeline_, path.data(), path.size(), 0) <= 0) {
    ::close(lifeline_);
    if (keeper_ > 0) ::waitpid(keeper_, nullptr, 0);
    throw std::runtime_error("no place in /dev/shm");
  }
  path_ = path.data();
}

ScratchFolder::~ScratchFolder() {
  ::close(lifeline_);
  ::waitpid(keeper_, nullptr, 0);
}

}  // namespace kith::bench
