// Fork: a lock that keeps forks out of short sections, and a mark by which a process knows itself.
#pragma once

#include <atomic>
#include <cstdint>

namespace kith::os {

// While one lives, no thread of this process is inside fork(). For the moments between opening a
// file and closing it in which a child would inherit an open that must die with us.
class ForkGuard {
 public:
  ForkGuard();
  ~ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;
};

// Descriptors a forked child must not keep open: closed in the child by the fork handler.
void close_in_children(int descriptor);
void forget_descriptor(int descriptor) noexcept;

// A number that is this process's own: never zero, another one in a forked child. It lies on a page
// that the kernel wipes on fork, so even a raw clone() is noticed. Costs a load.
[[nodiscard]] std::uint64_t process_mark() noexcept;
// The page itself, for hot paths that compare one word: it holds zero in a child that has not
// called process_mark() yet.
[[nodiscard]] std::uint64_t* process_mark_word() noexcept;

// "Am I still the process that made this?" in one load.
class ProcessCheck {
 public:
  ProcessCheck() noexcept : word_(process_mark_word()), mark_(process_mark()) {}
  [[nodiscard]] bool same_process() const noexcept {
    // relaxed: the number guards no other data; a child is born with its wiped page.
    return std::atomic_ref<std::uint64_t>(*word_).load(std::memory_order_relaxed) == mark_;
  }

 private:
  std::uint64_t* word_;
  std::uint64_t mark_;
};

}  // namespace kith::os
