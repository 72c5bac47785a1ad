// MutexState: one handle on a mutex. What a lock nobody waits for needs stands here, to be compiled
// into the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kith/sync/internal/mutex_core.hpp"
#include "kith/sync/internal/owned_lock.hpp"
#include "kith/sync/internal/wait_steps.hpp"

namespace kith {

class Domain;
struct MutexOptions;
struct MutexFacts;

namespace internal {

class MappedRegion;

class MutexState : public OwnedLock<MutexCore>, public AnyObject {
 public:
  // Opens or creates the region of a named mutex. Throws Error.
  static MutexState* open(const Domain& domain, const std::string& name,
                          const MutexOptions& options);
  // On a mutex inside the region, by a mapping of its own. Throws Error.
  static MutexState* open(const MappedRegion& region, const MutexWords& words,
                          const MutexOptions& options);
  // The one at the beginning of the site, for what has a mutex inside. Throws Error.
  explicit MutexState(std::unique_ptr<LockSite> site);
  // If a thread of this process holds it and this is the last handle on it here: as if it had died.
  ~MutexState() override;

  [[gnu::always_inline]] LockAnswer acquire(Deadline deadline) noexcept {
    const std::uint64_t me = this->me();
    if (me == 0 || !core_.acquire_free(me)) [[unlikely]]
      return acquire_slowly(deadline);
    if (pages_lost()) [[unlikely]]
      return put_back(me);
    return LockAnswer::acquired;
  }
  [[gnu::always_inline]] LockAnswer release() noexcept {
    const std::uint64_t me = this->me();
    if (me != 0 && core_.release_quiet(me)) [[likely]]
      return LockAnswer::released;
    return release_slowly();
  }

  WaitSteps& begin_wait(StepsPlace& place) noexcept override;

  [[nodiscard]] MutexFacts facts() const;

  // As which member this process takes it; 0 in a child that has not used it yet.
  [[nodiscard]] std::uint64_t taker() const noexcept { return member(); }
  // Its file was cut short; asked after the memory was used.
  [[nodiscard]] bool is_damaged() const noexcept { return pages_lost(); }

 private:
  // Takes the site over; the mutex lies at its beginning.
  MutexState(LockSite* site, bool recursive);

  LockAnswer acquire_slowly(Deadline deadline) noexcept;
  // What was just taken, for a handle that lost pages: its word may be shared still, and others
  // would wait for us. Answers damaged.
  LockAnswer put_back(std::uint64_t me) noexcept;
  LockAnswer release_slowly() noexcept;

  const MutexWords* words_;
  bool recursive_;
};

}  // namespace internal
}  // namespace kith
