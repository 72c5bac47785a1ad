#include "kith/channel/internal/latest_channel.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>

#include "kith/base/error.hpp"
#include "kith/channel/internal/latest_guest.hpp"
#include "kith/channel/internal/latest_roles.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/os/truncation_guard.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

using namespace std::chrono_literals;
using Control = LatestControl<RealAtomics>;
using Bank = LatestReaderBank<RealAtomics>;

// The administrative lock is held for microseconds by the living and not at all by the dead; only a
// process stopped in that instant makes anybody wait so long.
constexpr auto kAdminPatience = 1s;

std::string text_of(const MappedRegion& region) {
  return channel_text(region.domain(), region.name());
}

RoleTable reader_table(const MappedRegion& region, const LatestShape& shape) {
  return reader_table_of(bank_of(region, shape), shape.words(), "reader of " + text_of(region));
}

bool heal_latest(MappedRegion& region, std::uint64_t dead_owner, Deadline patience) {
  const auto shape = LatestShape::from(region.facts());
  if (!shape) return false;
  const AdminLock lock(region.domain(), region.name(), region.identity(), patience);
  if (lock.answer() == AdminLock::Answer::orphaned) return true;
  if (lock.answer() != AdminLock::Answer::held) return false;
  heal_roles(reader_table(region, *shape), dead_owner);
  heal_roles(writer_table_of(region), dead_owner);
  return true;
}

LatestShape wanted_shape(const LatestRequest& request, const std::string& object) {
  LatestShape shape;
  shape.readers_max = request.readers_max.value_or(kLatestReadersDefault);
  shape.payload_max = request.payload_max.value_or(0);
  shape.commit_time = request.commit_time.value_or(false);
  shape.spare_slots = request.spare_slots.value_or(0);
  const bool has_guests = FileRights{.mode = request.rights.mode}.has_guests();
  shape.guests_max = request.guests_max.value_or(has_guests ? kLatestGuestsDefault : 0);
  if (request.rights.are_given() && has_guests != (shape.guests_max > 0)) {
    throw Error(
        Errc::invalid_argument,
        {.object = object,
         .expected = has_guests ? "room for guests, whom these rights let read"
                                : "rights that let somebody only read, as 0640",
         .found = std::to_string(shape.guests_max) + " guests, mode " + octal(request.rights.mode),
         .remedy = "change LatestOptions::guests_max or LatestOptions::rights"});
  }
  const auto check = [&](const char* option, std::uint32_t value, std::uint32_t least,
                         std::uint32_t most) {
    if (value >= least && value <= most) return;
    throw Error(Errc::invalid_argument,
                {.object = object,
                 .expected = std::to_string(least) + " to " + std::to_string(most),
                 .found = std::to_string(value),
                 .remedy = std::string("change LatestOptions::") + option});
  };
  check("readers_max", shape.readers_max, 1, kLatestReadersMax);
  check("guests_max", shape.guests_max, 0, kLatestReadersMax);
  check("spare_slots", shape.spare_slots, 0, kLatestSparesMax);
  if (request.payload_max && (shape.payload_max < 1 || shape.payload_max > kLatestPayloadMax)) {
    throw Error(Errc::invalid_argument, {.object = object,
                                         .expected = "a payload of 1 byte to 1 TiB",
                                         .found = bytes_text(shape.payload_max),
                                         .remedy = {}});
  }
  return shape;
}

// `request` outlives it.
class LatestSpec final : public RegionSpec {
 public:
  LatestSpec(const LatestRequest& request, const LatestShape& shape)
      : request_(request), shape_(shape) {
    kind = kLatestKind;
    fingerprint = request.fingerprint;
    type_name = request.type_name;
    content_size = shape.content_size();
    any_size_opens = true;
    geometry = shape.geometry();
    lifetime = request.lifetime;
    rights = request.rights;
    const bool all_now = request.all_slots_now || knows_guests();
    const std::uint32_t wanted = kLatestSpareSlots + shape.spare_slots;
    slots_now_ = all_now ? shape.slots() : shape.slots_in_pages_of(wanted, os::page_size());
    if (!knows_guests()) allocated_now = shape.slot_offset(slots_now_);
  }

