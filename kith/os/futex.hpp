// Sleeping on a word of shared memory until somebody wakes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"

namespace kith::os {

// How a sleep ended.
enum class Slept {
  over,         // by a wake, at the deadline, or for no reason
  interrupted,  // this thread handled a signal
};

// Sleeps while `word` holds `expected`, until a wake, the deadline, a signal, or for no reason: the
// caller looks at its own condition again in every case. Without a deadline, a handler that was
// installed with SA_RESTART does not end it.
Slept futex_wait(const RealAtomics::Word<std::uint32_t>& word, std::uint32_t expected,
                 Deadline deadline) noexcept;

void futex_wake_all(const RealAtomics::Word<std::uint32_t>& word) noexcept;

// The same on the lower half of a word of 64 bits, which is what lies first: kith runs on
// little-endian machines, and refuses what others made.
Slept futex_wait(const RealAtomics::Word<std::uint64_t>& word, std::uint32_t expected,
                 Deadline deadline) noexcept;
// False if nobody slept.
bool futex_wake_one(const RealAtomics::Word<std::uint64_t>& word) noexcept;
void futex_wake_all(const RealAtomics::Word<std::uint64_t>& word) noexcept;

// Sleeps on several words at once, until one of them no longer holds what it is expected to; else
// as futex_wait(). Of more than one, a handler with SA_RESTART never ends it. Where the kernel
// cannot (before Linux 5.16), it sleeps on the first and looks at all once in a millisecond: what
// changes is seen, and a wake without a change of another word is not. At most kFutexesMax words.
struct ExpectedWord {
  ExpectedWord() noexcept = default;
  ExpectedWord(const RealAtomics::Word<std::uint32_t>& of, std::uint32_t value) noexcept
      : word(&of), expected(value) {}
  // Of its lower half.
  ExpectedWord(const RealAtomics::Word<std::uint64_t>& of, std::uint32_t value) noexcept
      : word(&of), expected(value) {}

  const void* word = nullptr;
  std::uint32_t expected = 0;
};
inline constexpr std::size_t kFutexesMax = 128;
Slept futex_wait_any(std::span<const ExpectedWord> words, Deadline deadline) noexcept;

// Adds one to `word` and wakes all who sleep on it, as one step that no SIGKILL can split: nobody
// can fall asleep in between on the old value and miss the wake.
void futex_add_one_and_wake_all(RealAtomics::Word<std::uint32_t>& word) noexcept;

// Between two looks at a word that another processor is about to change.
inline void relax_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Lets the processor go for a while: for polling where nothing can be slept on. Never longer than
// what is left of the deadline.
Slept pause_for(std::chrono::nanoseconds span, Deadline deadline) noexcept;

}  // namespace kith::os
