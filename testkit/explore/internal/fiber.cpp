#include "testkit/explore/internal/fiber.hpp"

#include <vector>

namespace kith::testkit::explore::internal {
namespace {

// A run begins a fiber for each process, and there are millions of runs.
std::vector<std::unique_ptr<std::byte[]>>& spare_stacks() {
  static std::vector<std::unique_ptr<std::byte[]>> only;
  return only;
}

}  // namespace

Fiber::~Fiber() {
  for (Stack& stack : stacks_) {
    if (stack) spare_stacks().push_back(std::move(stack));
  }
}

Fiber::Stack Fiber::take_stack() {
  if (spare_stacks().empty()) return Stack(new std::byte[kStackSize]);
  Stack stack = std::move(spare_stacks().back());
  spare_stacks().pop_back();
  return stack;
}

}  // namespace kith::testkit::explore::internal
