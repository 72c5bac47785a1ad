#include "kith/channel/internal/latest_channel.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>

#include "kith/base/error.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

using namespace std::chrono_literals;
using Control = LatestControl<RealAtomics>;
using Cell = LatestReaderCell<RealAtomics>;

static_assert(sizeof(Control) <= LatestShape::kWriterOffset && sizeof(Cell) == 256);

// The administrative lock is held for microseconds by the living and not at all by the dead; only a
// process stopped in that instant makes anybody wait so long.
constexpr auto kAdminPatience = 1s;

Control& control_of(const MappedRegion& region) {
  return *reinterpret_cast<Control*>(region.content());
}
Cell* cells_of(const MappedRegion& region) {
  return reinterpret_cast<Cell*>(region.content() + LatestShape::kCellsOffset);
}
RoleRecord<RealAtomics>& writer_of(const MappedRegion& region) {
  return *reinterpret_cast<RoleRecord<RealAtomics>*>(region.content() + LatestShape::kWriterOffset);
}

std::string channel_text(const MappedRegion& region) {
  return describe_object("latest", region.name(), region.domain().path());
}

LatestReaderCore<RealAtomics> reader_core(const MappedRegion& region, const LatestShape& shape,
                                          std::uint32_t index) {
  return {control_of(region), cells_of(region)[index], index, shape.readers_max};
}

RoleTable writer_table_of(const MappedRegion& region) {
  RoleTable table;
  table.what = "writer of " + channel_text(region);
  table.count = 1;
  table.record = [&region](std::uint32_t) -> RoleRecord<RealAtomics>& { return writer_of(region); };
  table.prepare = [](std::uint32_t) {};
  // A writer holds nothing; but it may have been killed between its commit and its wake.
  table.drop = table.settle = [&region](std::uint32_t) {
    os::futex_add_one_and_wake_all(control_of(region).notify);
  };
  return table;
}

RoleTable reader_table_of(const MappedRegion& region, const LatestShape& shape) {
  RoleTable table;
  table.what = "reader of " + channel_text(region);
  table.count = shape.readers_max;
  table.record = [&region](std::uint32_t i) -> RoleRecord<RealAtomics>& {
    return cells_of(region)[i].role;
  };
  table.prepare = [](std::uint32_t) {};
  table.drop = [&region, shape](std::uint32_t i) {
    auto core = reader_core(region, shape, i);
    core.release();
    core.leave();  // after the claim: one that is not idle must be looked at
  };
  table.settle = [&region, shape](std::uint32_t i) {
    auto core = reader_core(region, shape, i);
    if (core.recover() == 0) core.leave();
  };
  return table;
}

bool heal_latest(MappedRegion& region, std::uint64_t dead_owner, Deadline patience) {
  const auto shape = LatestShape::from(region.facts());
  if (!shape) return false;
  const AdminLock lock(region.domain(), region.name(), region.identity(), patience);
  if (lock.answer() == AdminLock::Answer::orphaned) return true;
  if (lock.answer() != AdminLock::Answer::held) return false;
  heal_roles(reader_table_of(region, *shape), dead_owner);
  heal_roles(writer_table_of(region), dead_owner);
  return true;
}

LatestShape wanted_shape(const LatestRequest& request, const std::string& object) {
  LatestShape shape;
  shape.readers_max = request.readers_max.value_or(kLatestReadersDefault);
  shape.payload_max = request.payload_max.value_or(0);
  shape.commit_time = request.commit_time.value_or(false);
  if (shape.readers_max < 1 || shape.readers_max > kLatestReadersMax) {
    throw Error(Errc::invalid_argument, {.object = object,
                                         .expected = "1 to 1000 readers",
                                         .found = std::to_string(shape.readers_max),
                                         .remedy = "change LatestOptions::readers_max"});
  }
  if (request.payload_max && (shape.payload_max < 1 || shape.payload_max > kLatestPayloadMax)) {
    throw Error(Errc::invalid_argument, {.object = object,
                                         .expected = "a payload of 1 byte to 1 TiB",
                                         .found = bytes_text(shape.payload_max),
                                         .remedy = {}});
  }
  return shape;
}

