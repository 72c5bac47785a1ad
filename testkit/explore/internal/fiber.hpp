// Fiber: a stack of its own that is entered, left and entered again within one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace kith::testkit::explore::internal {

// Leaving a fiber for good runs no destructor of what stands on its stack: exactly as SIGKILL does.
class Fiber {
 public:
  static constexpr std::size_t kStackSize = 256 * 1024;

  Fiber() = default;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next switch to this fiber begins `work`, which must never return. It may be the one that
  // runs: the new work gets the other of two stacks.
  void begin(std::function<void()> work);

  // Leaves `from` and goes on in `to`, where it was left or at its beginning.
  static void change(Fiber& from, Fiber& to);

 private:
  using Stack = std::unique_ptr<std::byte[]>;

  static void enter(Fiber* self);
  static Stack take_stack();

  std::array<Stack, 2> stacks_;
  std::size_t in_use_ = 0;
  void* stack_pointer_ = nullptr;
  std::function<void()> work_;
  // What the C++ runtime keeps for each thread about exceptions in flight; here each fiber's own.
  std::array<std::uintptr_t, 2> exceptions_{};
};

}  // namespace kith::testkit::explore::internal
