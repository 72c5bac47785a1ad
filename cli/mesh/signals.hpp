// Signals as something one can wait for together with other things: no handlers, no races.
//
//   Signals signals({SIGTERM, SIGCHLD});
//   if (auto signal = signals.wait(100ms)) ...;
#pragma once

#include <chrono>
#include <csignal>
#include <initializer_list>
#include <optional>

namespace kith::mesh {

class Signals {
 public:
  // From here on these signals do nothing but become readable here. SIGPIPE is ignored besides.
  explicit Signals(std::initializer_list<int> signals);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The next signal, if there is one.
  [[nodiscard]] std::optional<int> next() const noexcept;
  // Sleeps until there is a signal or the time is over.
  void wait(std::chrono::nanoseconds longest) const noexcept;
  // Readable while next() has something.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace kith::mesh