void check_shape(const LatestRequest& request, const RegionFacts& facts,
                 const std::string& object) {
  const auto shape = LatestShape::from(facts);
  if (!shape) {
    throw Error(Errc::damaged, {.object = object,
                                .expected = "the geometry of a latest-value channel",
                                .found = "numbers that do not fit together",
                                .remedy = "remove it with `kith rm --force`"});
  }
  const auto differs = [&](const std::string& what, std::uint64_t asked, std::uint64_t is) {
    throw Error(Errc::wrong_type, {.object = object,
                                   .expected = what + " " + std::to_string(asked),
                                   .found = std::to_string(is),
                                   .remedy = "agree on one, or remove the old object"});
  };
  if (request.payload_max.value_or(shape->payload_max) != shape->payload_max) {
    differs("a payload in bytes of", *request.payload_max, shape->payload_max);
  }
  if (request.readers_max.value_or(shape->readers_max) != shape->readers_max) {
    differs("a maximum of readers of", *request.readers_max, shape->readers_max);
  }
  if (request.commit_time.value_or(shape->commit_time) != shape->commit_time) {
    differs("commit times kept (1) or not (0):", *request.commit_time ? 1 : 0,
            shape->commit_time ? 1 : 0);
  }
}

RegionSpec spec_for(const LatestRequest& request, const LatestShape& shape) {
  RegionSpec spec;
  spec.kind = kLatestKind;
  spec.fingerprint = request.fingerprint;
  spec.type_name = request.type_name;
  spec.content_size = shape.content_size();
  spec.any_size_opens = true;
  spec.geometry = shape.geometry();
  spec.lifetime = request.lifetime;
  const std::uint32_t slots_now = request.all_slots_now ? shape.slots() : kLatestSpareSlots;
  spec.allocated_now = shape.slot_offset(slots_now);
  spec.fill = [slots_now](std::byte* content) {
    auto& control = *std::construct_at(reinterpret_cast<Control*>(content));
    // relaxed: nobody can see the region before it has its name.
    control.slots_ready.store(slots_now, std::memory_order_relaxed);
  };
  spec.accept = [request](const RegionFacts& facts, const std::string& object) {
    check_shape(request, facts, object);
  };
  return spec;
}

}  // namespace

std::optional<LatestShape> LatestShape::from(const RegionFacts& facts) noexcept {
  const auto& [readers, payload, flags, a, b, c, d, e] = facts.geometry;
  if (readers < 1 || readers > kLatestReadersMax) return std::nullopt;
  if (payload < 1 || payload > kLatestPayloadMax || flags > 1) return std::nullopt;
  if ((a | b | c | d | e) != 0) return std::nullopt;
  LatestShape shape{static_cast<std::uint32_t>(readers), payload, flags == 1};
  if (shape.content_size() != facts.content_size) return std::nullopt;
  return shape;
}

void register_latest_healer() {
  register_healer(kLatestKind, &heal_latest);
}

namespace {

// Any program that contains this code can heal channels, also one that only ever joins.
[[maybe_unused]] const bool kRegistered = (register_latest_healer(), true);

}  // namespace

// Named by the library's link options, so that programs that link it statically contain this file.
extern "C" const int kith_heals_latest = 1;

LatestChannel::LatestChannel(const Domain& domain, const LatestRequest& request) {
  register_latest_healer();
  check_role_name(request.role);  // before anything is made for it
  const std::string object = describe_object("latest", request.name, domain.path());
  const RegionSpec spec = spec_for(request, wanted_shape(request, object));
  region_ = request.payload_max
                ? MappedRegion::open_or_create(domain, request.name, spec, request.deadline)
                : MappedRegion::open(domain, request.name, spec, request.deadline);
  shape_ = LatestShape::from(region_.facts()).value();
  membership_ = Membership::of(domain);
  membership_->attach(region_.identity().inode);
}

