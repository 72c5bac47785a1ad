#include "kith/region/internal/mapped_region.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "kith/base/contract.hpp"
#include "kith/base/name.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/stamp.hpp"

namespace kith::internal {

RegionSpec::~RegionSpec() = default;

bool RegionSpec::knows_guests() const {
  return false;
}
std::vector<SatelliteSpec> RegionSpec::satellites(const FileRights&) const {
  return {};
}
void RegionSpec::fill(std::byte*) const {}
void RegionSpec::accept(const RegionFacts&, const std::string&) const {}

void require_bytes(const std::string& name, std::uint64_t size) {
  if (size != 0) return;
  throw Error(Errc::invalid_argument, {.object = "region '" + name + "'",
                                       .expected = "at least one byte",
                                       .found = "a size of 0",
                                       .remedy = {}});
}

namespace {

using namespace std::chrono_literals;

// Times an opener or creator lets a racing remover win before it says so; each loss means that
// somebody else made progress.
constexpr int kAttemptsMax = 64;

// How long open_or_create at least bears with others that create and remove the same name: each of
// them is done within microseconds, unless it is stopped just then.
constexpr auto kRacePatience = 1s;

void check_name(const std::string& what, const std::string& name) {
  // Our own tables have a leading dot, so that no user's object can be called like them.
  const std::string_view checked = name.starts_with('.') && what == "members"
                                       ? std::string_view(name).substr(1)
                                       : std::string_view(name);
  const std::string why = why_not_a_name(checked, kObjectNameMax);
  if (!why.empty()) throw invalid_name(what, name, why);
}

// Gives the unnamed file its size and, now, its pages.
void allocate(const os::Descriptor& file, const RegionSpec& spec, std::uint64_t size,
              const std::string& object) {
  const std::uint64_t content = spec.allocated_now.value_or(spec.content_size);
  const std::uint64_t wanted = std::min(size, region_file_size(content, file));
  // A look beforehand, so that what cannot be had does not push everybody else off the file system
  // while it is tried. Some file systems know no limit and report none; allocating decides.
  const auto space = os::space_of(file);
  if (space && space.value.total_bytes != 0 && space.value.free_bytes < wanted) {
    throw no_space(object, wanted, file);
  }
  if (const auto sized = os::set_size(file, size); !sized) {
    throw system_error(object, "setting its size to " + bytes_text(size), sized.error);
  }
  const auto allocated = os::allocate(file, 0, wanted);
  if (allocated) return;
  if (allocated.error == ENOSPC) throw no_space(object, wanted, file);
  throw system_error(object, "allocating " + bytes_text(wanted), allocated.error);
}

}  // namespace

MappedRegion& MappedRegion::operator=(MappedRegion&& other) noexcept {
  if (this != &other) {
    close();
    domain_ = std::move(other.domain_);
    name_ = std::move(other.name_);
    facts_ = std::move(other.facts_);
    identity_ = other.identity_;
    mapping_ = std::move(other.mapping_);
    pages_ = std::move(other.pages_);
    kept_ = std::move(other.kept_);
    creator_lock_ = std::move(other.creator_lock_);
    process_mark_ = other.process_mark_;
    created_here_ = other.created_here_;
    found_in_use_ = other.found_in_use_;
    observes_ = other.observes_;
  }
  return *this;
}

std::string MappedRegion::object() const {
  return describe_object("region", name_, domain_ ? domain_->path() : std::string("no domain"));
}

void MappedRegion::map(const os::Descriptor& file) {
  auto mapped = os::Mapping::of_file(file, facts_.size, os::Access::read_write);
  if (!mapped) throw system_error(object(), "mapping " + bytes_text(facts_.size), mapped.error);
  mapping_ = std::move(mapped.value);
  pages_ = os::GuardedPages(mapping_);
}

void MappedRegion::take_creator_lock(const os::Descriptor& file) {
  const os::ForkGuard no_forks;  // a child born after the open would share it, and our life with it
  auto own = os::open_again(file, os::Access::read_write);
  if (!own) throw system_error(object(), "opening it again", own.error);
  // equivalent if no_forks skipped: ours is held already.
  auto held = os::HeldLock::take(std::move(own.value), RegionLock::kCreator);
  if (!held) throw system_error(object(), "taking its creator's lock", held.error);
  creator_lock_ = std::move(held.value);
}

void MappedRegion::fill(const Newborn& newborn, const RegionSpec& spec, const FileRights& rights) {
  const os::Descriptor& file = newborn.file();
  const std::uint64_t size = region_file_size(spec.content_size, file);
  allocate(file, spec, size, object());
  const auto facts = os::facts_of(file);
  const auto directory = os::facts_of(newborn.directory());
  if (!facts || !directory) {
    throw system_error(object(), "looking at the new file", std::max(facts.error, directory.error));
  }
  give_file_rights(file, rights.members_mode(), rights.group, directory.value, object());
  auto mapped = os::Mapping::of_file(file, size, os::Access::read_write);
  if (!mapped) throw system_error(object(), "mapping " + bytes_text(size), mapped.error);
  auto& header = *std::construct_at(reinterpret_cast<RegionHeader*>(mapped.value.data()));
  write_stamp(header, spec, size);
  spec.fill(mapped.value.data() + kRegionHeaderSize);
  identity_ = facts.value.identity;
  facts_ = facts_from(header);
  mapping_ = std::move(mapped.value);
  pages_ = os::GuardedPages(mapping_);
}

namespace {

// The satellites of an object that has no name yet, named already and taken back unless it gets
// one.
class SatelliteBirth {
 public:
  SatelliteBirth(const Domain& domain, const os::FileIdentity& object, std::string description)
      : domain_(domain), object_(object), description_(std::move(description)) {}
  SatelliteBirth(const SatelliteBirth&) = delete;
  SatelliteBirth& operator=(const SatelliteBirth&) = delete;
  ~SatelliteBirth() {
    if (kept_ || newborns_.empty()) return;
    remove_satellites(newborns_.front()->directory(), object_);
  }

