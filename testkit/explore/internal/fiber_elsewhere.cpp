// Fibers where there is no assembly for the processor: by ucontext, ten times slower.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <ucontext.h>

#include "testkit/explore/internal/fiber.hpp"

namespace kith::testkit::explore::internal {
namespace {

Fiber* entered = nullptr;  // handed to a new stack, which cannot be given a pointer portably

}  // namespace

void Fiber::enter(Fiber* self) {
  self->work_();
  std::abort();  // the work must end by leaving for good
}

void Fiber::begin(std::function<void()> work) {
  work_ = std::move(work);
  in_use_ = 1 - in_use_;
  auto& stack = stacks_[in_use_];
  if (!stack) stack = take_stack();
  auto* context = new (stack.get()) ucontext_t{};  // at the stack's far end
  ::getcontext(context);
  context->uc_stack.ss_sp = stack.get() + sizeof *context;
  context->uc_stack.ss_size = kStackSize - sizeof *context;
  ::makecontext(context, static_cast<void (*)()>([] { Fiber::enter(entered); }), 0);
  stack_pointer_ = context;
  exceptions_ = {};
}

void Fiber::change(Fiber& from, Fiber& to) {
  auto* globals = reinterpret_cast<std::uintptr_t*>(abi::__cxa_get_globals());
  std::memcpy(from.exceptions_.data(), globals, sizeof from.exceptions_);
  std::memcpy(globals, to.exceptions_.data(), sizeof to.exceptions_);
  entered = &to;
  ucontext_t here;
  auto* target = static_cast<ucontext_t*>(to.stack_pointer_);
  from.stack_pointer_ = &here;
  ::swapcontext(&here, target);
}

}  // namespace kith::testkit::explore::internal
