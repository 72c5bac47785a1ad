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
      subject<RegionWorld>("region: its place is taken twice",
                           two(replace, replace, true, Lifetime::until_removed), 2, 0),
      subject<RegionWorld>("region: two administer",
                           two(administer, administer, true, Lifetime::until_removed), 2, 1),
      subject<RegionWorld>("region: listed while its directory goes",
                           two(list, remove_directory, false, Lifetime::until_removed), 2, 0),
      subject<RegionWorld>("region: opened by one who forks",
                           RegionSetting{.deeds = {open, remove}, .is_there = true, .forks = 1}, 1,
                           1),
      subject<RegionWorld>("region: created over a dead creator's",
                           RegionSetting{.deeds = {create, open},
                                         .lifetime = Lifetime::while_creator_lives,
                                         .is_there = true,
                                         .creator_is_dead = true},
                           2, 0),
  };
}

namespace {

// One process, in what it finds, and with children.
std::vector<Subject> lonely_regions() {
  using enum Deed;
  using enum Lifetime;
  return {
      subject<RegionWorld>("alone, no directory",
                           RegionSetting{.deeds = {open_or_create}, .has_directory = false}, 0, 0),
      subject<RegionWorld>("list", RegionSetting{.deeds = {list, create}}, 1, 0),
      subject<RegionWorld>("list, remove", RegionSetting{.deeds = {list, remove_directory}}, 1, 0),
      subject<RegionWorld>("remove", RegionSetting{.deeds = {remove}, .is_there = true}, 0, 0),
      subject<RegionWorld>("fork: open",
                           RegionSetting{.deeds = {open}, .is_there = true, .forks = 1}, 0, 0),
      subject<RegionWorld>("fork: administer",
                           RegionSetting{.deeds = {administer}, .is_there = true, .forks = 1}, 0,
                           0),
      subject<RegionWorld>(
          "fork: create",
          RegionSetting{.deeds = {create}, .lifetime = while_creator_lives, .forks = 1}, 0, 0),
      subject<RegionWorld>("fork: remove",
                           RegionSetting{.deeds = {remove}, .is_there = true, .forks = 1}, 0, 0),
      subject<RegionWorld>("fork: create what is there",
                           RegionSetting{.deeds = {create}, .is_there = true, .forks = 1}, 0, 0),
      subject<RegionWorld>("create over the dead",
                           RegionSetting{.deeds = {create},
                                         .lifetime = while_creator_lives,
                                         .is_there = true,
                                         .creator_is_dead = true},
                           0, 0),
      subject<RegionWorld>("fork: create over the dead",
                           RegionSetting{.deeds = {create},
                                         .lifetime = while_creator_lives,
                                         .is_there = true,
                                         .creator_is_dead = true,
                                         .forks = 1},
                           0, 0),
  };
}

}  // namespace

MutationTarget region_target() {
  using enum Deed;
  using enum Lifetime;
  MutationTarget target{"regions", "kith/region/", lonely_regions(), "kith/os/"};
  const std::vector<Subject> together = {
      subject<RegionWorld>("open against remove",
                           RegionSetting{.deeds = {open, remove}, .is_there = true}, 2, 1),
      subject<RegionWorld>(
          "administer", RegionSetting{.deeds = {administer, administer}, .is_there = true}, 1, 0),
      subject<RegionWorld>("open against open",
                           RegionSetting{.deeds = {open, open}, .is_there = true}, 1, 0),
      subject<RegionWorld>("create against create", RegionSetting{.deeds = {create, create}}, 1, 1),
      subject<RegionWorld>("creator against opener",
                           RegionSetting{.deeds = {create, open}, .lifetime = while_creator_lives},
                           1, 1),
      subject<RegionWorld>(
          "last leaves",
          RegionSetting{.deeds = {open_or_create, open_or_create}, .lifetime = until_last_member},
          1, 0),
      subject<RegionWorld>("open_or_create against remove",
                           RegionSetting{.deeds = {open_or_create, remove}, .is_there = true}, 2,
                           0),
      subject<RegionWorld>("replace", RegionSetting{.deeds = {replace, replace}, .is_there = true},
                           2, 0),
  };
  target.subjects.insert(target.subjects.end(), together.begin(), together.end());
  return target;
}

}  // namespace kith::explored