  // False if the directory went away meanwhile.
  [[nodiscard]] bool add(const SatelliteSpec& satellite, const RegionSpec& main,
                         const FileRights& rights);
  void keep() noexcept { kept_ = true; }

 private:
  const Domain& domain_;
  os::FileIdentity object_;
  std::string description_;
  // Kept open, with their creator's locks, until the object has its name.
  std::vector<std::unique_ptr<Newborn>> newborns_;
  bool kept_ = false;
};

bool SatelliteBirth::add(const SatelliteSpec& satellite, const RegionSpec& main,
                         const FileRights& rights) {
  newborns_.push_back(std::make_unique<Newborn>(domain_, description_));
  Newborn& newborn = *newborns_.back();
  if (newborns_.size() == 1) {
    remove_lost_satellites(newborn.directory());
    remove_satellites(newborn.directory(), object_);  // a killed creator's, of the same number
  }
  const auto locked = os::try_lock(newborn.file(), RegionLock::kCreator, os::LockKind::exclusive);
  if (!locked) throw system_error(description_, "locking a new file", locked.error);
  RegionSpec spec;
  spec.kind = main.kind + "." + satellite.what;
  spec.fingerprint = main.fingerprint;
  spec.type_name = main.type_name;
  spec.content_size = satellite.content_size;
  spec.geometry = main.geometry;
  spec.geometry[kObjectInodeWord] = object_.inode;
  spec.lifetime = main.lifetime;
  const std::uint64_t size = region_file_size(spec.content_size, newborn.file());
  allocate(newborn.file(), spec, size, description_);
  const auto directory = os::facts_of(newborn.directory());
  if (!directory) throw system_error(description_, "looking at the directory", directory.error);
  give_file_rights(newborn.file(), satellite.mode, rights.group, directory.value, description_);
  // Unmapped again at the end: a mapping would keep the lock beyond the birth.
  auto mapped = os::Mapping::of_file(newborn.file(), size, os::Access::read_write);
  if (!mapped) throw system_error(description_, "mapping " + bytes_text(size), mapped.error);
  write_stamp(*std::construct_at(reinterpret_cast<RegionHeader*>(mapped.value.data())), spec, size);
  switch (newborn.publish(satellite_name(object_, satellite.what), description_)) {
    case Newborn::Published::yes:
      return true;
    case Newborn::Published::directory_gone:
      return false;
    case Newborn::Published::taken:
      break;
  }
  throw Error(Errc::in_use, {.object = description_,
                             .expected = "a free name for its " + std::string(satellite.what),
                             .found = "a file of somebody else's",
                             .remedy = "remove " + satellite_name(object_, satellite.what)});
}

void refuse_guests(const FileRights& rights, const RegionSpec& spec, const std::string& object) {
  if (!rights.has_guests() || spec.knows_guests()) return;
  throw Error(Errc::invalid_argument,
              {.object = object,
               .expected = "rw or nothing for each of owner, group and others",
               .found = "mode " + octal(rights.mode) + ", which lets some only read",
               .remedy = "share a region whole, or hand its values on by a channel, which guests "
                         "can read without a right to write"});
}

}  // namespace

// False if the directory went away meanwhile, and everything must begin anew.
bool MappedRegion::publish(Newborn& newborn) {
  for (int attempt = 0;; ++attempt) {
    const Newborn::Published published = newborn.publish(name_, object());
    if (published == Newborn::Published::yes) return true;
    if (published == Newborn::Published::directory_gone) return false;
    const os::ForkGuard no_forks;
    const auto taken = open_region_file(*domain_, name_, object());
    if (attempt < kAttemptsMax && (!taken || is_over(*taken))) {
      if (taken) retire(*taken, name_);
      continue;
    }
    throw Error(Errc::already_exists,
                {.object = object(),
                 .expected = "a free name",
                 .found = taken ? describe_users(*taken) : "one that comes and goes",
                 .remedy = "open it, or remove it with `kith rm " + name_ + "`"});
  }
}

std::optional<MappedRegion> MappedRegion::attempt_create(const Domain& domain,
                                                         const std::string& name,
                                                         const RegionSpec& spec) {
  MappedRegion region;
  region.domain_ = domain;
  region.name_ = name;
  region.process_mark_ = os::process_mark();
  Newborn newborn(domain, region.object());
  // Both locks before the name: nobody may find the region without its owner.
  const auto used = os::try_lock(newborn.file(), RegionLock::kUse, os::LockKind::shared);
  if (!used) throw system_error(region.object(), "locking the new file", used.error);
  region.take_creator_lock(newborn.file());
  const auto directory = os::facts_of(newborn.directory());
  if (!directory) throw system_error(region.object(), "looking at the domain", directory.error);
  const FileRights rights = file_rights(spec.rights, directory.value, region.object());
  refuse_guests(rights, spec, region.object());
  region.fill(newborn, spec, rights);
  SatelliteBirth satellites(domain, region.identity_, region.object());
  if (spec.knows_guests()) {
    for (const SatelliteSpec& satellite : spec.satellites(rights)) {
      if (!satellites.add(satellite, spec, rights)) return std::nullopt;
    }
  }
  if (!region.publish(newborn)) return std::nullopt;
  satellites.keep();
  region.created_here_ = true;
  if (!os::mapping_keeps_locks(newborn.file())) region.kept_ = newborn.keep_file();
  return region;
}

MappedRegion MappedRegion::create(const Domain& domain, const std::string& name,
                                  const RegionSpec& spec) {
  check_name(spec.kind, name);
  if (spec.content_size > kRegionSizeMax - kRegionHeaderSize) {
    throw Error(Errc::invalid_argument, {.object = describe_object("region", name, domain.path()),
                                         .expected = "at most " + bytes_text(kRegionSizeMax),
                                         .found = bytes_text(spec.content_size),
                                         .remedy = {}});
  }
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    if (auto region = attempt_create(domain, name, spec)) return std::move(*region);
  }
  throw Error(Errc::not_found, {.object = "domain " + domain.path(),
                                .expected = "a directory that stays",
                                .found = "one that is removed again and again",
                                .remedy = "look for who removes it"});
}