  [[nodiscard]] bool knows_guests() const override { return shape_.guests_max > 0; }
  [[nodiscard]] std::vector<SatelliteSpec> satellites(const FileRights& access) const override {
    return {
        // The data first: by them a cleaner knows whether the creator lives.
        {kDataSatellite, shape_.data_size(), access.read_mode()},
        {kSeatsSatellite, shape_.seats_size(), access.seats_mode()},
    };
  }
  void fill(std::byte* content) const override {
    auto& control = *std::construct_at(reinterpret_cast<Control*>(content));
    // relaxed: nobody can see the region before it has its name.
    control.slots_ready.store(slots_now_, std::memory_order_relaxed);
  }
  void accept(const RegionFacts& facts, const std::string& object) const override {
    check_latest(request_, facts, LatestShape::Part::own, object);
  }

 private:
  const LatestRequest& request_;
  LatestShape shape_;
  std::uint32_t slots_now_ = 0;
};

}  // namespace

void check_latest(const LatestRequest& request, const RegionFacts& facts, LatestShape::Part part,
                  const std::string& object) {
  const auto shape = LatestShape::from(facts, part);
  if (!shape) {
    throw Error(Errc::damaged, {.object = object,
                                .expected = "the geometry of a latest-value channel",
                                .found = "numbers that do not fit together",
                                .remedy = "remove it with `kith rm --force`"});
  }
  const auto compare = [&](const std::string& what, const auto& asked, std::uint64_t is) {
    if (!asked || *asked == is) return;
    throw Error(Errc::wrong_type, {.object = object,
                                   .expected = what + " " + std::to_string(*asked),
                                   .found = std::to_string(is),
                                   .remedy = "agree on one, or remove the old object"});
  };
  compare("a payload in bytes of", request.payload_max, shape->payload_max);
  compare("a maximum of readers of", request.readers_max, shape->readers_max);
  compare("a maximum of guests of", request.guests_max, shape->guests_max);
  compare("spare slots, in number", request.spare_slots, shape->spare_slots);
  compare("commit times kept (1) or not (0):", request.commit_time, shape->commit_time ? 1 : 0);
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
  const std::string object = channel_text(domain, request.name);
  const LatestSpec spec(request, wanted_shape(request, object));
  region_ = request.payload_max
                ? MappedRegion::open_or_create(domain, request.name, spec, request.deadline)
                : MappedRegion::open(domain, request.name, spec, request.deadline);
  const auto shape = LatestShape::from(region_.facts()).value();
  if (shape.guests_max == 0) {
    set_places(shape, bank_of(region_, shape), control().latest, region_.content(),
               region_.pages());
  } else {
    open_satellites(shape);
  }
  membership_ = Membership::of(domain);
  membership_->attach(region_.identity().inode);
}

// What guests may write could be cut short by them; then its pages read as zeros, and nobody but
// they themselves is the worse for it.
void LatestChannel::open_satellites(const LatestShape& shape) {
  os::guard_truncation();
  const std::string object = text_of(region_);
  const os::ForkGuard no_forks;
  const auto data = open_satellite(region_.domain(), region_.identity(), kDataSatellite,
                                   os::Access::read_write, object);
  const auto found = data ? LatestShape::from(data->facts, LatestShape::Part::data) : std::nullopt;
  const auto seats =
      open_seats(region_.domain(), region_.identity(), os::Access::read_write, object);
  if (!found || found->geometry() != shape.geometry() || !seats) {
    throw Error(Errc::damaged,
                {.object = object,
                 .expected = "the files of its guests",
                 .found = data && seats ? "those of another channel" : "some of them missing",
                 .remedy = "remove it with `kith rm --force`"});
  }
  data_ = map_guest_file(*data, shape.data_size(), os::Access::read_write, object);
  seats_ = map_guest_file(*seats, shape.seats_size(), os::Access::read_write, object);
  data_pages_ = os::GuardedPages(data_);
  seats_pages_ = os::GuardedPages(seats_);
  guests_ = guest_bank(seats_.data() + kRegionHeaderSize, shape);
  const std::byte* content = data_.data() + kRegionHeaderSize;
  set_places(shape, bank_of(region_, shape), *reinterpret_cast<const Newest*>(content), content,
             data_pages_);
  heal_dead_guests(region_, shape);
}

LatestChannel::~LatestChannel() {
  if (!membership_) return;
  membership_->detach(region_.identity().inode);
  if (!membership_->is_this_process()) writing_.forget_in_child();
}

Control& LatestChannel::control() const noexcept {
  return control_of(region_);
}

LatestWriterCore<RealAtomics> LatestChannel::writer_core() const {
  return {const_cast<Newest&>(newest()), control(), bank(), guests_, shape().words()};
}

