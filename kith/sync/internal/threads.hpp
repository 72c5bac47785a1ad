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

// A handle of this process on something that a thread can hold. Known as long as it lives.
class HeldByThreads {
 public:
  explicit HeldByThreads(const LockPlace& place);
  virtual ~HeldByThreads();
  HeldByThreads(const HeldByThreads&) = delete;
  HeldByThreads& operator=(const HeldByThreads&) = delete;

  // Called in a thread that ends: what it holds here is given up as if it had been killed.
  virtual void thread_ends(std::uint32_t thread) noexcept = 0;
  // No other handle of this process is on the same lock: if a thread holds it, none can release it
  // any more once this one is gone.
  [[nodiscard]] bool is_last_handle() const noexcept;

 private:
  LockPlace place_;
};

// Of the calling thread, from 1 on; 0 before number_this_thread() was called in it.
inline thread_local std::uint32_t this_thread = 0;

// Gives the calling thread a number that no living thread of this process has. 0 if there is none
// left: MutexWord::kThreadsMax - 1 threads use locks at once.
std::uint32_t number_this_thread() noexcept;

}  // namespace kith::internal
