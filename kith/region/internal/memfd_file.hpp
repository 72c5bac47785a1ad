// A region in a memfd: MemfdRegion<T> over bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kith/memory/memfd.hpp"
#include "kith/region/internal/mapped_region.hpp"
#include "kith/region/layout.hpp"

namespace kith::internal {

struct MemfdRegionFile {
  Memfd memory;
  RegionFacts facts;

  [[nodiscard]] const std::byte* content() const noexcept {
    return memory.bytes().data() + kRegionHeaderSize;
  }
  // Only where it was created, or opened to write.
  [[nodiscard]] std::byte* writable_content() const noexcept {
    return memory.writable_bytes().data() + kRegionHeaderSize;
  }
};

// Filled and sealed before it is returned.
[[nodiscard]] MemfdRegionFile create_memfd_region(const std::string& label, const RegionSpec& spec,
                                                  Seals seals);
[[nodiscard]] MemfdRegionFile open_memfd_region(int number, const RegionSpec& spec,
                                                os::Access access, Seals demanded);

}  // namespace kith::internal
