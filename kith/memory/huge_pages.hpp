// Huge pages under any memory: asked for, and counted.
//
//   auto frame = Memfd::create("frame", 64 << 20);
//   const HugePageAdvice advice = advise_huge_pages(frame);
//   if (advice.huge_bytes < frame.size()) std::clog << advice.reason << '\n';
//
// States       none; what the kernel did is told by huge_bytes(), now and later.
// Callers      any thread; it looks at the memory's addresses, not at its bytes.
// A peer dies  nothing changes. Advice given in one process holds for its own mapping; pages that
//              became huge are huge in the file, but each process maps them for itself.
// Cost         copying the memory once into huge pages (0.3 s per GiB), in the call. A look:
//              reading /proc/self/smaps.
//
// Transparent huge pages need no pool and promise nothing: whether shared memory gets any is the
// machine's policy, which is `never` by default for memfd, POSIX and System V memory alike, and the
// kernel splits them when memory is short. For a promise take HugeFile or Memfd::create_huge().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kith/memory/memory.hpp"

namespace kith {

struct HugePageAdvice {
  std::uint64_t huge_bytes = 0;  // of the memory, in this process, after the call
  std::string reason;            // why not all of it; empty if all that can be is huge
};

// Asks for huge pages and makes them at once where the kernel can (MADV_HUGEPAGE, and
// MADV_COLLAPSE from Linux 6.1 on). Never an error: without them the memory is as good as before.
[[nodiscard]] HugePageAdvice advise_huge_pages(std::span<std::byte> bytes);

template <Memory M>
[[nodiscard]] HugePageAdvice advise_huge_pages(const M& memory) {
  return advise_huge_pages(memory.writable_bytes());
}

// How many bytes are mapped by huge pages of either kind, in this process and at this moment. A
// page counts when it was touched or collapsed here.
[[nodiscard]] std::uint64_t huge_bytes(std::span<const std::byte> bytes);

template <Memory M>
[[nodiscard]] std::uint64_t huge_bytes(const M& memory) {
  return huge_bytes(memory.bytes());
}

// The machine's policy for shared memory that lies in no mount: memfd, System V, MAP_SHARED without
// a file. "never", "advise", "within_size", "always", "deny", "force", as
// /sys/kernel/mm/transparent_hugepage/shmem_enabled has it; empty if the kernel knows none. A tmpfs
// mount, /dev/shm too, has its own: the mount option huge=.
[[nodiscard]] std::string shared_huge_page_policy();

// Sizes of page for which this machine has pools, smallest first: what Memfd::create_huge() and a
// mount of hugetlbfs may be asked for.
[[nodiscard]] std::vector<std::uint64_t> huge_page_sizes();

}  // namespace kith
