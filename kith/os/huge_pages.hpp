// Huge pages: pools of them (hugetlb), and those the kernel makes by itself (transparent).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kith/os/file.hpp"

namespace kith::os {

struct HugePool {
  std::uint64_t page_size = 0;
  std::uint64_t pages = 0;
  std::uint64_t free_pages = 0;
  std::uint64_t reserved_pages = 0;    // free, but promised to mappings
  std::uint64_t surplus_pages = 0;     // beyond the pool's size
  std::uint64_t overcommit_pages = 0;  // how many of those the kernel may add on demand
};

// The sizes of page this machine has pools for, smallest first.
[[nodiscard]] std::vector<std::uint64_t> huge_page_sizes();
// What a pool without a size named means; 0 if the kernel has none.
[[nodiscard]] std::uint64_t default_huge_page_size();
Outcome<HugePool> huge_pool(std::uint64_t page_size);
// Where a pool's size is set.
[[nodiscard]] std::string huge_pool_file(std::uint64_t page_size);

// The unit in which the file is sized, mapped and unmapped: that of its pool on hugetlbfs, the
// machine's page elsewhere.
[[nodiscard]] std::uint64_t page_size_of(const Descriptor& file) noexcept;
// 0 takes the machine's usual size. ENODEV if the kernel has no pages of the size.
Outcome<Descriptor> create_huge_memfd(const std::string& name, std::uint64_t page_size);

// Asks for transparent huge pages, at the next touch or when the kernel finds time.
Done advise_huge(std::span<std::byte> bytes);
// Makes them now, from what is there. EINVAL where the policy, the address or the size forbids it,
// ENOMEM where no huge page can be found.
Done collapse_into_huge(std::span<std::byte> bytes);
// Bytes of the mappings that begin in the range which are mapped by huge pages of either kind.
Outcome<std::uint64_t> huge_bytes_in(std::span<const std::byte> bytes);
// The choice in force in /sys/kernel/mm/transparent_hugepage/`name`; empty if there is none.
[[nodiscard]] std::string transparent_huge_page_policy(const std::string& name);
// Makes all pages of the range present and writable. EINVAL on kernels before 5.14.
Done populate(std::span<std::byte> bytes);

}  // namespace kith::os
