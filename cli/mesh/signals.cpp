#include "cli/mesh/signals.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

namespace kith::mesh {

Signals::Signals(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  // Whoever read our lines may go away; then they are lost, and nothing else happens.
  std::signal(SIGPIPE, SIG_IGN);
  descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Signals::~Signals() {
  ::close(descriptor_);
}

std::optional<int> Signals::next() const noexcept {
  signalfd_siginfo info{};
  if (::read(descriptor_, &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

void Signals::wait(std::chrono::nanoseconds longest) const noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t nanoseconds = std::max<std::int64_t>(longest.count(), 0);
  const timespec time{static_cast<time_t>(nanoseconds / kSecond),
                      static_cast<long>(nanoseconds % kSecond)};
  pollfd readable{descriptor_, POLLIN, 0};
  ::ppoll(&readable, 1, &time, nullptr);
}

}  // namespace kith::mesh
