#include <atomic>
#include <memory>
#include <optional>

#include "kith/base/error.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"

#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

struct Robot {
  std::atomic<std::int64_t> speed = 3;
  std::atomic<std::int64_t> heading = 4;
};

bool is_whole(const Region<Robot>& robot) {
  return robot->speed.load(std::memory_order_relaxed) == 3 &&
         robot->heading.load(std::memory_order_relaxed) == 4;
}

RegionOptions with(Lifetime lifetime) {
  return {.lifetime = lifetime, .deadline = Deadline::after(1s)};
}

// Whatever the victim left: the name opens or can be created, whole, and again.
std::string usable(const World& world, Lifetime lifetime) {
  for (int round = 0; round < 2; ++round) {
    const auto robot = Region<Robot>::open_or_create(world.domain(), "robot", with(lifetime));
    if (!is_whole(robot)) return "a region that is not whole can be seen";
    if (robot.is_orphaned()) return "a region just opened is orphaned";
  }
  return {};
}

void create(const World& world, Lifetime lifetime) {
  static_cast<void>(Region<Robot>::create(world.domain(), "robot", with(lifetime)));
}

Subject region_subject(const World& world, const std::string& name, Lifetime lifetime) {
  Subject subject = world.subject(name);
  subject.survivor = [world, lifetime] { return usable(world, lifetime); };
  subject.restart = subject.survivor;
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

Subject create_subject(const World& world) {
  Subject subject = region_subject(world, "region create", Lifetime::until_removed);
  subject.operation = [world] {
    // Kept: what the destructor does is another subject.
    new Region<Robot>(
        Region<Robot>::create(world.domain(), "robot", with(Lifetime::until_removed)));
  };
  return subject;
}

Subject open_subject(const World& world) {
  Subject subject = region_subject(world, "region open", Lifetime::until_removed);
  subject.prepare = [world] { create(world, Lifetime::until_removed); };
  subject.operation = [world] { new Region<Robot>(Region<Robot>::open(world.domain(), "robot")); };
  return subject;
}

Subject remove_subject(const World& world) {
  Subject subject = region_subject(world, "region remove", Lifetime::until_removed);
  subject.prepare = [world] { create(world, Lifetime::until_removed); };
  subject.operation = [world] {
    static_cast<void>(remove_object(world.domain(), "robot", Force::no));
  };
  return subject;
}

Subject remove_by_force_subject(const World& world) {
  Subject subject = region_subject(world, "region remove --force", Lifetime::until_removed);
  subject.prepare = [world] { create(world, Lifetime::until_removed); };
  // Attached all the while, in a process of its own that lives on.
  subject.bystander = [world] { new Region<Robot>(Region<Robot>::open(world.domain(), "robot")); };
  subject.operation = [world] {
    static_cast<void>(remove_object(world.domain(), "robot", Force::yes));
  };
  // The bystander may still hold the old one, so the end is by force.
  subject.balance = [world] {
    const Removal removal = remove_object(world.domain(), "robot", Force::yes);
    return demand(removal == Removal::removed, "the region could not be removed by force");
  };
  return subject;
}

Subject last_close_subject(const World& world) {
  Subject subject =
      region_subject(world, "region close (last member)", Lifetime::until_last_member);
  static std::optional<Region<Robot>> handle;
  subject.before = [world] {
    handle = Region<Robot>::create(world.domain(), "robot", with(Lifetime::until_last_member));
  };
  subject.operation = [] { handle->close(); };
  return subject;
}

Subject creator_close_subject(const World& world) {
  Subject subject = region_subject(world, "region close (creator)", Lifetime::while_creator_lives);
  static std::optional<Region<Robot>> handle;
  subject.before = [world] {
    handle = Region<Robot>::create(world.domain(), "robot", with(Lifetime::while_creator_lives));
  };
  subject.operation = [] { handle->close(); };
  return subject;
}

using Counter = std::atomic<std::uint64_t>;

Subject create_object_subject(const World& world) {
  Subject subject = world.subject("object create");
  static std::optional<ObjectRegion> handle;
  subject.prepare = [world] {
    auto made = ObjectRegion::create(world.domain(), "world");
    made.create_object<Counter>("first", Deadline::after(1s)).store(1, std::memory_order_relaxed);
  };
  subject.before = [world] { handle = ObjectRegion::open(world.domain(), "world"); };
  subject.operation = [] { handle->create_object<Robot>("second", Deadline::after(1s)); };
  subject.survivor = [world] {
    auto opened = ObjectRegion::open(world.domain(), "world");
    const auto& robot = opened.find_or_create<Robot>("second", Deadline::after(1s));
    const auto& third = opened.find_or_create<Counter>("third", Deadline::after(1s));
    const auto* first = opened.find<Counter>("first");
    if (first == nullptr || first->load(std::memory_order_relaxed) != 1) {
      return std::string("an object that was there is damaged");
    }
    return demand(robot.heading.load(std::memory_order_relaxed) == 4 &&
                      third.load(std::memory_order_relaxed) == 0,
                  "an object that is not whole can be seen");
  };
  subject.restart = subject.survivor;
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

}  // namespace

std::vector<Subject> region_subjects(const World& world) {
  return {create_subject(world),          open_subject(world),       remove_subject(world),
          remove_by_force_subject(world), last_close_subject(world), creator_close_subject(world),
          create_object_subject(world)};
}

}  // namespace kith::prove
