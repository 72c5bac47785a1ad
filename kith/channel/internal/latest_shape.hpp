// LatestShape: where the words, roles and slots of a latest-value channel lie, all derived from
// five numbers of its region's geometry.
//
// Without guests everything lies in the channel's own file:
//   0      LatestControl: the newest value's word, the sleepers' word, who has joined
//   1024   the writer's RoleRecord
//   1280   LatestReaderCell, 256 bytes each, for readers_max readers
//   ...    slots: LatestSlot and then the payload
// Control, cells and two slots have pages from the beginning; each reader allocates one slot more
// before it counts.
//
// With guests the newest word and the slots lie in a file that guests only read, and the guests'
// own cells in one of which they may write every byte; both have all their pages from the
// beginning. The channel's own file then ends with the cells.
//   data   0 the newest value's word, 128 the slots
//   seats  0 who has joined, 128 LatestReaderCell for each guest
#pragma once

#include <cstdint>
#include <optional>

#include "kith/base/atomics.hpp"
#include "kith/channel/internal/latest_core.hpp"
#include "kith/channel/internal/latest_slots.hpp"
#include "kith/region/layout.hpp"

namespace kith::internal {

inline constexpr const char* kLatestKind = "latest";
inline constexpr std::uint32_t kLatestReadersDefault = 16;
inline constexpr std::uint32_t kLatestGuestsDefault = 4;
inline constexpr std::uint32_t kLatestSparesMax = 1000;
inline constexpr std::uint64_t kLatestPayloadMax = std::uint64_t{1} << 40;

struct LatestShape {
  std::uint32_t readers_max = 0;
  std::uint64_t payload_max = 0;
  bool commit_time = false;
  std::uint32_t spare_slots = 0;  // beyond the fewest with which a writer always finds one
  std::uint32_t guests_max = 0;

  using Cell = LatestReaderCell<RealAtomics>;

  static constexpr std::uint64_t kWriterOffset = 1024;
  static constexpr std::uint64_t kCellsOffset = 1280;
  static constexpr std::uint64_t kGuestCellsOffset = kSharedLine;

  [[nodiscard]] std::uint32_t slots() const noexcept {
    return readers_max + guests_max + spare_slots + kLatestSpareSlots;
  }
  [[nodiscard]] LatestWords words() const noexcept { return LatestWords(slots()); }
  [[nodiscard]] std::uint64_t slot_stride() const noexcept {
    return (sizeof(LatestSlot) + payload_max + kSharedLine - 1) / kSharedLine * kSharedLine;
  }
  [[nodiscard]] std::uint64_t cells_end() const noexcept {
    return kCellsOffset + readers_max * sizeof(Cell);
  }
  // In the file that holds the slots: the channel's own, or the guests' data.
  [[nodiscard]] std::uint64_t slot_offset(std::uint64_t index) const noexcept {
    return (guests_max == 0 ? cells_end() : kSharedLine) + index * slot_stride();
  }
  // Slots that lie in the pages of the channel's own file which hold `wanted` of them: what shares
  // a page with a slot that is needed costs nothing, and spares the writer looks at its readers.
  [[nodiscard]] std::uint32_t slots_in_pages_of(std::uint32_t wanted,
                                                std::uint64_t page) const noexcept {
    const std::uint64_t end = kRegionHeaderSize + slot_offset(wanted);
    const std::uint64_t room = (end + page - 1) / page * page - kRegionHeaderSize - slot_offset(0);
    const std::uint64_t fit = room / slot_stride();
    return fit < slots() ? static_cast<std::uint32_t>(fit) : slots();
  }
  // Of the channel's own file, of its data and of its seats.
  [[nodiscard]] std::uint64_t content_size() const noexcept {
    return guests_max == 0 ? slot_offset(slots()) : cells_end();
  }
  [[nodiscard]] std::uint64_t data_size() const noexcept { return slot_offset(slots()); }
  [[nodiscard]] std::uint64_t seats_size() const noexcept {
    return kGuestCellsOffset + guests_max * sizeof(Cell);
  }
  [[nodiscard]] Geometry geometry() const noexcept {
    return {readers_max, payload_max, commit_time ? 1u : 0u, spare_slots, guests_max};
  }
  // None if the geometry is not one this code could have written for such content.
  enum class Part { own, data, seats };
  [[nodiscard]] static std::optional<LatestShape> from(const RegionFacts& facts,
                                                       Part part = Part::own) noexcept;
};

}  // namespace kith::internal
