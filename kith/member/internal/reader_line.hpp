// ReaderLine: where one thread of one member says which read-write locks it reads.
//
// Lines lie in the domain's member table (table_layout.hpp), each beside the others of its member
// and away from everybody else's, so that threads that read on different processors write no common
// cache line. What a cell says holds as long as its member lives: nobody takes back what a dead
// one wrote, it merely does not count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kith/base/atomics.hpp"

namespace kith::internal {

// Locks that a thread reads at once.
#if defined(KITH_MODEL)  // see base/atomics.hpp: as many as it takes to try what may happen
inline constexpr std::size_t kReaderCells = 2;
inline constexpr std::uint32_t kReaderLines = 32;
#else
inline constexpr std::size_t kReaderCells = 10;
// Threads of a member that read at once: those with the lowest numbers (kith/sync/internal).
inline constexpr std::uint32_t kReaderLines = 1024;
#endif

struct alignas(kSharedLine) ReaderLine {
  using Cell = RealAtomics::Word<std::uint64_t>;

  // The key of a lock that the thread reads, or is about to; 0: free. Written by its thread alone.
  std::array<Cell, kReaderCells> cells;
  // How often more it reads it. Of interest to its thread alone; 0 where the cell is free.
  std::array<RealAtomics::Word<std::uint32_t>, kReaderCells> depths;
};
static_assert(sizeof(ReaderLine) == kSharedLine);

// Lines that have their memory, and are zero where nobody reads: those of threads 1 to `count`.
struct ReaderLines {
  ReaderLine* first = nullptr;
  std::uint32_t count = 0;

  [[nodiscard]] ReaderLine* of_thread(std::uint32_t thread) const noexcept {
    return thread - 1 < count ? first + (thread - 1) : nullptr;  // 0 is nobody
  }
};

}  // namespace kith::internal
