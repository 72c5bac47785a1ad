// LockHandle: what all handles on locks have in common: the memory it lies in, as which member this
// process uses it, and how its threads wait. What a lock nobody waits for needs stands here, to be
// compiled into the caller.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kith/member/member_id.hpp"
#include "kith/os/fork.hpp"
#include "kith/sync/internal/lock_witness.hpp"
#include "kith/sync/internal/mutex_word.hpp"
#include "kith/sync/internal/threads.hpp"

namespace kith::internal {

struct LockSite;
class Membership;

class LockHandle : public LockWitness {
 public:
  LockHandle(const LockHandle&) = delete;
  LockHandle& operator=(const LockHandle&) = delete;

  [[nodiscard]] const std::string& object() const noexcept;
  [[nodiscard]] bool is_orphaned() const noexcept;
  // Living processes that have this named lock open; 0 for one inside a region: nobody counts.
  [[nodiscard]] std::uint32_t attached() const;
  [[nodiscard]] std::int64_t created_ns() const noexcept;

  // ---- what the cores ask

  [[nodiscard]] bool may_be_dead(MemberId id) const noexcept override;
  [[nodiscard]] Liveness liveness(MemberId id) const noexcept override;
  os::Slept asleep(const RealAtomics::Word<std::uint64_t>& word, std::span<const MemberId> holders,
                   Deadline deadline, Sleeper& sleeper) const noexcept override;
  [[nodiscard]] LockAnswer memory() const noexcept override;
  [[nodiscard]] LockAnswer unless_cut_short(LockAnswer answer) const noexcept final {
    return holds(answer) && pages_lost() ? LockAnswer::damaged : answer;
  }

 protected:
  // Takes the site over. join() comes next, before anything else is done with the handle.
  explicit LockHandle(LockSite* site) noexcept;
  // Detaches. What this process holds must have been given up before.
  ~LockHandle() override;

  // Under a ForkGuard. The process is a member, and this handle knows as whom. Throws Error.
  void join();

  // This process's owner word; 0 if this is a child of the process that had it.
  [[nodiscard]] std::uint64_t member() const noexcept {
    // acquire: pairs with the release in join(), before which `member_` was stored.
    const std::uint64_t process = process_.load(std::memory_order_acquire);
    // relaxed: see os::ProcessCheck.
    if (process != std::atomic_ref(*process_now_).load(std::memory_order_relaxed)) return 0;
    return member_.load(std::memory_order_relaxed);
  }
  // The calling thread's word; 0 if it has none yet, or as member().
  [[nodiscard]] std::uint64_t me() const noexcept {
    const std::uint64_t member = this->member();
    const std::uint32_t thread = this_thread();
    return member != 0 && thread != 0 ? MutexWord::of(member, thread) : 0;
  }
  [[nodiscard]] bool pages_lost() const noexcept {
    // relaxed: see GuardedPages; asked after the word was touched.
    return pages_lost_->load(std::memory_order_relaxed);
  }

  // member() and me(), joining the domain and numbering the thread first if need be. 0 and why not.
  [[nodiscard]] std::uint64_t become_member(LockAnswer& why_not) noexcept;
  [[nodiscard]] std::uint64_t become_known(LockAnswer& why_not) noexcept;

  // Whether the calling process is the one of that mark (os::process_mark()).
  [[nodiscard]] bool is_now(std::uint64_t process) const noexcept {
    // relaxed: see os::ProcessCheck.
    return process == std::atomic_ref(*process_now_).load(std::memory_order_relaxed);
  }
  // This process's, once it has become a member.
  [[nodiscard]] Membership& membership() const noexcept;
  // The same, or its parent's: another thread of a child may be joining just now.
  [[nodiscard]] std::shared_ptr<Membership> membership_now() const;

  // Whether it was this process, and not its parent, that used the handle last.
  [[nodiscard]] bool is_ours() const noexcept {
    // relaxed: a fork copies whole what was written before it.
    return process_.load(std::memory_order_relaxed) == os::process_mark();
  }
  // As whom it was used last; of interest if is_ours().
  [[nodiscard]] std::uint64_t last_member() const noexcept {
    return member_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> process_{0};  // for whom `member_` stands
  std::atomic<std::uint64_t> member_{0};
  std::uint64_t* process_now_;
  const std::atomic<bool>* pages_lost_;
  LockSite* site_;
};

}  // namespace kith::internal
