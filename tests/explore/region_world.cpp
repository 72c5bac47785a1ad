#include "tests/explore/region_world.hpp"

#include <cstring>

#include "kith/base/error.hpp"

namespace kith::explored {

using internal::MappedRegion;
using internal::RegionSpec;
using testkit::explore::fail;
using testkit::explore::require;

namespace {

constexpr std::uint64_t kFilled = 0x6B697468;

struct FilledSpec final : RegionSpec {
  explicit FilledSpec(Lifetime how_long) {
    kind = "bytes";
    content_size = 64;
    lifetime = how_long;
  }
  void fill(std::byte* content) const override { std::memcpy(content, &kFilled, sizeof kFilled); }
};

// What losing a race may say.
bool is_expected(Deed deed, Errc code) {
  switch (deed) {
    case Deed::create:
      return code == Errc::already_exists;
    case Deed::open:
      return code == Errc::not_found;
    default:
      return false;
  }
}

}  // namespace

RegionWorld::RegionWorld(const RegionSetting& setting) : setting_(setting) {
  kernel_.make_directory("/d");
  if (setting.is_there) {
    FilledSpec spec(setting.lifetime);
    static_cast<void>(MappedRegion::create(domain(), kName, spec));
  }
  for (std::size_t i = 0; i < setting.deeds.size(); ++i) {
    const Deed deed = setting.deeds[i];
    const Work work = [this, i, deed] { RegionWorld::act(i, deed); };
    process("process " + std::to_string(i), work, work);
  }
}

// The library keeps what it knows once for a process and a path: each process has its own path.
Domain RegionWorld::domain() const {
  return Domain::at("/as/" + std::to_string(testkit::explore::Kernel::current().process_number()) +
                    "/d");
}

void RegionWorld::act(std::size_t process, Deed deed) {
  try {
    carry_out(process, deed);
  } catch (const Error& error) {
    if (!is_expected(deed, error.errc())) fail(std::string("threw ") + error.what());
  }
}

void RegionWorld::carry_out(std::size_t process, Deed deed) {
  FilledSpec spec(setting_.lifetime);
  switch (deed) {
    case Deed::create:
      return hold(process, MappedRegion::create(domain(), kName, spec));
    case Deed::open_or_create:
      return hold(process, MappedRegion::open_or_create(domain(), kName, spec, Deadline::now()));
    case Deed::open:
      return hold(process, MappedRegion::open(domain(), kName, spec, Deadline::now()));
    case Deed::remove_by_force:
      was_forced_ = true;
      static_cast<void>(internal::remove_region(domain(), kName, Force::yes));
      return;
    case Deed::remove:
      static_cast<void>(internal::remove_region(domain(), kName, Force::no));
      return;
  }
}

void RegionWorld::hold(std::size_t process, MappedRegion region) {
  std::uint64_t content = 0;
  std::memcpy(&content, region.content(), sizeof content);
  require(content == kFilled, "it was given a region that is not filled");
  const std::uint64_t inode = region.identity().inode;
  for (const auto& [other, others] : held_) {
    // By force a name is taken from those who hold it.
    require(was_forced_ || others == inode, "two files of one name are held");
  }
  held_[process] = inode;
  testkit::explore::act();
  held_.erase(process);
  region.close();
}

void RegionWorld::at_end() {
  require(kernel_.locks_held() == 0, "a lock is left");
  const std::vector<std::string> names = kernel_.names_in("/d");
  require(names.size() <= 1, "more names are left than were made");
  require(kernel_.files() == names.size(), "a file without a name is left");
}

void RegionWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  note(was_forced_);
  for (const auto& [process, inode] : held_) note(process * 1000 + inode);
}

}  // namespace kith::explored
