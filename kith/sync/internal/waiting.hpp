// The loop of everybody who waits for a condition in shared memory, however it is announced.
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
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

struct WaitPatience {
  // After which a sleeper looks for itself.
  std::chrono::nanoseconds slice = std::chrono::milliseconds(100);
  // How often it looks before it sleeps; not for longer than a wake costs.
  std::uint32_t spins = 0;
};

// Of a semaphore with more holders than this, some are looked at after a slice only.
inline constexpr std::size_t kHoldersWatched = 64;
using Holders = std::array<MemberId, kHoldersWatched>;

// `look` gives an answer, or none while there is nothing to have; it asks after the dead if `doubt`
// is true. `holders` fills in whose death would change that, and says how many they are.
template <class Look, class Others>
LockAnswer wait_until(EventCount announced, const LockWitness& witness, Deadline deadline,
                      const WaitPatience& patience, Look&& look, Others&& holders) noexcept {
  // Once at least before it says that it waits: else whoever changes the condition next would call
  // the kernel for nobody.
  for (std::uint32_t i = 0; i <= patience.spins; ++i) {
    if (const std::optional<LockAnswer> answer = look(false)) return *answer;
    if (i < patience.spins) os::relax_processor();
  }
  bool doubt = false;
  for (;;) {
    const bool last_look = deadline.has_passed();
    const EventCount::Ticket ticket = last_look ? 0 : announced.prepare();
    if (const std::optional<LockAnswer> answer = look(doubt)) return *answer;
    if (last_look) return LockAnswer::timed_out;
    Holders dear;
    const std::size_t count = holders(dear);
    witness.sleep(announced.word(), ticket, std::span(dear).first(count),
                  deadline.within(patience.slice));
    // Nothing was announced: they may be dead, or the memory may be gone.
    doubt = !announced.has_moved(ticket);
    if (!doubt) continue;
    const LockAnswer memory = witness.memory();
    if (memory != LockAnswer::acquired) return memory;
  }
}

}  // namespace kith::internal
