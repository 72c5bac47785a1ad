// RwLockState: one handle on a read-write lock. What a reader needs that finds no writer stands
// here, to be compiled into the caller.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "kith/sync/internal/owned_lock.hpp"
#include "kith/sync/internal/rw_lock_core.hpp"
#include "kith/sync/rw_lock_facts.hpp"

namespace kith {

class Domain;
struct RwLockOptions;

namespace internal {

class MappedRegion;

class RwLockState final : public OwnedLock<RwLockCore> {
 public:
  // Opens or creates the region of a named lock. Throws Error.
  static RwLockState* open(const Domain& domain, const std::string& name,
                           const RwLockOptions& options);
  // On a lock inside the region, by a mapping of its own. Throws Error.
  static RwLockState* open(const MappedRegion& region, const RwLockWords& words);
  // If this is the last handle on it here, what threads of this process hold is given up, as if
  // they had died.
  ~RwLockState() override;

  [[gnu::always_inline]] LockAnswer acquire_shared(Deadline deadline) noexcept {
    ReaderLine* const line = own_line();
    if (line != nullptr && core_.enter_quick(*line)) [[likely]]
      return lost() ? damaged(*line) : LockAnswer::acquired;
    return acquire_shared_slowly(deadline);
  }
  [[gnu::always_inline]] LockAnswer release_shared() noexcept {
    ReaderLine* const line = own_line();
    if (line != nullptr && core_.leave_quick(*line)) [[likely]]
      return LockAnswer::released;
    return release_shared_slowly();
  }
  // Whichever the thread has.
  [[gnu::always_inline]] LockAnswer release() noexcept {
    const LockAnswer answer = release_shared();
    return answer == LockAnswer::not_owner ? release_exclusive() : answer;
  }

  LockAnswer acquire(Deadline deadline) noexcept;
  LockAnswer release_exclusive() noexcept;
  LockAnswer upgrade(Deadline deadline) noexcept;
  LockAnswer downgrade() noexcept;
  [[nodiscard]] bool is_shared() noexcept;

  [[nodiscard]] RwLockFacts facts() const;

 private:
  RwLockState(LockSite* site, RwLockWords& words);

  // The calling thread's; null before it was made known to this handle.
  [[nodiscard]] ReaderLine* own_line() const noexcept {
    // acquire: pairs with the release in make_known(), before which the others were stored.
    if (!is_now(process_of_lines_.load(std::memory_order_acquire))) return nullptr;
    // acquire: likewise; a line that counts is clean.
    const std::uint32_t count = lines_count_.load(std::memory_order_acquire);
    return ReaderLines{lines_.load(std::memory_order_relaxed), count}.of_thread(this_thread());
  }
  // So that writers see what the calling thread reads. False and why not. Who cannot be seen can
  // still write.
  bool make_known(LockAnswer& why_not) noexcept;
  // Files were cut short: the lock's own, or that which says who reads it.
  [[nodiscard]] bool lost() const noexcept {
    // relaxed: see GuardedPages; asked after its bytes were touched.
    return pages_lost() ||
           table_lost_.load(std::memory_order_relaxed)->load(std::memory_order_relaxed);
  }
  LockAnswer damaged(ReaderLine& line) noexcept;
  LockAnswer unless_lost(LockAnswer answer) noexcept;  // of who has it for itself

  void thread_ends(std::uint32_t thread) noexcept override;
  LockAnswer acquire_shared_slowly(Deadline deadline) noexcept;
  LockAnswer release_shared_slowly() noexcept;

  RwLockWords* words_;
  std::uint64_t key_;
  std::atomic<ReaderLine*> lines_{nullptr};  // of this process's threads
  std::atomic<std::uint32_t> lines_count_{0};
  std::atomic<std::uint64_t> process_of_lines_{0};  // os::process_mark() of that process
  std::atomic<const std::atomic<bool>*> table_lost_{nullptr};
};

}  // namespace internal
}  // namespace kith
