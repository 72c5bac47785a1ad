// The atomics of a shared core, as a policy: the algorithms in internal/ are templates over it.
//
//   template <class Atomics> class LatestCore { typename Atomics::template Word<std::uint64_t> w;
//   };
//
// The library instantiates them with RealAtomics; the explorer hands in its own Word and so runs
// the very code that ships. Where KITH_MODEL names a header, its atomics and its clock stand in for
// all of the library, every source of which then runs on a modelled machine: tests/explore/model.
// A Word lies in shared memory: it must be lock-free in every process and be all zero bits when it
// holds zero, which the assertions below pin down.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(KITH_MODEL)
#include KITH_MODEL
#endif

namespace kith {

#if defined(KITH_MODEL)
using RealAtomics = model::Atomics;
#else
struct RealAtomics {
  template <class T>
  using Word = std::atomic<T>;
};
#endif

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8 && sizeof(std::atomic<std::uint32_t>) == 4);

// Distance that keeps two words out of each other's cache line, the adjacent-line prefetcher's
// pair included. A constant of the format, never the compiler's idea of this machine's line.
inline constexpr std::uint64_t kSharedLine = 128;

// Reads a shared field that a stranger may be changing, exactly once: what is checked afterwards is
// what is used. relaxed: nothing is concluded about other data.
template <class T>
[[nodiscard]] T load_once(const T& field) noexcept {
  return std::atomic_ref<T>(const_cast<T&>(field)).load(std::memory_order_relaxed);
}

}  // namespace kith
