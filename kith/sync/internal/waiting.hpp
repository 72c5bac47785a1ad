// The wait of everybody who waits for a condition in shared memory that an event count announces.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "kith/base/deadline.hpp"
#include "kith/os/futex.hpp"
#include "kith/sync/internal/event_count.hpp"
#include "kith/sync/internal/lock_witness.hpp"
#include "kith/sync/internal/wait_steps.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

struct WaitPatience {
  // After which a sleeper looks for itself.
  std::chrono::nanoseconds slice = std::chrono::milliseconds(100);
  // How often it looks before it sleeps; not for longer than a wake costs.
  std::uint32_t spins = 0;
};

// One wait, in steps (wait_steps.hpp). Condition::look(doubt) gives an answer, or none while there
// is nothing to have; it asks after the dead if `doubt` is true. Condition::holders(into) says
// whose death would change that.
template <class Condition>
class CountedWait {
 public:
  CountedWait(EventCount announced, const WaitPatience& patience,
              const Condition& condition) noexcept
      : announced_(announced), slice_(patience.slice), condition_(condition) {}

  [[nodiscard]] std::optional<LockAnswer> look(bool /*last*/) noexcept {
    owes_ = false;
    return condition_.look(doubts_);
  }
  [[nodiscard]] Rest prepare(Deadline deadline) noexcept {
    ticket_ = announced_.prepare();
    return {&announced_.word(), ticket_, deadline.within(slice_)};
  }
  [[nodiscard]] std::size_t holders(Holders into) const noexcept {
    return condition_.holders(into);
  }
  bool woke() noexcept {
    doubts_ = false;
    owes_ = announced_.has_moved(ticket_);
    return owes_;
  }
  void doubt() noexcept { doubts_ = !owes_; }
  // Whoever announced something may have woken us, and nobody else; and we have not looked since.
  void give_up() noexcept {
    if (owes_) announced_.announce(Wake::one);
  }

 private:
  EventCount announced_;
  std::chrono::nanoseconds slice_;
  Condition condition_;
  EventCount::Ticket ticket_ = 0;
  bool doubts_ = false;
  bool owes_ = false;  // a look, to who announced something
};

template <class Condition>
LockAnswer wait_for(CountedWait<Condition> wait, const LockWitness& witness, Deadline deadline,
                    std::uint32_t spins) noexcept {
  // Once at least before it says that it waits: else whoever changes the condition next would call
  // the kernel for nobody.
  for (std::uint32_t i = 0; i <= spins; ++i) {
    if (const std::optional<LockAnswer> answer = wait.look(false)) return *answer;
    if (i < spins) os::relax_processor();
  }
  bool interrupted = false;
  for (;;) {
    const bool last = interrupted || deadline.has_passed();
    const Rest rest = last ? Rest{} : wait.prepare(deadline);
    if (const std::optional<LockAnswer> answer = wait.look(last)) return *answer;
    if (last) return interrupted ? LockAnswer::interrupted : LockAnswer::timed_out;
    std::array<MemberId, kHoldersWatched> dear;
    const std::size_t count = wait.holders(dear);
    const os::Slept slept =
        witness.sleep(*rest.word, rest.expected, std::span(dear).first(count), rest.until);
    interrupted = slept == os::Slept::interrupted && deadline.is_interruptible();
    if (wait.woke()) continue;
    // Nothing was announced: they may be dead, or the memory may be gone.
    wait.doubt();
    const LockAnswer memory = witness.memory();
    if (memory != LockAnswer::acquired) return memory;
  }
}

// The same for a condition that nobody waits for beside others.
template <class Look, class Others>
LockAnswer wait_until(EventCount announced, const LockWitness& witness, Deadline deadline,
                      const WaitPatience& patience, const Look& look,
                      const Others& others) noexcept {
  struct Condition {
    const Look& look;
    const Others& holders;
  };
  const Condition condition{look, others};
  return wait_for(CountedWait<Condition>(announced, patience, condition), witness, deadline,
                  patience.spins);
}

}  // namespace kith::internal
