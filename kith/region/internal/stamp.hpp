// The stamp of a region: written into its header by who creates it, compared by who opens it.
#pragma once

#include <cstdint>
#include <string>

#include "kith/region/internal/mapped_region.hpp"
#include "kith/region/layout.hpp"

namespace kith::internal {

// Fills the header of a file of `size` bytes that nobody else can see yet.
void write_stamp(RegionHeader& header, const RegionSpec& spec, std::uint64_t size);
// Throws wrong_type, with both named, unless what was found is what `spec` asks for.
void require_stamp(const RegionFacts& facts, const RegionSpec& spec, const std::string& object);

}  // namespace kith::internal