std::optional<MappedRegion> MappedRegion::attempt_open(const Domain& domain,
                                                       const std::string& name,
                                                       const RegionSpec& spec) {
  const os::ForkGuard no_forks;  // a child born now would keep the use lock of a failed attempt
  MappedRegion region;
  region.domain_ = domain;
  region.name_ = name;
  const std::string object = region.object();
  auto found = open_region_file(domain, name, object);
  if (!found) return std::nullopt;
  if (is_over(*found)) {
    retire(*found, name);
    return std::nullopt;
  }
  // Before any lock: who is refused must not be in the way of the last member's leaving.
  require_stamp(found->facts, spec, object);
  const auto others =
      os::is_locked_elsewhere(found->file, RegionLock::kUse, os::LockKind::exclusive);
  const auto used = os::try_lock(found->file, RegionLock::kUse, os::LockKind::shared);
  if (!used || !others) {
    throw system_error(object, "locking it for use", std::max(used.error, others.error));
  }
  if (used.value == os::Locked::refused) return std::nullopt;  // a remover is at work
  if (is_over(*found)) {
    retire(*found, name);
    return std::nullopt;
  }
  if (!name_stands_for(found->directory, name, found->identity)) return std::nullopt;
  region.facts_ = std::move(found->facts);
  region.identity_ = found->identity;
  region.found_in_use_ = others.value;
  region.process_mark_ = os::process_mark();
  try {
    region.map(found->file);
  } catch (const Error&) {
    found->file.close();  // gives the use lock back, and with it the duty of the last to leave
    region.end_life(region.facts_.lifetime, false);
    throw;
  }
  if (!os::mapping_keeps_locks(found->file)) {
    region.kept_ = std::move(found->file);
  }
  return region;
}