// Owner words mean something only together with the table they point into. Somebody may have
// removed the table of a domain in use; ids of the old one then say nothing about who lives.
void LatestChannel::adopt_member_table() {
  auto& known = control().member_table;
  const std::uint64_t ours = membership_->table_identity();
  const std::uint64_t theirs = known.load(std::memory_order_relaxed);
  if (theirs == ours) return;
  const auto readers = reader_table(region_, shape());
  const auto writer = writer_table_of(region_);
  if (theirs != 0 && region_.found_in_use() && (has_owners(readers) || has_owners(writer))) {
    throw Error(Errc::orphaned,
                {.object = text_of(region_),
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
      lock.require(text_of(region_));
      adopt_member_table();
      return claim(lock.file());
    } catch (const Error& error) {
      if (error.errc() != Errc::role_taken || deadline.has_passed()) throw;
    }
    os::pause_for(pause, deadline);
  }
}

void LatestChannel::claim_writer(const std::string& role, Deadline deadline) {
  claim_until(deadline, [&](const os::Descriptor&) {
    return claim_role(writer_table_of(region_), role, *membership_);
  });
  if (shape().guests_max == 0) return;
  const os::ForkGuard no_forks;
  auto data = open_satellite(region_.domain(), region_.identity(), kDataSatellite,
                             os::Access::read_write, text_of(region_));
  if (!data) return;  // removed meanwhile: nobody new will ask
  auto held = os::HeldLock::take(std::move(data->file), kWriterLivesLock, os::LockKind::shared);
  if (held) writing_ = std::move(held.value);
}

ClaimedRole LatestChannel::claim_reader(const std::string& role, Deadline deadline) {
  return claim_until(deadline, [&](const os::Descriptor& file) {
    RoleTable table = reader_table(region_, shape());
    table.prepare = [this, &file](std::uint32_t index) {
      const std::uint32_t wanted = index + 1 + kLatestSpareSlots + shape().spare_slots;
      if (shape().guests_max == 0) allocate_slots(file, wanted);
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
  wanted = shape().slots_in_pages_of(wanted, os::page_size());
  const std::uint64_t begin = shape().slot_offset(ready);
  const std::uint64_t size = shape().slot_offset(wanted) - begin;
  const auto allocated = os::allocate(file, kRegionHeaderSize + begin, size);
  // What part of it could be had must not stay: the others need that space.
  if (!allocated) static_cast<void>(os::give_back(file, kRegionHeaderSize + begin, size));
  if (!allocated && allocated.error == ENOSPC) {
    throw no_space("reader of " + text_of(region_), size, file);
  }
  if (!allocated) throw system_error(text_of(region_), "allocating a slot", allocated.error);
  // relaxed: the pages are there; join() releases the count to the writer's scan.
  slots_ready.store(wanted, std::memory_order_relaxed);
}

void LatestChannel::release_writer() noexcept {
  // release: the last value is committed before the role is free for the next writer.
  writer_of(region_).owner.store(0, std::memory_order_release);
  writing_ = os::HeldLock();
}

void LatestChannel::release_reader(std::uint32_t index, bool drop_name) noexcept {
  let_reader_go(bank(), shape().words(), index, drop_name);
}

Liveness LatestChannel::writer_liveness() const noexcept {
  // relaxed: only who it is; whether that one lives, the kernel says.
  const std::uint64_t owner = writer_of(region_).owner.load(std::memory_order_relaxed);
  return has_owner(owner) ? membership_->liveness(owner_of(owner)) : Liveness::dead;
}

std::uint32_t LatestChannel::readers_joined() const noexcept {
  std::uint32_t joined = 0;
  for (const Bank& bank : {bank(), guests_}) {
    for (std::uint32_t first = 0; first < bank.count; first += 64) {
      const std::uint64_t bits = bank.joined[first / 64].load(std::memory_order_relaxed);
      joined += static_cast<std::uint32_t>(std::popcount(bits));
    }
  }
  return joined;
}

bool drop_vacant_latest_roles(MappedRegion& region, std::uint32_t& dropped) {
  const auto shape = LatestShape::from(region.facts());
  if (!shape || region.facts().kind != kLatestKind) return false;
  const AdminLock lock(region.domain(), region.name(), region.identity(),
                       Deadline::after(kAdminPatience));
  if (lock.answer() != AdminLock::Answer::held) return false;
  dropped += drop_vacant_roles(reader_table(region, *shape));
  dropped += drop_vacant_roles(writer_table_of(region));
  return true;
}

}  // namespace kith::internal