LatestChannel::~LatestChannel() {
  if (membership_) membership_->detach(region_.identity().inode);
}

Control& LatestChannel::control() const noexcept {
  return control_of(region_);
}
Cell* LatestChannel::cells() const noexcept {
  return cells_of(region_);
}

LatestSlot* LatestChannel::slot(std::uint32_t index) const noexcept {
  return reinterpret_cast<LatestSlot*>(region_.content() + shape_.slot_offset(index));
}
std::byte* LatestChannel::payload(std::uint32_t index) const noexcept {
  return region_.content() + shape_.slot_offset(index) + sizeof(LatestSlot);
}

// Owner words mean something only together with the table they point into. Somebody may have
// removed the table of a domain in use; ids of the old one then say nothing about who lives.
void LatestChannel::adopt_member_table() {
  auto& known = control().member_table;
  const std::uint64_t ours = membership_->table_identity();
  const std::uint64_t theirs = known.load(std::memory_order_relaxed);
  if (theirs == ours) return;
  const auto readers = reader_table();
  const auto writer = writer_table();
  if (theirs != 0 && region_.found_in_use() && (has_owners(readers) || has_owners(writer))) {
    throw Error(Errc::orphaned,
                {.object = channel_text(region_),
                 .expected = "members of this domain's member table",
                 .found = "processes that joined an older one, which was removed",
                 .remedy = "end the processes that use it, or remove it with `kith rm --force`"});
  }
  heal_all_roles(readers);
  heal_all_roles(writer);
  // relaxed: read and written under the administrative lock only.
  known.store(ours, std::memory_order_relaxed);
}

template <class Claim>
auto LatestChannel::claim_until(Deadline deadline, const Claim& claim) {
  for (auto pause = 50us;; pause = std::min(pause * 2, 5000us)) {
    try {
      const AdminLock lock(region_.domain(), region_.name(), region_.identity(),
                           std::max(deadline, Deadline::after(kAdminPatience)));
      lock.require(channel_text(region_));
      adopt_member_table();
      return claim(lock.file());
    } catch (const Error& error) {
      if (error.errc() != Errc::role_taken || deadline.has_passed()) throw;
    }
    os::pause_for(pause, deadline);
  }
}

RoleTable LatestChannel::writer_table() const {
  return writer_table_of(region_);
}
RoleTable LatestChannel::reader_table() const {
  return reader_table_of(region_, shape_);
}

void LatestChannel::claim_writer(const std::string& role, Deadline deadline) {
  claim_until(deadline, [&](const os::Descriptor&) {
    return claim_role(writer_table(), role, *membership_);
  });
}

ClaimedRole LatestChannel::claim_reader(const std::string& role, Deadline deadline) {
  return claim_until(deadline, [&](const os::Descriptor& file) {
    RoleTable table = reader_table();
    table.prepare = [this, &file](std::uint32_t index) {
      allocate_slots(file, index + 1 + kLatestSpareSlots);
    };
    return claim_role(table, role, *membership_);
  });
}

// A reader at place r needs r + 3 slots at most: one for each reader up to it, and two. Under the
// administrative lock.
void LatestChannel::allocate_slots(const os::Descriptor& file, std::uint32_t wanted) {
  auto& slots_ready = control().slots_ready;
  const std::uint32_t ready = slots_ready.load(std::memory_order_relaxed);
  if (ready >= wanted) return;
  const std::uint64_t begin = shape_.slot_offset(ready);
  const std::uint64_t size = shape_.slot_offset(wanted) - begin;
  const auto allocated = os::allocate(file, kRegionHeaderSize + begin, size);
  // What part of it could be had must not stay: the others need that space.
  if (!allocated) static_cast<void>(os::give_back(file, kRegionHeaderSize + begin, size));
  if (!allocated && allocated.error == ENOSPC) {
    throw no_space("reader of " + channel_text(region_), size, file);
  }
  if (!allocated) throw system_error(channel_text(region_), "allocating a slot", allocated.error);
  // release: the pages are there before the count says so; pairs with choose_slot().
  slots_ready.store(wanted, std::memory_order_release);
}

