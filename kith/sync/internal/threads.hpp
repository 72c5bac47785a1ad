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

// Hidden, so that each copy of the library in a process has threads of its own. Initial-exec, so
// that code which may come to lie in a shared library makes no call for it either.
#define KITH_OF_THIS_COPY [[gnu::visibility("hidden"), gnu::tls_model("initial-exec")]]
KITH_OF_THIS_COPY extern constinit thread_local std::uint32_t number_of_this_thread;
#undef KITH_OF_THIS_COPY

// Of the calling thread, from 1 on; 0 before number_this_thread() was called in it.
#if defined(KITH_SHARED)
[[nodiscard]] std::uint32_t this_thread() noexcept;
#else
// Not a call: the exchange that takes a lock would wait for what one writes to the stack.
[[nodiscard]] inline std::uint32_t this_thread() noexcept {
  return number_of_this_thread;
}
#endif

// Gives the calling thread a number that no living thread of this process has. 0 if there is none
// left: MutexWord::kThreadsMax - 1 threads use locks at once.
std::uint32_t number_this_thread() noexcept;

}  // namespace kith::internal
