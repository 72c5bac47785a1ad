// The books of a channel, read from outside.
#include <string_view>

#include "kith/base/atomics.hpp"
#include "kith/channel/internal/latest_guest.hpp"
#include "kith/channel/internal/latest_roles.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/truncation_guard.hpp"

namespace kith::internal {
namespace {

using Bank = LatestReaderBank<RealAtomics>;

// One of a channel's satellites, mapped for looking; empty if it cannot be. Its length follows from
// what the channel's own file says, never from its own header, which may be a guest's.
class Look {
 public:
  Look(const MappedRegion& region, const char* what, std::uint64_t content_size) {
    os::guard_truncation();
    const os::ForkGuard no_forks;
    try {
      const bool seats = what == std::string_view(kSeatsSatellite);
      const auto file = seats ? open_seats(region.domain(), region.identity(),
                                           os::Access::read_only, region.object())
                              : open_satellite(region.domain(), region.identity(), what,
                                               os::Access::read_only, region.object());
      if (!file) return;
      mapping_ = map_guest_file(*file, content_size, os::Access::read_only, region.object());
      pages_ = os::GuardedPages(mapping_);
    } catch (const std::exception&) {
      // What cannot be looked at is left out of the books.
    }
  }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;

  explicit operator bool() const noexcept { return static_cast<bool>(mapping_); }
  [[nodiscard]] std::byte* content() const noexcept { return mapping_.data() + kRegionHeaderSize; }

 private:
  os::Mapping mapping_;
  os::GuardedPages pages_;  // after what it guards, so that it ends first
};

struct Counts {
  std::uint32_t held = 0;
  std::uint32_t vacant = 0;
};

Counts count_readers(const Bank& bank, const LatestWords& words, LatestFacts& facts) {
  Counts counts;
  for (std::uint32_t i = 0; i < bank.count; ++i) {
    const auto& cell = bank.cells[i];
    const std::uint64_t owner = cell.role.owner.load(std::memory_order_acquire);
    const bool pins = words.slot_of(cell.claim.load(std::memory_order_relaxed)).has_value();
    const bool held = has_owner(owner);
    counts.held += held ? 1u : 0u;
    counts.vacant += is_vacant(owner) ? 1u : 0u;
    facts.pinned_held += held && pins ? 1u : 0u;
    facts.pinned_vacant += is_vacant(owner) && pins ? 1u : 0u;
    facts.pinned_by_nobody += owner == 0 && pins ? 1u : 0u;
  }
  return counts;
}

std::uint64_t sequence_of_newest(const LatestSource::Newest& newest, const std::byte* slots,
                                 const LatestShape& shape, std::uint32_t slots_ready) {
  // acquire: the slot's header comes with the word that names it.
  const auto index = shape.words().slot_of(newest.load(std::memory_order_acquire));
  if (!index || *index >= slots_ready) return 0;
  return load_once(
      reinterpret_cast<const LatestSlot*>(slots + shape.slot_offset(*index))->sequence);
}

}  // namespace

LatestFacts look_at_latest(const MappedRegion& region) {
  LatestFacts facts;
  const auto shape = LatestShape::from(region.facts());
  if (!shape || region.facts().kind != kLatestKind) return facts;
  facts.readers_max = shape->readers_max;
  facts.guests_max = shape->guests_max;
  facts.spare_slots = shape->spare_slots;
  facts.payload_max = shape->payload_max;
  const auto& control = control_of(region);
  facts.slots_ready = control.slots_ready.load(std::memory_order_relaxed);
  facts.has_writer = has_owner(writer_of(region).owner.load(std::memory_order_acquire));
  const Counts readers = count_readers(bank_of(region, *shape), shape->words(), facts);
  facts.readers_held = readers.held;
  facts.readers_vacant = readers.vacant;
  if (shape->guests_max == 0) {
    facts.sequence =
        sequence_of_newest(control.latest, region.content(), *shape, facts.slots_ready);
    return facts;
  }
  if (const Look seats(region, kSeatsSatellite, shape->seats_size()); seats) {
    const Bank bank = guest_bank(seats.content(), *shape);
    const Counts guests = count_readers(bank, shape->words(), facts);
    facts.guests_held = guests.held;
    facts.guests_vacant = guests.vacant;
  }
  if (const Look data(region, kDataSatellite, shape->data_size()); data) {
    const std::byte* content = data.content();
    const auto& newest = *reinterpret_cast<const LatestSource::Newest*>(content);
    facts.sequence = sequence_of_newest(newest, content, *shape, facts.slots_ready);
  }
  return facts;
}

}  // namespace kith::internal
