#include "tests/explore/member_world.hpp"
#include "tests/explore/region_world.hpp"
#include "tests/explore/subjects.hpp"

namespace kith::explored {
namespace {

using explore::Bounds;

template <class World, class Setting>
Subject subject(std::string name, const Setting& setting, std::uint32_t preemptions,
                std::uint32_t deaths, bool in_brief = true) {
  Bounds bounds;
  bounds.preemptions = preemptions;
  bounds.deaths = deaths;
  return {std::move(name), bounds,
          [setting](const Bounds& within) { return explore::explore<World>(within, setting); },
          in_brief};
}

}  // namespace

std::vector<Subject> region_subjects() {
  using enum Deed;
  const auto two = [](Deed first, Deed second, bool is_there, Lifetime lifetime) {
    return RegionSetting{.deeds = {first, second}, .lifetime = lifetime, .is_there = is_there};
  };
  return {
      subject<RegionWorld>("region: create against create",
                           two(create, create, false, Lifetime::until_removed), 2, 1),
      subject<RegionWorld>("region: open_or_create against itself",
                           two(open_or_create, open_or_create, false, Lifetime::until_removed), 2,
                           1),
      subject<RegionWorld>("region: open_or_create against removal",
                           two(open_or_create, remove, true, Lifetime::until_removed), 2, 1),
      subject<RegionWorld>("region: the last of two leaves",
                           two(open_or_create, open_or_create, false, Lifetime::until_last_member),
                           2, 1),
      subject<RegionWorld>("region: its creator dies",
                           two(create, open, false, Lifetime::while_creator_lives), 2, 1),
      subject<RegionWorld>("region: removal by force against itself",
                           two(remove_by_force, remove_by_force, true, Lifetime::until_removed), 2,
                           1),
  };
}

std::vector<Subject> member_subjects() {
  return {
      subject<MemberWorld>("members: two live and die", MemberSetting{.members = 2}, 1, 1),
      subject<MemberWorld>("members: one lives, one reaps",
                           MemberSetting{.members = 1, .reapers = 1}, 1, 1),
      subject<MemberWorld>("members: one forks, and dies before its child",
                           MemberSetting{.members = 2, .forks = 1}, 0, 1),
      subject<MemberWorld>("members: two live and die, a reaper dies over them",
                           MemberSetting{.members = 2, .reapers = 1}, 0, 2),
      subject<MemberWorld>("members: one lives, two reap",
                           MemberSetting{.members = 1, .reapers = 2}, 1, 1, false),
      subject<MemberWorld>("members: one lives, one reaps, and both may die",
                           MemberSetting{.members = 1, .reapers = 1}, 1, 2, false),
      subject<MemberWorld>("members: one lives, one reaps, at any two moments",
                           MemberSetting{.members = 1, .reapers = 1}, 2, 1, false),
  };
}

}  // namespace kith::explored
