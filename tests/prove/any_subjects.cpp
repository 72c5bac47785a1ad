// Waits for several objects at once under the step killer.
#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "kith/region/region.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/semaphore.hpp"
#include "kith/sync/wait_any.hpp"

#include "tests/prove/wait_roles.hpp"

namespace kith::prove {
namespace {

using testkit::Subject;

struct Several {
  EventCell event;
  CountingSemaphoreCell count;
  SemaphoreCell<1> permit;
};
constexpr std::uint64_t kEventArrivals = 8;
constexpr std::uint64_t kCountArrivals = 32;
constexpr std::uint64_t kPermit = 56;

struct SeveralHandles {
  explicit SeveralHandles(const World& world)
      : region(Region<Several>::open(world.domain(), "it")),
        event(region, region->event, {.reset = EventReset::automatic}),
        count(region, region->count),
        permit(region, region->permit) {}

  Region<Several> region;
  Event event;
  CountingSemaphore count;
  Semaphore permit;
};
std::optional<SeveralHandles>& victims_several() {
  static std::optional<SeveralHandles> only;
  return only;
}

Subject any_subject(const World& world, const std::string& name) {
  Subject subject = wait_subject(world, "any: " + name);
  subject.prepare = [world] { Region<Several>::create(world.domain(), "it").close(); };
  subject.before = [world] { victims_several().emplace(world); };
  return subject;
}

Subject any_take_subject(const World& world) {
  Subject subject = any_subject(world, "wait for an event or a permit, and take the permit");
  subject.operation = [] {
    SeveralHandles& all = *victims_several();
    must(wait_any(patience(), all.event, all.permit).took(1), "the permit was not taken");
  };
  subject.survivor = [world] {
    const bool from_the_dead = word_in_file(world, "it", kPermit) != 0;
    SeveralHandles all(world);
    const AnyAnswer any = wait_any(patience(), all.event, all.permit);
    if (!any.took(1)) return "waiting answered " + std::string(to_string(any.answer));
    if ((any.answer == LockAnswer::owner_died) != from_the_dead) {
      return std::string(from_the_dead ? "not told of the death" : "told of a death");
    }
    all.event.set();
    if (!wait_any(patience(), all.event, all.permit).took(0)) {
      return std::string("the event lets nobody by");
    }
    return demand(all.permit.release() == LockAnswer::released, "not released");
  };
  subject.restart = subject.survivor;
  return subject;
}

// The event and the count come when the victim, and one who waits for the count alone, are asleep.
Subject any_wake_subject(const World& world) {
  Subject subject = any_subject(world, "woken for two objects, takes one of them");
  subject.bystander = [world] {
    sleeper([world] {
      return SeveralHandles(world).count.acquire(Deadline::never()) == LockAnswer::acquired;
    })();
    std::thread([world] {
      SeveralHandles all(world);
      const auto all_wait = [&] {
        return arrivals(world, kEventArrivals) > 0 && arrivals(world, kCountArrivals) > 1;
      };
      while (!all_wait() && !is_value_set()) std::this_thread::yield();
      static_cast<void>(all.count.release());
      all.event.set();
      shared().others.store(1, std::memory_order_release);
    }).detach();
  };
  subject.operation = [] {
    SeveralHandles& all = *victims_several();
    const AnyAnswer any = wait_any(patience(), all.event, all.count);
    must(holds(any.answer), "nothing was taken");
    if (any.took(1)) must(all.count.release() == LockAnswer::released, "not put back");
  };
  subject.survivor = [world] {
    set_value();  // nobody need wait for the victim
    const Deadline deadline = patience();
    while (shared().others.load(std::memory_order_acquire) == 0) {
      if (deadline.has_passed()) return std::string("who was to signal did not");
      std::this_thread::yield();
    }
    SeveralHandles all(world);
    // The victim may have taken it along.
    if (all.count.release() != LockAnswer::released) return std::string("not released");
    const std::string wrong = sleeper_was_woken();
    if (!wrong.empty()) return wrong;
    all.event.set();
    return demand(wait_any(patience(), all.event, all.count).took(0), "the event lets nobody by");
  };
  return subject;
}

}  // namespace

std::vector<Subject> any_subjects(const World& world) {
  return {any_take_subject(world), any_wake_subject(world)};
}

}  // namespace kith::prove