std::optional<MappedRegion> MappedRegion::observe(const Domain& domain, const std::string& name) {
  check_name("object", name);
  return observe_file(domain, name);
}

std::optional<MappedRegion> MappedRegion::observe_members(const Domain& domain) {
  return observe_file(domain, kMembersName);
}

std::optional<MappedRegion> MappedRegion::observe_file(const Domain& domain,
                                                       const std::string& name) {
  const os::ForkGuard no_forks;
  MappedRegion region;
  region.domain_ = domain;
  region.name_ = name;
  region.observes_ = true;
  region.process_mark_ = os::process_mark();
  auto found = open_region_file(domain, name, region.object());
  if (!found) return std::nullopt;
  if (is_over(*found)) {
    retire(*found, name);
    return std::nullopt;
  }
  region.facts_ = std::move(found->facts);
  region.identity_ = found->identity;
  region.map(found->file);
  return region;
}

MappedRegion MappedRegion::open(const Domain& domain, const std::string& name,
                                const RegionSpec& spec, Deadline deadline) {
  check_name(spec.kind, name);
  for (auto pause = 100us;; pause = std::min(pause * 2, 5000us)) {
    if (auto region = attempt_open(domain, name, spec)) return std::move(*region);
    if (deadline.has_passed()) break;
    os::pause_for(pause, deadline);
  }
  const bool waited = deadline != Deadline::now();
  throw Error(waited ? Errc::timed_out : Errc::not_found,
              {.object = describe_object(spec.kind, name, domain.path()),
               .expected = "an object of this name",
               .found = waited ? "none before the deadline" : "none",
               .remedy = "start the program that creates it, or see `kith ls` for what is there; "
                         "if it was there before, somebody removed it (systemd's RemoveIPC removes "
                         "a user's shared memory at logout)"});
}

