#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>

#include "testkit/explore/internal/fiber.hpp"

extern "C" {
// Saves what a call must preserve, notes the stack pointer, takes the other, and returns there.
void kith_testkit_change_stack(void** from, void* to);
// Where a new stack begins: hands the fiber, which waits in a preserved register, on.
void kith_testkit_begin_stack();
}

asm(R"(
.text
.globl kith_testkit_change_stack
.type kith_testkit_change_stack, @function
kith_testkit_change_stack:
  endbr64
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size kith_testkit_change_stack, . - kith_testkit_change_stack

.globl kith_testkit_begin_stack
.type kith_testkit_begin_stack, @function
kith_testkit_begin_stack:
  endbr64
  movq %r12, %rdi
  xorl %ebp, %ebp
  callq *%r13
  ud2
.size kith_testkit_begin_stack, . - kith_testkit_begin_stack
)");

namespace kith::testkit::explore::internal {

void Fiber::enter(Fiber* self) {
  self->work_();
  std::abort();  // the work must end by leaving for good
}

void Fiber::begin(std::function<void()> work) {
  work_ = std::move(work);
  in_use_ = 1 - in_use_;
  auto& stack = stacks_[in_use_];
  if (!stack) stack = take_stack();
  // As change_stack leaves it: six registers and where to return to. 16-byte aligned at the call.
  auto top = (reinterpret_cast<std::uintptr_t>(stack.get()) + kStackSize) & ~std::uintptr_t{15};
  auto* frame = reinterpret_cast<std::uintptr_t*>(top) - 9;
  std::memset(frame, 0, 9 * sizeof *frame);
  frame[2] = reinterpret_cast<std::uintptr_t>(&Fiber::enter);              // r13
  frame[3] = reinterpret_cast<std::uintptr_t>(this);                       // r12
  frame[6] = reinterpret_cast<std::uintptr_t>(&kith_testkit_begin_stack);  // the return address
  stack_pointer_ = frame;
  exceptions_ = {};
}

void Fiber::change(Fiber& from, Fiber& to) {
  auto* globals = reinterpret_cast<std::uintptr_t*>(abi::__cxa_get_globals());
  std::memcpy(from.exceptions_.data(), globals, sizeof from.exceptions_);
  std::memcpy(globals, to.exceptions_.data(), sizeof to.exceptions_);
  kith_testkit_change_stack(&from.stack_pointer_, to.stack_pointer_);
}

}  // namespace kith::testkit::explore::internal
