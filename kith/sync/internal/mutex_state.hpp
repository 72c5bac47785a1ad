// MutexState: one handle on a mutex: the memory it lies in, and who its threads are there. What a
// lock nobody waits for needs stands here, to be compiled into the caller.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kith/sync/internal/mutex_core.hpp"
#include "kith/sync/internal/threads.hpp"

namespace kith {

class Domain;
struct MutexOptions;
struct MutexFacts;

namespace internal {

class MappedRegion;
struct MutexPlace;

class MutexState final : public HeldByThreads, private LockWitness {
 public:
  // Opens or creates the region of a named mutex. Throws Error.
  static MutexState* open(const Domain& domain, const std::string& name,
                          const MutexOptions& options);
  // On a mutex inside the region, by a mapping of its own. Throws Error.
  static MutexState* open(const MappedRegion& region, const MutexWords& words,
                          const MutexOptions& options);
  ~MutexState() override;

  [[gnu::always_inline]] LockAnswer acquire(Deadline deadline) noexcept {
    const std::uint64_t me = this->me();
    if (me != 0 && core_.acquire_free(me) && !pages_lost()) [[likely]]
      return LockAnswer::acquired;
    return acquire_slowly(deadline);
  }
  [[gnu::always_inline]] LockAnswer release() noexcept {
    const std::uint64_t me = this->me();
    if (me != 0 && core_.release_quiet(me)) [[likely]]
      return LockAnswer::released;
    return release_slowly();
  }

  LockAnswer declare_consistent() noexcept;
  LockAnswer retire() noexcept;
  // acquired or owner_died if the calling thread holds it.
  [[nodiscard]] LockAnswer check() noexcept;

  [[nodiscard]] MutexFacts facts() const;
  [[nodiscard]] bool is_orphaned() const noexcept;
  [[nodiscard]] std::uint32_t attached() const;
  [[nodiscard]] std::int64_t created_ns() const noexcept;
  [[nodiscard]] const std::string& object() const noexcept;

  void thread_ends(std::uint32_t thread) noexcept override;

 private:
  MutexState(MutexPlace* place, const LockPlace& where, MutexWords& words,
             const MutexOptions& options);

  // The calling thread's word; 0 if it has none yet, or if this is a child of the process that had.
  [[nodiscard]] std::uint64_t me() const noexcept {
    // acquire: pairs with the release in join(), before which `member_` was stored.
    const std::uint64_t process = process_.load(std::memory_order_acquire);
    // relaxed: see os::ProcessCheck.
    if (process != std::atomic_ref(*process_now_).load(std::memory_order_relaxed)) return 0;
    const std::uint32_t thread = this_thread();
    if (thread == 0) return 0;
    return MutexWord::of(member_.load(std::memory_order_relaxed), thread);
  }
  [[nodiscard]] bool pages_lost() const noexcept {
    // relaxed: see GuardedPages; asked after the word was touched.
    return pages_lost_->load(std::memory_order_relaxed);
  }

  LockAnswer acquire_slowly(Deadline deadline) noexcept;
  LockAnswer release_slowly() noexcept;
  // me(), numbering the thread and joining the domain first if need be. 0 and why not.
  [[nodiscard]] std::uint64_t become_known(LockAnswer& why_not) noexcept;
  void join();

  [[nodiscard]] bool may_be_dead(MemberId id) const noexcept override;
  [[nodiscard]] Liveness liveness(MemberId id) const noexcept override;
  void sleep(const RealAtomics::Word<std::uint64_t>& word, std::uint64_t expected,
             Deadline deadline) const noexcept override;
  [[nodiscard]] LockAnswer memory() const noexcept override;

  MutexCore core_;
  std::atomic<std::uint64_t> process_{0};  // for whom `member_` stands
  std::atomic<std::uint64_t> member_{0};
  std::uint64_t* process_now_;
  const std::atomic<bool>* pages_lost_;
  const MutexWords* words_;
  bool recursive_;
  MutexPlace* place_;  // the rest: its region and membership
};

}  // namespace internal
}  // namespace kith
