#include "kith/channel/internal/latest_guest.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kith/base/error.hpp"
#include "kith/channel/internal/latest_roles.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/os/random.hpp"
#include "kith/os/truncation_guard.hpp"
#include "kith/region/internal/errors.hpp"

namespace kith::internal {
namespace {

using namespace std::chrono_literals;

// What guests do under the seats' administrative lock takes microseconds.
constexpr auto kSeatPatience = 1s;

void check_stamp(const RegionFacts& facts, const LatestRequest& request,
                 const std::string& object) {
  const bool is_data = facts.kind == std::string(kLatestKind) + "." + kDataSatellite;
  if (!is_data || facts.fingerprint != request.fingerprint) {
    throw Error(Errc::wrong_type, {.object = object,
                                   .expected = "type " + request.type_name + ", layout " +
                                               std::to_string(request.fingerprint),
                                   .found = "type " + facts.type_name + ", layout " +
                                            std::to_string(facts.fingerprint),
                                   .remedy = "build both programs from one definition"});
  }
  check_latest(request, facts, LatestShape::Part::data, object);
}

Error removed_meanwhile(const std::string& object) {
  return Error(Errc::orphaned, {.object = object,
                                .expected = "the channel this handle was opened on",
                                .found = "none of that name, or a newer one",
                                .remedy = "open it anew"});
}

}  // namespace

os::Mapping map_guest_file(const RegionFile& file, std::uint64_t content_size, os::Access access,
                           const std::string& object) {
  auto mapping = os::Mapping::of_file(file.file, region_file_size(content_size, file.file), access);
  if (!mapping) throw system_error(object, "mapping its guests' files", mapping.error);
  return std::move(mapping.value);
}

GuestSeats::GuestSeats(const Domain& domain, std::string name, const os::FileIdentity& identity)
    : domain_(domain), name_(std::move(name)), identity_(identity) {}

os::Outcome<os::Descriptor> GuestSeats::open_file() const noexcept {
  const auto directory = os::open_directory(domain_.path());
  if (!directory) return os::Outcome<os::Descriptor>::failed(directory.error);
  auto file = os::open_at(directory.value, name_, os::Access::read_write);
  if (!file) return file;
  const auto facts = os::facts_of(file.value);
  if (!facts || facts.value.identity != identity_) {
    return os::Outcome<os::Descriptor>::failed(ENOENT);
  }
  return file;
}

void GuestSeats::sit_down(std::uint32_t index) {
  // Whoever leaves says so before it stands up: for that instant the seat is free and still held.
  const Deadline patience = Deadline::after(kSeatPatience);
  for (auto pause = 20us;; pause = std::min(pause * 2, 5000us)) {
    const int error = try_to_sit_down(index);
    if (error == 0) break;
    const std::string object = "seats of " + domain_.path();
    if (error != EAGAIN) throw system_error(object, "taking one", error);
    if (patience.has_passed()) {
      throw Error(Errc::role_taken, {.object = object,
                                     .expected = "a seat that nobody holds",
                                     .found = "seat " + std::to_string(index) +
                                              ", said to be free, and held by a living process",
                                     .remedy = "look for a guest that was stopped as it left"});
    }
    os::pause_for(pause, patience);
  }
  id_ = {index, static_cast<std::uint32_t>(os::random_number()) | 1};
}

int GuestSeats::try_to_sit_down(std::uint32_t index) noexcept {
  // equivalent if no_forks skipped: who sits down holds the administrative lock, which has one.
  const os::ForkGuard no_forks;
  auto file = open_file();
  if (!file) return file.error;
  // equivalent if no_forks skipped: ours is held already.
  auto held = os::HeldLock::take(std::move(file.value), kSeatLocks + index);
  if (!held) return held.error;
  life_ = std::move(held.value);
  return 0;
}

Liveness GuestSeats::liveness(MemberId id) const noexcept {
  // equivalent if no_forks skipped: nothing is locked here; a child would only have a descriptor.
  const os::ForkGuard no_forks;
  const auto file = open_file();
  // Removed by force, the seats may still be sat on, and what is held there still be read.
  if (!file) return Liveness::unknown;
  const auto held =
      os::is_locked_elsewhere(file.value, kSeatLocks + id.index, os::LockKind::exclusive);
  if (!held) return Liveness::unknown;
  return held.value ? Liveness::alive : Liveness::dead;
}

std::string GuestSeats::describe(MemberId id) const {
  return "a guest on seat " + std::to_string(id.index);
}

LatestReaderBank<RealAtomics> guest_bank(std::byte* seats_content,
                                         const LatestShape& shape) noexcept {
  auto* joined = reinterpret_cast<RealAtomics::Word<std::uint64_t>*>(seats_content);
  auto* cells =
      reinterpret_cast<LatestShape::Cell*>(seats_content + LatestShape::kGuestCellsOffset);
  return {joined, cells, shape.guests_max};
}

std::unique_ptr<LatestGuest> LatestGuest::open(const Domain& domain, const LatestRequest& request) {
  const os::ForkGuard no_forks;  // a child born now would share the use lock
  const std::string object = channel_text(domain, request.name);
  const os::Descriptor directory = domain.open();
  const auto facts = os::facts_at(directory, request.name);
  if (!facts || facts.value.kind != os::FileKind::regular) return nullptr;
  const os::FileIdentity identity = facts.value.identity;
  auto data = open_satellite(domain, identity, kDataSatellite, os::Access::read_only, object);
  if (!data) return nullptr;
  check_stamp(data->facts, request, object);
  // The seats' header is any guest's to write, the data's is not: the geometry comes from there.
  auto seats = open_seats(domain, identity, os::Access::read_write, object);
  if (!seats) return nullptr;
  const auto used = os::try_lock(seats->file, RegionLock::kUse, os::LockKind::shared);
  if (!used) throw system_error(object, "locking it for use", used.error);
  if (used.value == os::Locked::refused) return nullptr;  // a remover is at work
  if (!name_stands_for(directory, request.name, identity)) return nullptr;
  return std::unique_ptr<LatestGuest>(
      new LatestGuest(domain, request, identity, std::move(*data), std::move(*seats)));
}

LatestGuest::LatestGuest(const Domain& domain, const LatestRequest& request,
                         const os::FileIdentity& object, RegionFile data, RegionFile seats)
    : domain_(domain),
      name_(request.name),
      object_(object),
      seats_file_(seats.identity),
      process_mark_(os::process_mark()),
      seats_(domain, satellite_name(object, kSeatsSatellite), seats.identity) {
  os::guard_truncation();  // the owner may cut short what we read, a fellow guest what we write
  const LatestShape shape = *LatestShape::from(data.facts, LatestShape::Part::data);
  const std::string text = channel_text(domain, name_);
  data_ = map_guest_file(data, shape.data_size(), os::Access::read_only, text);
  seats_map_ = map_guest_file(seats, shape.seats_size(), os::Access::read_write, text);
  data_pages_ = os::GuardedPages(data_);
  seats_pages_ = os::GuardedPages(seats_map_);
  const std::byte* content = data_.data() + kRegionHeaderSize;
  set_places(shape, guest_bank(seats_map_.data() + kRegionHeaderSize, shape),
             *reinterpret_cast<const Newest*>(content), content, data_pages_);
  if (!os::mapping_keeps_locks(seats.file)) kept_ = std::move(seats.file);
}

LatestGuest::~LatestGuest() {
  if (process_mark_ != os::process_mark()) seats_.forget_in_child();
}

ClaimedRole LatestGuest::claim_reader(const std::string& role, Deadline deadline) {
  const std::string text = channel_text(domain_, name_);
  RoleTable table = reader_table_of(bank(), shape().words(), "guest of " + text);
  table.prepare = [this](std::uint32_t index) { seats_.sit_down(index); };
  for (auto pause = 50us;; pause = std::min(pause * 2, 5000us)) {
    try {
      const AdminLock lock(domain_, satellite_name(object_, kSeatsSatellite), seats_file_,
                           std::max(deadline, Deadline::after(kSeatPatience)));
      lock.require(text);
      return claim_role(table, role, seats_);
    } catch (const Error& error) {
      // Of seats that were removed by force nobody can tell any more who sits there.
      if (is_orphaned()) throw removed_meanwhile(text);
      if (error.errc() != Errc::role_taken || deadline.has_passed()) throw;
    }
    os::pause_for(pause, deadline);
  }
}

void LatestGuest::release_reader(std::uint32_t index, bool drop_name) noexcept {
  let_reader_go(bank(), shape().words(), index, drop_name);
  seats_.stand_up();
}

// A hostile guest can make a dead writer look alive to its fellows, by holding this lock; no more.
Liveness LatestGuest::writer_liveness() const noexcept {
  // equivalent if no_forks skipped: as in GuestSeats::liveness().
  const os::ForkGuard no_forks;
  try {
    const auto data = open_satellite(domain_, object_, kDataSatellite, os::Access::read_only,
                                     channel_text(domain_, name_));
    if (!data) return Liveness::dead;
    const auto held =
        os::is_locked_elsewhere(data->file, kWriterLivesLock, os::LockKind::exclusive);
    if (!held) return Liveness::unknown;
    return held.value ? Liveness::alive : Liveness::dead;
  } catch (const std::exception&) {
    return Liveness::unknown;
  }
}

bool LatestGuest::is_orphaned() const noexcept {
  const auto directory = os::open_directory(domain_.path());
  if (!directory) return directory.error == ENOENT || directory.error == ENOTDIR;
  const auto facts = os::facts_at(directory.value, name_);
  return facts ? facts.value.identity != object_ : facts.error == ENOENT;
}

namespace {

Error not_made_yet(const Domain& domain, const LatestRequest& request) {
  const bool waited = request.deadline != Deadline::now();
  return Error(waited ? Errc::timed_out : Errc::not_found,
               {.object = channel_text(domain, request.name),
                .expected = "a channel of this name, made by those who may write the domain",
                .found = waited ? "none before the deadline" : "none",
                .remedy = "start the program that creates it, or allow a longer deadline"});
}

// Whether what bears the name has no files for guests. One that comes or goes has: they are there
// before it has its name, and as long as it has it.
bool is_for_members_only(const Domain& domain, const std::string& name) {
  const auto directory = domain.open();
  const auto facts = os::facts_at(directory, name);
  if (!facts) return facts.error != ENOENT;
  const os::FileIdentity identity = facts.value.identity;
  const auto data = os::facts_at(directory, satellite_name(identity, kDataSatellite));
  return data.error == ENOENT && name_stands_for(directory, name, identity);
}

}  // namespace

std::unique_ptr<LatestSource> open_for_reading(const Domain& domain, const LatestRequest& request) {
  for (auto pause = 100us;; pause = std::min(pause * 2, 5000us)) {
    try {
      return std::make_unique<LatestChannel>(domain, request);
    } catch (const Error& error) {
      // A guest makes neither the channel nor a domain that its owner is to make, so it waits for
      // them like a reader of bytes.
      const bool no_domain = error.errc() == Errc::not_found && !domain.exists();
      if (error.errc() != Errc::permission_denied && !no_domain) throw;
      check_role_name(request.role);
      if (!no_domain) {
        if (auto guest = LatestGuest::open(domain, request)) return guest;
        if (is_for_members_only(domain, request.name)) throw;  // the text says how to share
      }
      if (request.deadline.has_passed()) throw not_made_yet(domain, request);
    }
    os::pause_for(pause, request.deadline);
  }
}

void heal_dead_guests(const MappedRegion& region, const LatestShape& shape) noexcept {
  os::guard_truncation();  // a guest may cut the seats short, and nobody here opened the channel
  try {
    os::FileIdentity identity;
    os::Mapping mapping;
    const std::string text = channel_text(region.domain(), region.name());
    {
      // equivalent if no_forks skipped: as in GuestSeats::liveness().
      const os::ForkGuard no_forks;
      const auto seats =
          open_seats(region.domain(), region.identity(), os::Access::read_write, text);
      if (!seats) return;
      mapping = map_guest_file(*seats, shape.seats_size(), os::Access::read_write, text);
      identity = seats->identity;
    }
    const std::string name = satellite_name(region.identity(), kSeatsSatellite);
    const os::GuardedPages pages(mapping);
    const AdminLock lock(region.domain(), name, identity, Deadline::now());
    if (lock.answer() != AdminLock::Answer::held) return;
    const auto bank = guest_bank(mapping.data() + kRegionHeaderSize, shape);
    heal_dead_roles(reader_table_of(bank, shape.words(), text),
                    GuestSeats(region.domain(), name, identity));
  } catch (const std::exception&) {
    // A guest's doing; its seats are its own affair until somebody needs one.
  }
}

}  // namespace kith::internal