MappedRegion MappedRegion::open_or_create(const Domain& domain, const std::string& name,
                                          const RegionSpec& spec, Deadline deadline) {
  check_name(spec.kind, name);
  // Before looking into it: whoever made it may have been killed before it was shared.
  if (domain.options().rights.are_given()) static_cast<void>(domain.open_or_create());
  const Deadline patience = std::max(deadline, Deadline::after(kRacePatience));
  for (auto pause = 20us;; pause = std::min(pause * 2, 5000us)) {
    if (auto region = attempt_open(domain, name, spec)) return std::move(*region);
    try {
      // A name that is there and does not open is being removed: no need to fill a region for it.
      const bool being_removed = os::facts_of_path(domain.path() + "/" + name).error == 0;
      if (!being_removed || patience.has_passed()) return create(domain, name, spec);
    } catch (const Error& error) {
      // Somebody else created it in between: open theirs, as everybody does.
      if (error.errc() != Errc::already_exists || patience.has_passed()) throw;
    }
    os::pause_for(pause, patience);
  }
}

bool MappedRegion::is_orphaned() const noexcept {
  KITH_REQUIRE(mapping_, "a closed region has no name to lose");
  const auto* header = reinterpret_cast<const RegionHeader*>(mapping_.data());
  // relaxed: it says nothing but this.
  // equivalent if remembered: then the look at the name tells.
  if (header->retired.load(std::memory_order_relaxed) != 0) return true;
  const auto directory = os::open_directory(domain_->path());
  // Out of descriptors, we do not know; then the region counts as present.
  if (!directory) return directory.error == ENOENT || directory.error == ENOTDIR;
  // Not by opening it: a link or a directory in its place cannot be opened, and is not it.
  const auto facts = os::facts_at(directory.value, name_);
  if (!facts) return facts.error == ENOENT;
  if (facts.value.identity != identity_) return true;
  if (facts_.lifetime != static_cast<std::uint32_t>(Lifetime::while_creator_lives)) return false;
  const auto file = os::open_at(directory.value, name_, os::Access::read_write);
  if (!file) return file.error == ENOENT;
  const auto creator =
      os::is_locked_elsewhere(file.value, RegionLock::kCreator, os::LockKind::exclusive);
  return creator && !creator.value;
}

os::Descriptor MappedRegion::reopen() const {
  auto found = open_region_file(*domain_, name_, object());
  if (found && found->identity == identity_) return std::move(found->file);
  throw Error(Errc::orphaned, {.object = object(),
                               .expected = "the file this handle was opened on",
                               .found = found ? "a newer one" : "none of that name",
                               .remedy = "open it anew"});
}

void MappedRegion::end_life(std::uint32_t lifetime, bool creator) const noexcept {
  try {
    const bool last_leaves = lifetime == static_cast<std::uint32_t>(Lifetime::until_last_member);
    const bool creator_leaves =
        creator && lifetime == static_cast<std::uint32_t>(Lifetime::while_creator_lives);
    if (!last_leaves && !creator_leaves) return;
    const Force force = creator_leaves ? Force::yes : Force::no;
    // Only who removed something can have left the domain empty; to look is to list all of it.
    if (remove_region(*domain_, name_, force, &identity_) == Removal::removed) {
      tidy_domain(*domain_);
    }
  } catch (const std::exception&) {
    // What closing cannot remove, the next opener or `kith clean` does: the same as after a kill.
  }
}

void MappedRegion::close() noexcept {
  if (!mapping_) return;
  const bool in_child = process_mark_ != os::process_mark();
  if (in_child) creator_lock_.forget_in_child();
  const bool creator = created_here_ && !in_child;
  pages_.end();
  mapping_.unmap();  // drops the use lock
  kept_.close();
  if (!observes_) end_life(facts_.lifetime, creator);
  creator_lock_ = os::HeldLock();
}

}  // namespace kith::internal
