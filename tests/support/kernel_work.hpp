// What a program asks of the kernel: the system calls and page faults of an operation, counted
// while a child repeats it.
//
//   const KernelWork work = kernel_work_of([] {
//     auto store = std::make_shared<Store>();     // in the child, once
//     return [store] { store->put(7); };          // what is repeated
//   });
//   if (!work.why_not.empty()) GTEST_SKIP() << work.why_not;
//   EXPECT_EQ(work.system_calls, 0u) << work.text();
//
// System calls are counted by tracing the child, which sees every one, whoever made it and however;
// page faults by the kernel's own books (getrusage).
//
// The kernel also takes pages away for reasons of its own: it reclaims them, moves them to another
// node, merges them, and the next touch is a fault that no operation made. So faults are those of
// the best of a few rounds: what an operation does itself, at least once in so many repetitions, is
// in every round.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kith::tests {

struct KernelWork {
  std::string why_not;            // the machine does not let us count; then nothing was
  std::string failure;            // the operation threw, or the child did not come to its end
  std::uint64_t repetitions = 0;  // in each round
  std::uint64_t rounds = 0;
  std::uint64_t system_calls = 0;  // in all rounds
  std::uint64_t page_faults = 0;   // in the round that had the fewest
  long first_call = -1;            // the number of the first system call

  [[nodiscard]] std::string text() const;
};

using Operation = std::function<void()>;

// `make` and what it returns run in the child; an operation that finds something wrong throws. As
// many repetitions again come before the first round: what is made at its first use is there then.
[[nodiscard]] KernelWork kernel_work_of(const std::function<Operation()>& make,
                                        std::uint64_t repetitions = 10'000);

}  // namespace kith::tests
