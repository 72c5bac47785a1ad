// What a mutant does to one place in the source: the engine's side of mutation.hpp.
#pragma once

#include <atomic>
#include <cstdint>

#include "testkit/explore/mutation.hpp"
#include "testkit/explore/place.hpp"

namespace kith::testkit::explore::internal {

// Notes that the place is used, and says what the mutant under test does there.
[[nodiscard]] Mutation mutation_at(const Place& at, Access access, std::memory_order order,
                                   std::memory_order failure);

// Whether the mutant under test asks what a process last saw in a word.
[[nodiscard]] bool a_mutant_remembers() noexcept;

void count_use() noexcept;

}  // namespace kith::testkit::explore::internal
