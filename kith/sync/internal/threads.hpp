// Threads of this process that use locks: a small number for each, and what happens to the locks
// it holds when it ends.
#pragma once

#include <cstdint>

#include "kith/os/file.hpp"

namespace kith::internal {

// Where in which file a lock lies: the same for all handles on it.
struct LockPlace {
  os::FileIdentity file;
  std::uint64_t offset = 0;
  friend bool operator==(const LockPlace&, const LockPlace&) noexcept = default;
};

// A handle of this process on something that a thread can hold.
class HeldByThreads {
 public:
  explicit HeldByThreads(const LockPlace& place) noexcept : place_(place) {}
  virtual ~HeldByThreads() = default;
  HeldByThreads(const HeldByThreads&) = delete;
  HeldByThreads& operator=(const HeldByThreads&) = delete;

  // Called in a thread that ends: what it holds here is given up as if it had been killed.
  virtual void thread_ends(std::uint32_t thread) noexcept = 0;
  // As whom this process holds things here; 0 if only a parent did.
  [[nodiscard]] virtual std::uint64_t holds_as() const noexcept = 0;

 protected:
  // From its last step of being made on, and until its first of being unmade, threads that end find
  // it; each under the ForkGuard of that whole step.
  void enlist();
  // True if no other handle of this process is on the same lock as the same member: if a thread
  // holds it, none can release it any more.
  [[nodiscard]] bool delist() noexcept;

 private:
  LockPlace place_;
};

// Hidden: it is read by this copy of the library alone.
[[gnu::visibility("hidden")]] extern constinit thread_local std::uint32_t number_of_this_thread;
// In a shared library that contains a copy, another copy's functions may be called in the place of
// its own. Then it is that one which numbers threads, and which must be asked for the number.
[[nodiscard]] std::uint32_t number_of_calling_thread() noexcept;

// Of the calling thread, from 1 on; 0 before number_this_thread() was called in it. In a program
// itself it is no call: the exchange that takes a lock would wait for what that writes to the
// stack.
[[nodiscard, gnu::always_inline]] inline std::uint32_t this_thread() noexcept {
#if defined(KITH_SHARED) || (defined(__PIC__) && !defined(__PIE__))
  return number_of_calling_thread();
#else
  return number_of_this_thread;
#endif
}

// Gives the calling thread a number that no living thread of this process has. 0 if there is none
// left: MutexWord::kThreadsMax - 1 threads use locks at once.
std::uint32_t number_this_thread() noexcept;

}  // namespace kith::internal
