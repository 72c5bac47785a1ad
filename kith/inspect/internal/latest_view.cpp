#include "kith/inspect/internal/latest_view.hpp"

#include <algorithm>

#include "kith/base/deadline.hpp"
#include "kith/base/error.hpp"
#include "kith/channel/internal/latest_guest.hpp"

namespace kith::internal {
namespace {

using Cell = LatestReaderCell<RealAtomics>;
using Control = LatestControl<RealAtomics>;
using Record = RoleRecord<RealAtomics>;

// The words are read from private copies, so no order is needed; see `relaxed` below.
std::uint64_t value_of(const RealAtomics::Word<std::uint64_t>& word) {
  return word.load(std::memory_order_relaxed);
}

// Empty for a free role.
std::optional<RoleFacts> role_from(const Record& record) {
  const std::uint64_t owner = value_of(record.owner);
  RoleFacts role;
  if (is_vacant(owner)) {
    role.state = RoleState::vacant;
  } else if (has_owner(owner)) {
    role.holder = owner_of(owner);
  } else {
    return std::nullopt;
  }
  if ((owner & kRoleNamed) != 0) role.name = get_text(record.name);
  return role;
}

// Another file of the object; empty if it may not be read or is not what it must be.
void look_at_satellite(std::optional<Look>& look, const os::Descriptor& directory, const Look& own,
                       const char* what, LatestShape::Part part) {
  try {
    const std::string name = satellite_name(own.file().identity, what);
    look.emplace(directory, name, name);
    if (!LatestShape::from(look->facts(), part)) look.reset();
  } catch (const Error&) {
    look.reset();
  }
}

}  // namespace

LatestView::LatestView(const os::Descriptor& directory, const Look& own) : own_(own) {
  if (own.facts().kind != kLatestKind) return;
  shape_ = LatestShape::from(own.facts());
  if (!shape_ || shape_->guests_max == 0) return;
  look_at_satellite(data_, directory, own, kDataSatellite, LatestShape::Part::data);
  look_at_satellite(seats_, directory, own, kSeatsSatellite, LatestShape::Part::seats);
}

std::optional<LatestSlot> LatestView::slot_at(std::uint64_t word) const {
  const auto index = shape_->words().slot_of(word);
  const Look* look = shape_->guests_max == 0 ? &own_ : data_ ? &*data_ : nullptr;
  LatestSlot slot{};
  if (!index || look == nullptr || !look->read(shape_->slot_offset(*index), slot)) {
    return std::nullopt;
  }
  return slot;
}

void LatestView::add_readers(std::vector<RoleFacts>& roles, bool guests) const {
  const Look& look = guests ? *seats_ : own_;
  const std::uint64_t begin = guests ? LatestShape::kGuestCellsOffset : LatestShape::kCellsOffset;
  const std::uint32_t count = guests ? shape_->guests_max : shape_->readers_max;
  for (std::uint32_t i = 0; i < count; ++i) {
    Cell cell{};
    if (!look.read(begin + i * sizeof cell, &cell, sizeof cell)) break;
    auto role = role_from(cell.role);
    if (!role) continue;
    role->index = i;
    role->guest = guests;
    if (guests && role->state == RoleState::held && !look.is_held(kSeatLocks + i)) {
      role->state = RoleState::dead;
    }
    const std::uint64_t claim = value_of(cell.claim);
    const auto slot = slot_at(claim);
    role->pins = slot && (claim & LatestWords::kTentative) == 0;
    if (role->pins) role->pinned_sequence = slot->sequence;
    roles.push_back(std::move(*role));
  }
}

std::vector<RoleFacts> LatestView::roles() const {
  std::vector<RoleFacts> roles;
  if (!shape_) return roles;
  Record writer{};
  if (own_.read(LatestShape::kWriterOffset, &writer, sizeof writer)) {
    if (auto role = role_from(writer)) {
      role->writer = true;
      roles.push_back(std::move(*role));
    }
  }
  add_readers(roles, false);
  if (seats_) add_readers(roles, true);
  return roles;
}

std::optional<LatestCounters> LatestView::counters() const {
  if (!shape_) return std::nullopt;
  LatestCounters counters;
  counters.commit_times = shape_->commit_time;
  counters.slots = shape_->slots();
  std::uint64_t word = 0;
  const bool known = shape_->guests_max == 0 ? own_.read(offsetof(Control, latest), word)
                                             : data_ && data_->read(0, word);
  const auto newest = known ? slot_at(word) : std::nullopt;
  if (!newest) return counters;
  counters.newest_size = std::min(newest->size, shape_->payload_max);
  if (shape_->commit_time && newest->committed_ns > 0) {
    const auto now = Deadline::Clock::now().time_since_epoch();
    counters.age_ns = std::chrono::nanoseconds(now).count() - newest->committed_ns;
  }
  return counters;
}

}  // namespace kith::internal
