#include "kith/os/futex.hpp"

#include <algorithm>
#include <array>
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

void wait(const void* word, std::uint32_t expected, Deadline deadline) noexcept {
  // The bitset form takes an absolute time of the monotonic clock.
  const timespec until = as_timespec(deadline.monotonic_ns());
  futex(word, FUTEX_WAIT_BITSET, expected, deadline.is_never() ? nullptr : &until, nullptr,
        FUTEX_BITSET_MATCH_ANY);
}

long wake(const void* word, std::uint32_t most) noexcept {
  return futex(word, FUTEX_WAKE, most, nullptr, nullptr, 0);
}

}  // namespace

static_assert(std::endian::native == std::endian::little);

void futex_wait(const RealAtomics::Word<std::uint32_t>& word, std::uint32_t expected,
                Deadline deadline) noexcept {
  wait(&word, expected, deadline);
}
void futex_wake_all(const RealAtomics::Word<std::uint32_t>& word) noexcept {
  wake(&word, INT_MAX);
}
void futex_wait(const RealAtomics::Word<std::uint64_t>& word, std::uint32_t expected,
                Deadline deadline) noexcept {
  wait(&word, expected, deadline);
}
bool futex_wake_one(const RealAtomics::Word<std::uint64_t>& word) noexcept {
  return wake(&word, 1) > 0;
}
void futex_wake_all(const RealAtomics::Word<std::uint64_t>& word) noexcept {
  wake(&word, INT_MAX);
}

void futex_wait_any(std::span<const ExpectedWord> words, Deadline deadline) noexcept {
  if (words.size() == 1) return futex_wait(*words[0].word, words[0].expected, deadline);
  // The kernel's struct futex_waitv; its number and name are newer than the headers of some.
  struct Waiter {
    std::uint64_t value;
    std::uint64_t address;
    std::uint32_t flags;
    std::uint32_t reserved;
  };
  constexpr long kFutexWaitv = 449;
  constexpr std::uint32_t kThirtyTwoBits = 2;
  std::array<Waiter, kFutexesMax> waiters{};
  const std::size_t count = std::min(words.size(), waiters.size());
  for (std::size_t i = 0; i < count; ++i) {
    waiters[i] = {words[i].expected, reinterpret_cast<std::uintptr_t>(words[i].word),
                  kThirtyTwoBits, 0};
  }
  const timespec until = as_timespec(deadline.monotonic_ns());
  const long got = ::syscall(kFutexWaitv, waiters.data(), count, 0,
                             deadline.is_never() ? nullptr : &until, CLOCK_MONOTONIC);
  if (got >= 0 || (errno != ENOSYS && errno != EPERM)) return;
  futex_wait(*words.front().word, words.front().expected,
             deadline.within(std::chrono::milliseconds(1)));
}

void futex_add_one_and_wake_all(RealAtomics::Word<std::uint32_t>& word) noexcept {
  // FUTEX_WAKE_OP on one word as both its words: all sleepers are woken for the first; the
  // comparison (old value == 0) would wake a second time, and finds nobody left to wake.
  const std::uint32_t add_one = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0);
  const void* nobody_more = nullptr;
  futex(&word, FUTEX_WAKE_OP, INT_MAX, nobody_more, &word, add_one);
}

void pause_for(std::chrono::nanoseconds span, Deadline deadline) noexcept {
  const auto length = std::min<std::chrono::nanoseconds>(span, deadline.remaining());
  const timespec time = as_timespec(length.count());
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace kith::os
