#include "kith/os/futex.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kith::os {
namespace {

// Not the private kind: the word is shared between address spaces.
long futex(const void* word, int operation, std::uint32_t value, const void* timeout_or_count,
           const void* second_word, std::uint32_t value3) noexcept {
  return ::syscall(SYS_futex, word, operation, value, timeout_or_count, second_word, value3);
}

timespec as_timespec(std::int64_t ns) noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
}

Slept slept(long answer) noexcept {
  return answer < 0 && errno == EINTR ? Slept::interrupted : Slept::over;
}

Slept wait(const void* word, std::uint32_t expected, Deadline deadline) noexcept {
  // The bitset form takes an absolute time of the monotonic clock.
  const timespec until = as_timespec(deadline.monotonic_ns());
  return slept(futex(word, FUTEX_WAIT_BITSET, expected, deadline.is_never() ? nullptr : &until,
                     nullptr, FUTEX_BITSET_MATCH_ANY));
}

// ---- several words

// Asked once: a filter of system calls may refuse it as well (containers), with EPERM.
std::atomic<bool> refused{false};

bool kernel_waits_for_several() noexcept {
  // relaxed: who does not know it yet finds it out.
  return !refused.load(std::memory_order_relaxed);
}
void kernel_refuses_several() noexcept {
  refused.store(true, std::memory_order_relaxed);
}

long wait_for_several(std::span<const ExpectedWord> words, Deadline deadline) noexcept {
  // The kernel's struct futex_waitv; its number and name are newer than the headers of some.
  struct Waiter {
    std::uint64_t value;
    std::uint64_t address;
    std::uint32_t flags;
    std::uint32_t reserved;
  };
  constexpr long kFutexWaitv = 449;
  constexpr std::uint32_t kThirtyTwoBits = 2;
  std::array<Waiter, kFutexesMax> waiters;
  for (std::size_t i = 0; i < words.size(); ++i) {
    waiters[i] = {words[i].expected, reinterpret_cast<std::uintptr_t>(words[i].word),
                  kThirtyTwoBits, 0};
  }
  const timespec until = as_timespec(deadline.monotonic_ns());
  return ::syscall(kFutexWaitv, waiters.data(), words.size(), 0,
                   deadline.is_never() ? nullptr : &until, CLOCK_MONOTONIC);
}

bool any_has_changed(std::span<const ExpectedWord> words) noexcept {
  return std::any_of(words.begin(), words.end(), [](const ExpectedWord& one) {
    // As the kernel looks at it: the lower half of a larger word. relaxed: a reason to look.
    const auto* half = static_cast<const std::uint32_t*>(one.word);
    return __atomic_load_n(half, __ATOMIC_RELAXED) != one.expected;
  });
}

long wake(const void* word, std::uint32_t most) noexcept {
  return futex(word, FUTEX_WAKE, most, nullptr, nullptr, 0);
}

}  // namespace

static_assert(std::endian::native == std::endian::little);

Slept futex_wait(const RealAtomics::Word<std::uint32_t>& word, std::uint32_t expected,
                 Deadline deadline) noexcept {
  return wait(&word, expected, deadline);
}
void futex_wake_all(const RealAtomics::Word<std::uint32_t>& word) noexcept {
  wake(&word, INT_MAX);
}
Slept futex_wait(const RealAtomics::Word<std::uint64_t>& word, std::uint32_t expected,
                 Deadline deadline) noexcept {
  return wait(&word, expected, deadline);
}
bool futex_wake_one(const RealAtomics::Word<std::uint64_t>& word) noexcept {
  return wake(&word, 1) > 0;
}
void futex_wake_all(const RealAtomics::Word<std::uint64_t>& word) noexcept {
  wake(&word, INT_MAX);
}

Slept futex_wait_any(std::span<const ExpectedWord> words, Deadline deadline) noexcept {
  words = words.first(std::min(words.size(), kFutexesMax));
  if (words.size() == 1) return wait(words[0].word, words[0].expected, deadline);
  if (kernel_waits_for_several()) {
    const long answer = wait_for_several(words, deadline);
    if (answer >= 0 || (errno != ENOSYS && errno != EPERM)) return slept(answer);
    kernel_refuses_several();
  }
  while (!any_has_changed(words)) {
    const Slept how =
        wait(words[0].word, words[0].expected, deadline.within(std::chrono::milliseconds(1)));
    if (how == Slept::interrupted || deadline.has_passed()) return how;
  }
  return Slept::over;
}

void futex_add_one_and_wake_all(RealAtomics::Word<std::uint32_t>& word) noexcept {
  // FUTEX_WAKE_OP on one word as both its words: all sleepers are woken for the first; the
  // comparison (old value == 0) would wake a second time, and finds nobody left to wake.
  const std::uint32_t add_one = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0);
  const void* nobody_more = nullptr;
  futex(&word, FUTEX_WAKE_OP, INT_MAX, nobody_more, &word, add_one);
}

Slept pause_for(std::chrono::nanoseconds span, Deadline deadline) noexcept {
  const auto length = std::min<std::chrono::nanoseconds>(span, deadline.remaining());
  const timespec time = as_timespec(length.count());
  const int error = ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
  return error == EINTR ? Slept::interrupted : Slept::over;
}

}  // namespace kith::os
