#include "testkit/internal/marks.hpp"

// The call is written out so that exactly one instruction lies between the first mark and the
// operation's own first one. No unwind information: an Operation lets no exception out.
asm(R"(
    .text
    .p2align 4
    .globl kith_testkit_between
    .hidden kith_testkit_between
    .type kith_testkit_between, @function
kith_testkit_between:
    subq $8, %rsp
    movq %rdi, %rax
    movq %rsi, %rdi
    int3
    .globl kith_testkit_begin
    .hidden kith_testkit_begin
kith_testkit_begin:
    call *%rax
    .globl kith_testkit_end
    .hidden kith_testkit_end
kith_testkit_end:
    int3
    addq $8, %rsp
    ret
    .size kith_testkit_between, .-kith_testkit_between
)");

extern "C" {
void kith_testkit_between(kith::testkit::Operation::Entry entry, void* state);
extern const char kith_testkit_begin[];
extern const char kith_testkit_end[];
}

namespace kith::testkit::internal {

void run_between_marks(const Operation& operation) {
  kith_testkit_between(operation.entry(), operation.state());
}

std::uint64_t begin_mark() {
  return reinterpret_cast<std::uint64_t>(kith_testkit_begin);
}
std::uint64_t end_mark() {
  return reinterpret_cast<std::uint64_t>(kith_testkit_end);
}

}  // namespace kith::testkit::internal
