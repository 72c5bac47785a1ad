// LockWitness: what whoever waits for a lock asks about the world outside its words.
#pragma once

#include <cstdint>
#include <span>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/member/member_id.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

class LockWitness {
 public:
  virtual ~LockWitness() = default;

  // Worth asking liveness(): a load or two. False while the kernel would have told us of a death.
  [[nodiscard]] virtual bool may_be_dead(MemberId id) const noexcept = 0;
  [[nodiscard]] virtual Liveness liveness(MemberId id) const noexcept = 0;
  // Sleeps while the lower half of `word` holds `expected`, until woken, the deadline, or for no
  // reason; and is woken early if any of `holders` dies. Of very many, some are not watched.
  virtual void sleep(const RealAtomics::Word<std::uint64_t>& word, std::uint32_t expected,
                     std::span<const MemberId> holders, Deadline deadline) const noexcept = 0;
  // acquired: nothing is wrong with the memory the lock lies in; else orphaned or damaged.
  [[nodiscard]] virtual LockAnswer memory() const noexcept = 0;

 protected:
  LockWitness() = default;
  LockWitness(const LockWitness&) = default;
  LockWitness& operator=(const LockWitness&) = default;
};

}  // namespace kith::internal
