#include "kith/region/layout.hpp"

namespace kith::internal {

HeaderFault check_header(const RegionHeader& header, std::uint64_t file_size) noexcept {
  if (header.magic != kRegionMagic) return HeaderFault::not_ours;
  if (header.byte_order != kByteOrderMark) return HeaderFault::byte_order;
  if (header.format_major != kFormatMajor) return HeaderFault::version;
  if (header.word_bits != kWordBits) return HeaderFault::word_size;
  if (header.size != file_size || header.size > kRegionSizeMax) return HeaderFault::damaged;
  if (header.size < kRegionHeaderSize) return HeaderFault::damaged;
  if (header.content_size > header.size - kRegionHeaderSize) return HeaderFault::damaged;
  if (header.lifetime > 2) return HeaderFault::damaged;
  return HeaderFault::none;
}

RegionFacts facts_from(const RegionHeader& header) {
  RegionFacts facts;
  facts.lifetime = header.lifetime;
  facts.size = header.size;
  facts.content_size = header.content_size;
  facts.fingerprint = header.fingerprint;
  facts.created_ns = header.created_ns;
  facts.creator_pid = header.creator_pid;
  facts.has_satellites = header.has_satellites != 0;
  facts.creator_program = get_text(header.creator_program);
  facts.kind = get_text(header.kind);
  facts.type_name = get_text(header.type_name);
  facts.geometry = header.geometry;
  return facts;
}

}  // namespace kith::internal
