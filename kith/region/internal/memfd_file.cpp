#include "kith/region/internal/memfd_file.hpp"

#include <memory>
#include <utility>

#include "kith/os/mapping.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/stamp.hpp"

namespace kith::internal {
namespace {

std::uint64_t whole_pages(std::uint64_t size) {
  const std::uint64_t page = os::page_size();
  return (size + page - 1) / page * page;
}

}  // namespace

MemfdRegionFile create_memfd_region(const std::string& label, const RegionSpec& spec, Seals seals) {
  if (spec.content_size == 0 || spec.content_size > kRegionSizeMax - kRegionHeaderSize) {
    throw Error(Errc::invalid_argument, {.object = "region in memfd '" + label + "'",
                                         .expected = "1 to " + bytes_text(kRegionSizeMax),
                                         .found = bytes_text(spec.content_size),
                                         .remedy = "ask for a size that can be mapped"});
  }
  const std::uint64_t size = whole_pages(kRegionHeaderSize + spec.content_size);
  MemfdRegionFile made{.memory = Memfd::create(label, size), .facts = {}};
  std::byte* const begin = made.memory.writable_bytes().data();
  auto& header = *std::construct_at(reinterpret_cast<RegionHeader*>(begin));
  write_stamp(header, spec, size);
  spec.fill(begin + kRegionHeaderSize);
  made.memory.seal(seals);
  made.facts = facts_from(header);
  return made;
}

MemfdRegionFile open_memfd_region(int number, const RegionSpec& spec, os::Access access,
                                  Seals demanded) {
  const std::string object = "region behind descriptor " + std::to_string(number);
  MemfdRegionFile opened{.memory = Memfd::open(number, access, demanded), .facts = {}};
  // By read, once: unsealed, the page may be cut off just now, and touching it would be a SIGBUS.
  const os::Descriptor file = opened.memory.descriptor();
  RegionHeader header{};
  const auto got = os::read_at(file, &header, sizeof header, 0);
  if (!got) throw system_error(object, "reading the header", got.error);
  const std::uint64_t size = opened.memory.size();
  HeaderFault fault = check_header(header, size);
  // Cut off inside the header: what is left of it still tells whose it was.
  if (got.value < sizeof header && fault != HeaderFault::not_ours) fault = HeaderFault::damaged;
  if (fault != HeaderFault::none) throw header_error(object, fault, header, size);
  opened.facts = facts_from(header);
  require_stamp(opened.facts, spec, object);
  return opened;
}

}  // namespace kith::internal
