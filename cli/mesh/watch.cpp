#include "cli/mesh/watch.hpp"

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace kith::mesh {
namespace {

using namespace std::chrono_literals;

std::initializer_list<int> signals_for(const Options& options) {
  static const std::initializer_list<int> alone = {SIGTERM, SIGINT, SIGHUP};
  static const std::initializer_list<int> supervised = {SIGTERM};
  return options.supervisor == 0 ? alone : supervised;
}

}  // namespace

Watch::Watch(const Options& options, const ControlRegion& control)
    : options_(options),
      control_(control),
      signals_(signals_for(options)),
      // Rarely enough that a thousand processes looking for their supervisor do not load a machine.
      look_every_(100ms + options.processes * 500us) {
  if (options.supervisor == 0) {
    keyboard_.emplace(false);
    if (options.seconds) {
      end_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(*options.seconds);
    }
    return;
  }
  // The supervisor speaks for the terminal. Its death is told at once where the kernel does so, and
  // found by looking where it does not.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

bool Watch::is_orphaned() const {
  const bool supervised = options_.supervisor != 0;
  if (supervised && ::getppid() != static_cast<pid_t>(options_.supervisor)) return true;
  return control_.is_orphaned();
}

bool Watch::quit_typed() {
  if (!keyboard_) return false;
  pollfd typed{keyboard_->descriptor(), POLLIN, 0};
  if (::poll(&typed, 1, 0) <= 0 || typed.fd < 0) return false;
  const auto keys = parser_.parse(keyboard_->read().value_or(""));
  return std::any_of(keys.begin(), keys.end(),
                     [](const Key& key) { return key.kind == Key::Kind::quit; });
}

std::optional<End> Watch::look() {
  const bool signalled = signals_.next().has_value();
  if (phase_of(*control_) != Phase::running) return End::parking;
  const auto now = Clock::now();
  if (signalled || now >= next_look_) {
    next_look_ = now + look_every_;
    if (is_orphaned()) return End::orphaned;
  }
  if (signalled || quit_typed() || now >= end_) return End::asked;
  return std::nullopt;
}

std::optional<End> Watch::pause(Clock::duration time) {
  const auto until = Clock::now() + time;
  for (;;) {
    if (const auto end = look()) return end;
    const auto now = Clock::now();
    if (now >= until) return std::nullopt;
    wait(std::min({until, next_look_, end_}) - now);
  }
}

void Watch::wait(Clock::duration time) const {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  pollfd ready[] = {{signals_.descriptor(), POLLIN, 0},
                    {keyboard_ ? keyboard_->descriptor() : -1, POLLIN, 0}};
  ::poll(ready, 2, static_cast<int>(std::clamp<std::int64_t>(milliseconds, 0, 60'000)));
}

void Watch::wait_for_closing() {
  while (phase_of(*control_) != Phase::closing && !is_orphaned()) {
    signals_.wait(look_every_);
    static_cast<void>(signals_.next());
  }
}

}  // namespace kith::mesh
