#include "tests/explore/member_world.hpp"
#include "tests/explore/subjects.hpp"

namespace kith::explored {
namespace {

using explore::Bounds;

Subject subject(std::string name, const MemberSetting& setting, std::uint32_t preemptions,
                std::uint32_t deaths, bool in_brief = true) {
  Bounds bounds;
  bounds.preemptions = preemptions;
  bounds.deaths = deaths;
  return {
      std::move(name), bounds,
      [setting](const Bounds& within) { return explore::explore<MemberWorld>(within, setting); },
      in_brief};
}

}  // namespace

std::vector<Subject> member_subjects() {
  return {
      subject("members: two live and die",
              MemberSetting{.members = 2, .returns = true, .closes = false}, 1, 1),
      subject("members: one lives, one reaps",
              MemberSetting{.members = 1, .reapers = 1, .returns = true, .closes = false}, 1, 1),
      subject("members: one forks, and dies before its child",
              MemberSetting{.members = 2, .forks = 1, .returns = true, .closes = false}, 0, 1),
      subject("members: two live and die, a reaper dies over them",
              MemberSetting{.members = 2, .reapers = 1, .returns = true, .closes = false}, 0, 2),
      subject("members: one lives, two reap",
              MemberSetting{.members = 1, .reapers = 2, .returns = true, .closes = false}, 1, 1,
              false),
      subject("members: one lives, one reaps, and both may die",
              MemberSetting{.members = 1, .reapers = 1, .returns = true, .closes = false}, 1, 2,
              false),
      subject("members: one lives, one reaps, at any two moments",
              MemberSetting{.members = 1, .reapers = 1, .returns = true, .closes = false}, 2, 1,
              false),
  };
}

namespace {

// One after the other, for the most part.
std::vector<Subject> living_and_dead() {
  return {
      subject("dead", {.members = 0, .dead = 2}, 0, 0),
      subject("full table", {.members = 1, .places = 1, .left = 1}, 0, 1),
      subject("fork", {.members = 1, .forks = 1, .dead = 1}, 0, 1),
      subject("returns",
              {.members = 1, .reapers = 1, .sleeps = true, .returns = true, .closes = false}, 0, 1),
      subject("two passes, left", {.members = 1, .reapers = 1, .left = 2, .sleeps = true}, 0, 1),
      subject("one lives, one reaps", {.members = 1, .reapers = 1, .left = 1}, 1, 0),
      subject("two passes",
              {.members = 1, .reapers = 1, .dead = 2, .sleeps = true, .replaces = true}, 0, 1),
      subject("two lives", {.members = 2, .places = 2, .lives = 2, .sleeps = true}, 0, 1),
      subject("another life",
              {.members = 1,
               .reapers = 1,
               .left = 1,
               .lives = 2,
               .sleeps = true,
               .part = Part::sits_and_dies},
              0, 1),
      subject("fork, reaper", {.members = 1, .reapers = 1, .forks = 1, .sleeps = true}, 0, 1),
  };
}

}  // namespace

MutationTarget member_target() {
  const auto weak = [](const char* name, const MemberSetting& setting, std::uint32_t preemptions) {
    Subject made = subject(name, setting, preemptions, 0);
    made.bounds.memory = explore::Memory::weak;
    made.bounds.stale_reads = 1;
    return made;
  };
  Subject comes = subject(
      "comes and goes",
      {.members = 1, .dead = 1, .part = Part::comes_and_goes, .only_joins = true, .closes = false},
      3, 0);
  comes.bounds.spurious_wakes = 2;
  MutationTarget target{"members", "kith/member/", living_and_dead(), "kith/os/"};
  const std::vector<Subject> met = {
      subject("count",
              {.members = 1,
               .left = 1,
               .part = Part::raises_count,
               .only_joins = true,
               .closes = false},
              2, 0),
      weak("sits down",
           {.members = 1, .dead = 1, .part = Part::sits_down, .only_joins = true, .closes = false},
           2),
      weak("is reaped",
           {.members = 1, .left = 1, .part = Part::is_reaped, .only_joins = true, .closes = false},
           3),
      weak("leaves", {.members = 1, .reapers = 1, .left = 1, .closes = false}, 2),
      subject("over the dead",
              {.members = 2, .dead = 1, .sleeps = true, .only_joins = true, .closes = false}, 1, 0),
      comes,
  };
  for (const Subject& one : met) {
    target.subjects.push_back(one);
    target.subjects.back().in_brief = false;
  }
  return target;
}

}  // namespace kith::explored
