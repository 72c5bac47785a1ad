#include "tests/explore/region_world.hpp"

#include <algorithm>
#include <cstring>

#include "kith/base/error.hpp"

#include "testkit/explore/internal/hash.hpp"

namespace kith::explored {

using internal::MappedRegion;
using internal::RegionSpec;
using testkit::explore::fail;
using testkit::explore::kProcessesMax;
using testkit::explore::require;

namespace {

constexpr std::uint64_t kFilled = 0x6B697468;
constexpr std::uint32_t kMode = 0660;
// Who made what is there at the beginning.
constexpr std::size_t kMaker = kProcessesMax - 1;

struct FilledSpec final : RegionSpec {
  explicit FilledSpec(Lifetime how_long) {
    kind = "bytes";
    content_size = 64;
    lifetime = how_long;
    rights.mode = kMode;
  }
  void fill(std::byte* content) const override { std::memcpy(content, &kFilled, sizeof kFilled); }
};

// What losing a race may say.
bool is_expected(Deed deed, Errc code) {
  switch (deed) {
    case Deed::create:
    case Deed::replace:
      return code == Errc::already_exists;
    case Deed::open:
    case Deed::administer:
      return code == Errc::not_found;
    default:
      return false;
  }
}

bool says(const Error& error, const char* what) {
  return std::string(error.what()).find(what) != std::string::npos;
}

}  // namespace

RegionWorld::RegionWorld(const RegionSetting& setting) : setting_(setting) {
  if (setting.has_directory) kernel_.make_directory("/d");
  if (setting.is_there) set_up_region();
  kernel_.let_fork(setting.forks);
  for (std::size_t i = 0; i < setting.deeds.size(); ++i) {
    const Deed deed = setting.deeds[i];
    const Work work = [this, i, deed] { RegionWorld::act(i, deed); };
    process("process " + std::to_string(i), work, work);
  }
}

void RegionWorld::set_up_region() {
  const FilledSpec spec(setting_.lifetime);
  kernel_.set_up_as(kMaker);
  MappedRegion region = MappedRegion::create(domain(), kName, spec);
  first_ = region.identity().inode;
  if (setting_.creator_is_dead) {
    kernel_.end_process(kMaker);
    if (setting_.lifetime == Lifetime::while_creator_lives) over_.insert(first_);
  }
  // Closed by another process than its own, it is only forgotten.
  if (setting_.creator_is_dead) kernel_.set_up_as(kProcessesMax);
  region.close();
  kernel_.set_up_as(kProcessesMax);
}

// The library keeps what it knows once for a process and a path: each process has its own path.
Domain RegionWorld::domain() const {
  return Domain::at("/as/" + std::to_string(testkit::explore::Kernel::current().process_number()) +
                    "/d");
}

void RegionWorld::died(std::size_t process) {
  held_.erase(process);
  busy_.erase(process);
  alone_.erase(process);
  administers_.erase(process);
  if (setting_.lifetime != Lifetime::while_creator_lives) return;
  for (const auto& [inode, creator] : creators_) {
    if (creator == process) over_.insert(inode);
  }
  // What has a name before its creator knows may be over with it.
  if (!creators_.contains(named())) leaving_.insert(named());
  for (const auto& [other, inode] : held_) {
    if (!creators_.contains(inode)) leaving_.insert(inode);
  }
}

RegionWorld::Before RegionWorld::before(std::size_t process) {
  if (busy_.size() == 1) alone_.insert(process);
  for (const auto& [other, inode] : held_) remember(process, other * 1000 + inode);
  for (const std::uint64_t inode : over_) remember(process, inode);
  remember(process, named());
  return {held_, over_, named()};
}

// Part of the model's state, since no call told the process.
void RegionWorld::remember(std::size_t process, std::uint64_t what) {
  knew_[process] = testkit::explore::internal::mixed(knew_[process], what);
}

bool RegionWorld::is_safe(std::uint64_t inode) const {
  return !was_forced_ && !(first_was_forced_ && inode == first_) && !over_.contains(inode) &&
         !leaving_.contains(inode);
}

void RegionWorld::act(std::size_t process, Deed deed) {
  alone_.clear();
  knew_.erase(process);
  busy_.insert(process);
  try {
    carry_out(process, deed);
  } catch (const Error& error) {
    if (!is_expected(deed, error.errc())) fail(std::string("threw ") + error.what());
  }
  require(kernel_.held_by(process) == 0, "who is done has something open");
  busy_.erase(process);
  alone_.erase(process);
}

void RegionWorld::carry_out(std::size_t process, Deed deed) {
  const FilledSpec spec(setting_.lifetime);
  const os::FileIdentity first{1, first_};  // as the model's file systems number them
  const Before now = before(process);
  switch (deed) {
    case Deed::replace:
      first_was_forced_ = true;
      static_cast<void>(internal::remove_region(domain(), kName, Force::yes, &first));
      return create(process, before(process));
    case Deed::create:
      return create(process, now);
    case Deed::open_or_create:
      return open_or_create(process, now);
    case Deed::open:
      return hold(process, MappedRegion::open(domain(), kName, spec, Deadline::now()), now);
    case Deed::remove_by_force:
      was_forced_ = true;
      return remove(process, Force::yes, now);
    case Deed::remove:
      return remove(process, Force::no, now);
    case Deed::administer:
      return administer(process);
    case Deed::list:
      return list();
    case Deed::remove_directory:
      static_cast<void>(kernel_.remove_directory("/d"));
      return;
  }
}

void RegionWorld::create(std::size_t process, const Before& before) {
  try {
    MappedRegion region = MappedRegion::create(domain(), kName, FilledSpec(setting_.lifetime));
    creators_[region.identity().inode] = process;
    hold(process, std::move(region), before);
  } catch (const Error& error) {
    if (error.errc() != Errc::already_exists) throw;
    require(!was_alone(process) || !before.over.contains(before.named),
            "what a dead creator left is in the way");
    for (const auto& [other, inode] : before.held) {
      const auto now = held_.find(other);
      if (now == held_.end() || now->second != inode || inode != before.named) continue;
      require(says(error, "in use"), "a region in use is said not to be");
      const auto creator = creators_.find(inode);
      const bool lives = creator != creators_.end() && creator->second == other;
      require(!lives || says(error, "is alive"), "a living creator is said to be dead");
    }
    throw;
  }
}

void RegionWorld::open_or_create(std::size_t process, const Before& before) {
  const FilledSpec spec(setting_.lifetime);
  const std::int64_t began = kernel_.now();
  MappedRegion region = MappedRegion::open_or_create(domain(), kName, spec, Deadline::now());
  require(kernel_.now() - began < 500'000'000, "it waits for what has happened");
  if (region.created_here()) creators_[region.identity().inode] = process;
  hold(process, std::move(region), before);
}

void RegionWorld::remove(std::size_t process, Force force, const Before& before) {
  const Removal removal = internal::remove_region(domain(), kName, force);
  if (!was_alone(process)) return;
  require(named() == 0 || !held_.empty() || kernel_.has_children(), "what nobody uses is kept");
  require((removal == Removal::removed) == (before.named != 0 && named() == 0),
          "it is said to be removed, and is not");
}

void RegionWorld::administer(std::size_t process) {
  static_cast<void>(before(process));
  MappedRegion region =
      MappedRegion::open(domain(), kName, FilledSpec(setting_.lifetime), Deadline::now());
  const std::uint64_t inode = region.identity().inode;
  held_[process] = inode;
  {
    const internal::AdminLock lock(domain(), kName, region.identity(), Deadline::now());
    if (lock.answer() == internal::AdminLock::Answer::held) {
      require(administers_.empty(), "two administer");
      administers_.insert(process);
      kernel_.pause_until(kernel_.now());  // others may go on meanwhile
      administers_.erase(process);
    } else if (lock.answer() == internal::AdminLock::Answer::orphaned) {
      require(!is_safe(inode), "a region that has its name is said to have lost it");
    } else {
      require(!was_alone(process) || kernel_.has_children(), "a lock that nobody holds is refused");
    }
  }
  close(process, region);
}

void RegionWorld::list() {
  const Domain here = domain();
  for (int turn = 0; turn < 2; ++turn) {
    const bool was_there = kernel_.is_directory("/d");
    const bool exists = here.exists();
    const bool is_there = kernel_.is_directory("/d");
    require(exists ? was_there || is_there : !was_there || !is_there, "a directory is missed");
    const std::uint64_t before = named();
    const std::vector<std::string> names = here.names();
    const std::uint64_t after = named();
    const bool listed = std::find(names.begin(), names.end(), kName) != names.end();
    require(listed || before == 0 || before != after, "a name is missed");
    require(!listed || before != 0 || after != 0, "a name is listed that is not there");
  }
}

void RegionWorld::hold(std::size_t process, MappedRegion region, const Before& before) {
  std::uint64_t content = 0;
  std::memcpy(&content, region.content(), sizeof content);
  require(content == kFilled, "it was given a region that is not filled");
  require_attached(process, region, before);
  const std::uint64_t inode = region.identity().inode;
  held_[process] = inode;
  testkit::explore::act();
  ask(process, region);
  close(process, region);
}

void RegionWorld::require_attached(std::size_t process, const MappedRegion& region,
                                   const Before& before) {
  const std::uint64_t inode = region.identity().inode;
  require(!before.over.contains(inode), "it was given what a dead creator left");
  for (const auto& [other, others] : held_) {
    // By force a name is taken from those who hold it.
    require(!is_safe(others) || others == inode, "two files of one name are held");
    const auto held = before.held.find(other);
    const bool all_along = held != before.held.end() && held->second == inode && others == inode;
    require(other == process || !all_along || region.found_in_use(),
            "others who are attached are not noticed");
  }
}

void RegionWorld::ask(std::size_t process, const MappedRegion& region) {
  const std::uint64_t inode = region.identity().inode;
  const testkit::explore::Kernel::File file = kernel_.file_at("/d", kName);
  require(!is_safe(inode) || file.inode == inode, "a region that is held lost its name");
  require(file.inode != inode || file.mode == kMode,
          "others have not the rights that they were given");
  const bool was_over = file.inode != inode || over_.contains(inode);
  remember(process, was_over);
  const bool orphaned = region.is_orphaned();
  require(orphaned || !was_over, "a region that is over is said not to be");
  require(!orphaned || named() != inode || !is_safe(inode),
          "a region that has its name is said to have lost it");
}

void RegionWorld::close(std::size_t process, MappedRegion& region) {
  const std::uint64_t inode = region.identity().inode;
  static_cast<void>(before(process));
  held_.erase(process);
  const auto creator = creators_.find(inode);
  const bool is_mine = setting_.lifetime == Lifetime::while_creator_lives &&
                       creator != creators_.end() && creator->second == process;
  if (is_mine) leaving_.insert(inode);
  region.close();
  if (is_mine) over_.insert(inode);
  require(!is_mine || named() != inode, "a creator left, and its region did not");
  const bool is_last = held_.empty() && was_alone(process) && !kernel_.has_children();
  require(setting_.lifetime != Lifetime::until_last_member || !is_last || named() != inode,
          "the last left, and the region did not");
}

void RegionWorld::at_end() {
  // A child uses what it was born with, and holds nothing else.
  require(kernel_.locks_held_but_shared(internal::RegionLock::kUse) == 0, "a child keeps a lock");
  require(kernel_.locks_in_children() == 0, "a child keeps a region in use that it has not");
  kernel_.end_children();
  require(kernel_.locks_held() == 0, "a lock is left");
  const std::vector<std::string> names = kernel_.names_in("/d");
  require(names.size() <= 1, "more names are left than were made");
  require(kernel_.files() == names.size(), "a file without a name is left");
}

void RegionWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  note(was_forced_ * 2 + first_was_forced_);
  for (const auto& [process, inode] : held_) note(process * 1000 + inode);
  for (const auto& [inode, process] : creators_) note(inode * 16 + process);
  for (const std::uint64_t inode : over_) note(inode);
  for (const std::uint64_t inode : leaving_) note(inode + 500);
  for (const auto& [process, hash] : knew_) note(process + hash);
  for (const std::size_t process : alone_) note(process + 300);
  for (const std::size_t process : busy_) note(process + 100);
  for (const std::size_t process : administers_) note(process + 200);
}

}  // namespace kith::explored
