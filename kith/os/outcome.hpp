// Outcome<T>: what a system call gave, or its errno. The words for it are found above this floor.
#pragma once

#include <utility>

namespace kith::os {

template <class T>
struct [[nodiscard]] Outcome {
  T value{};
  int error = 0;  // errno; 0 means `value` is good

  explicit operator bool() const noexcept { return error == 0; }

  static Outcome failed(int error_number) noexcept { return Outcome{T{}, error_number}; }
};

// For calls that give nothing: 0 or errno, never to be ignored silently.
struct [[nodiscard]] Done {
  int error = 0;
  explicit operator bool() const noexcept { return error == 0; }
};

}  // namespace kith::os