void LatestChannel::release_writer() noexcept {
  // release: the last value is committed before the role is free for the next writer.
  writer_of(region_).owner.store(0, std::memory_order_release);
}

void LatestChannel::release_reader(std::uint32_t index, bool drop_name) noexcept {
  auto& owner = cells()[index].role.owner;
  auto core = reader_core(region_, shape_, index);
  const bool named = (owner.load(std::memory_order_relaxed) & kRoleNamed) != 0;
  if (named && !drop_name) {
    if (core.recover() == 0) core.leave();
    owner.store(kRoleNamed | kRoleVacant, std::memory_order_release);
  } else {
    core.release();
    core.leave();
    owner.store(0, std::memory_order_release);
  }
}

Liveness LatestChannel::writer_liveness() const noexcept {
  const std::uint64_t owner = writer_of(region_).owner.load(std::memory_order_acquire);
  return has_owner(owner) ? membership_->liveness(owner_of(owner)) : Liveness::dead;
}

std::uint32_t LatestChannel::readers_joined() const noexcept {
  std::uint32_t joined = 0;
  for (const auto& word : control().joined) {
    joined += static_cast<std::uint32_t>(std::popcount(word.load(std::memory_order_relaxed)));
  }
  return joined;
}

LatestFacts look_at_latest(const MappedRegion& region) {
  LatestFacts facts;
  const auto shape = LatestShape::from(region.facts());
  if (!shape || region.facts().kind != kLatestKind) return facts;
  facts.readers_max = shape->readers_max;
  facts.payload_max = shape->payload_max;
  const LatestWords words(shape->slots());
  for (std::uint32_t i = 0; i < shape->readers_max; ++i) {
    const Cell& cell = cells_of(region)[i];
    const std::uint64_t owner = cell.role.owner.load(std::memory_order_acquire);
    const bool pins = words.slot_of(cell.claim.load(std::memory_order_relaxed)).has_value();
    const bool held = has_owner(owner);
    facts.readers_held += held ? 1u : 0u;
    facts.readers_vacant += is_vacant(owner) ? 1u : 0u;
    facts.pinned_held += held && pins ? 1u : 0u;
    facts.pinned_vacant += is_vacant(owner) && pins ? 1u : 0u;
    facts.pinned_by_nobody += owner == 0 && pins ? 1u : 0u;
  }
  const Control& control = control_of(region);
  facts.slots_ready = control.slots_ready.load(std::memory_order_relaxed);
  facts.has_writer = has_owner(writer_of(region).owner.load(std::memory_order_acquire));
  // acquire: the slot's header comes with the word that names it.
  const auto newest = words.slot_of(control.latest.load(std::memory_order_acquire));
  if (newest && *newest < facts.slots_ready) {
    const auto* slot =
        reinterpret_cast<const LatestSlot*>(region.content() + shape->slot_offset(*newest));
    facts.sequence = load_once(slot->sequence);
  }
  return facts;
}

bool drop_vacant_latest_roles(MappedRegion& region, std::uint32_t& dropped) {
  const auto shape = LatestShape::from(region.facts());
  if (!shape || region.facts().kind != kLatestKind) return false;
  const AdminLock lock(region.domain(), region.name(), region.identity(),
                       Deadline::after(kAdminPatience));
  if (lock.answer() != AdminLock::Answer::held) return false;
  dropped += drop_vacant_roles(reader_table_of(region, *shape));
  return true;
}

}  // namespace kith::internal
