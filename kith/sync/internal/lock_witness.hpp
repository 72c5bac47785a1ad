// LockWitness: what whoever waits for a lock asks about the world outside its words.
#pragma once

#include <cstdint>
#include <span>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/member/member_id.hpp"
#include "kith/os/futex.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

// Sleeps, until woken, the deadline, or for no reason.
class Sleeper {
 public:
  virtual os::Slept until(Deadline deadline) noexcept = 0;
  // It waits for other objects as well: whoever holds this one need not be what keeps it.
  [[nodiscard]] bool has_others() const noexcept { return has_others_; }

 protected:
  explicit Sleeper(bool has_others) noexcept : has_others_(has_others) {}
  ~Sleeper() = default;

 private:
  bool has_others_;
};

class LockWitness {
 public:
  virtual ~LockWitness() = default;

  // Worth asking liveness(): a load or two. False while the kernel would have told us of a death.
  [[nodiscard]] virtual bool may_be_dead(MemberId id) const noexcept = 0;
  [[nodiscard]] virtual Liveness liveness(MemberId id) const noexcept = 0;
  // Falls asleep by `sleeper`, until the deadline it is given at the latest; meanwhile others can
  // know that this thread sleeps on `word`, and it is woken early if any of `holders` dies. Of very
  // many, some are not watched.
  virtual os::Slept asleep(const RealAtomics::Word<std::uint64_t>& word,
                           std::span<const MemberId> holders, Deadline deadline,
                           Sleeper& sleeper) const noexcept = 0;
  // acquired: nothing is wrong with the memory the lock lies in; else orphaned or damaged.
  [[nodiscard]] virtual LockAnswer memory() const noexcept = 0;

  // What was answered; or damaged, if it was taken in memory that is no lock's any more.
  [[nodiscard]] virtual LockAnswer unless_cut_short(LockAnswer answer) const noexcept {
    return answer;
  }

  // While the lower half of `word` holds `expected`; or as asleep().
  os::Slept sleep(const RealAtomics::Word<std::uint64_t>& word, std::uint32_t expected,
                  std::span<const MemberId> holders, Deadline deadline) const noexcept {
    struct OnOneWord final : Sleeper {
      const RealAtomics::Word<std::uint64_t>& word;
      std::uint32_t expected;
      OnOneWord(const RealAtomics::Word<std::uint64_t>& on, std::uint32_t value) noexcept
          : Sleeper(false), word(on), expected(value) {}
      os::Slept until(Deadline end) noexcept override {
        return os::futex_wait(word, expected, end);
      }
    };
    OnOneWord sleeper(word, expected);
    return asleep(word, holders, deadline, sleeper);
  }

 protected:
  LockWitness() = default;
  LockWitness(const LockWitness&) = default;
  LockWitness& operator=(const LockWitness&) = default;
};

}  // namespace kith::internal
