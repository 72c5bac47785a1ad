// Sleeping on a word of shared memory until somebody wakes it.
#pragma once

#include <cstdint>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"

namespace kith::os {

// Sleeps while `word` holds `expected`, until a wake, the deadline, a signal, or for no reason: the
// caller looks at its own condition again in every case.
void futex_wait(const RealAtomics::Word<std::uint32_t>& word, std::uint32_t expected,
                Deadline deadline) noexcept;

void futex_wake_all(const RealAtomics::Word<std::uint32_t>& word) noexcept;

// Adds one to `word` and wakes all who sleep on it, as one step that no SIGKILL can split: nobody
// can fall asleep in between on the old value and miss the wake.
void futex_add_one_and_wake_all(RealAtomics::Word<std::uint32_t>& word) noexcept;

// Lets the processor go for a while: for polling where nothing can be slept on. Never longer than
// what is left of the deadline.
void pause_for(std::chrono::nanoseconds span, Deadline deadline) noexcept;

}  // namespace kith::os
