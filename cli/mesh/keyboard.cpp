#include "cli/mesh/keyboard.hpp"

#include <array>
#include <cerrno>
#include <unistd.h>

namespace kith::mesh {

Keyboard::Keyboard(bool echo) : echo_(echo), is_terminal_(::isatty(STDIN_FILENO) == 1) {
  take_terminal();
}

Keyboard::~Keyboard() {
  if (before_ && owns_terminal()) ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

// In the background the terminal is another's, and touching it would stop us.
bool Keyboard::owns_terminal() const noexcept {
  return is_terminal_ && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

void Keyboard::take_terminal() noexcept {
  if (!owns_terminal()) return;
  termios now{};
  if (::tcgetattr(STDIN_FILENO, &now) != 0) return;
  if (!before_) before_ = now;  // later it may be our own mode, brought back by the shell
  // Key by key; interrupt and stop keys stay what they are.
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | (echo_ ? 0 : ECHO));
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

int Keyboard::descriptor() const noexcept {
  if (ended_ || (is_terminal_ && !owns_terminal())) return -1;
  return STDIN_FILENO;
}

std::optional<std::string> Keyboard::read() {
  std::array<char, 256> typed;
  const ssize_t got = ::read(STDIN_FILENO, typed.data(), typed.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return std::string();
  if (got <= 0) {
    ended_ = true;
    return std::nullopt;
  }
  return std::string(typed.data(), static_cast<std::size_t>(got));
}

}  // namespace kith::mesh
