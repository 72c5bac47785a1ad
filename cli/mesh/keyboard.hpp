// Keyboard: standard input, be it a terminal, a pipe, a file or nothing.
//
// A terminal hands over each key at once while this lives, and is put back when it ends. A process
// in the background leaves the terminal alone.
#pragma once

#include <optional>
#include <string>
#include <termios.h>

namespace kith::mesh {

class Keyboard {
 public:
  // `echo`: show what is typed, for numbers of several digits.
  explicit Keyboard(bool echo);
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  // Readable when there is something to read; negative once there never will be.
  [[nodiscard]] int descriptor() const noexcept;
  // What was typed; nothing at the end of the input, after which descriptor() is negative.
  [[nodiscard]] std::optional<std::string> read();
  // The shell put the terminal back while this process was stopped: take it again.
  void take_terminal() noexcept;

 private:
  [[nodiscard]] bool owns_terminal() const noexcept;

  bool echo_;
  bool ended_ = false;
  bool is_terminal_ = false;
  std::optional<termios> before_;
};

}  // namespace kith::mesh
