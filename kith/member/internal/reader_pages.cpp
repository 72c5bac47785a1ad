#include "kith/member/internal/reader_pages.hpp"

#include <algorithm>
#include <exception>

#include "kith/os/file.hpp"
#include "kith/os/fork.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith::internal {

KnownReaderPages::KnownReaderPages(const MappedRegion& table, std::uint32_t members_max)
    : table_(table), members_max_(members_max), known_(members_max) {}

std::uint32_t KnownReaderPages::lines(std::uint32_t place, std::uint32_t count) const noexcept {
  std::atomic<std::uint32_t>& known = known_[place].lines;
  // relaxed, here and below: a number of this process that says nothing about others.
  const std::uint32_t before = known.load(std::memory_order_relaxed);
  if (count <= before) return count;
  bool sure = false;
  const std::uint64_t there =
      bytes_there(lists_offset(members_max_) + place * kListsSize + kReaderLinesOffset,
                  count * sizeof(ReaderLine), sure);
  const auto found = static_cast<std::uint32_t>(there / sizeof(ReaderLine));
  // Two threads may ask at once; the smaller number is asked for again.
  if (sure && found > before) known.store(found, std::memory_order_relaxed);
  return found;
}

bool KnownReaderPages::has_record(std::uint32_t place) const noexcept {
  std::atomic<bool>& known = known_[place].record;
  if (known.load(std::memory_order_relaxed)) return true;
  bool sure = false;
  const bool found =
      bytes_there(kRecordsOffset + place * kRecordSize, kRecordSize, sure) == kRecordSize;
  if (sure && found) known.store(true, std::memory_order_relaxed);
  return found;
}

std::uint64_t KnownReaderPages::bytes_there(std::uint64_t offset, std::uint64_t size,
                                            bool& sure) const noexcept {
  const std::uint64_t begin = kRegionHeaderSize + offset;
  const os::ForkGuard no_forks;
  try {
    const os::Descriptor file = table_.reopen();
    const auto hole = os::hole_from(file, begin);
    const auto facts = os::facts_of(file);
    // Whoever touches what was cut off is told so.
    sure = hole && facts && facts.value.size >= begin + size;
    return sure ? std::min(hole.value - begin, size) : size;
  } catch (const std::exception&) {
    return size;  // it has lost its name, or no descriptor is left
  }
}

}  // namespace kith::internal
