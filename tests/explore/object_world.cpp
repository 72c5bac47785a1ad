#include "tests/explore/object_world.hpp"

#include <algorithm>
#include <utility>

#include "kith/base/error.hpp"

namespace kith::explored {

using testkit::explore::Kernel;
using testkit::explore::require;

namespace {

// A constructor knows no model; there is one at a time.
testkit::explore::Word<std::uint64_t>* births = nullptr;

}  // namespace

std::uint64_t ObjectWorld::born() {
  // relaxed: for the steps alone, nobody concludes anything from it.
  births->fetch_add(1, std::memory_order_relaxed);
  static_cast<void>(births->load(std::memory_order_relaxed));
  return 7;
}

ObjectWorld::ObjectWorld(const ObjectSetting& setting) {
  births = &births_;
  kernel_.make_directory("/d");
  for (std::size_t i = 0; i < setting.names.size(); ++i) {
    kernel_.set_up_as(i);
    regions_.push_back(open());
  }
  kernel_.set_up_as(testkit::explore::kProcessesMax);
  regions_.push_back(open());
  for (std::size_t i = 0; i < setting.names.size(); ++i) {
    process(
        "process " + std::to_string(i),
        [this, i, name = setting.names[i]] { use(regions_[i], name); },
        [this, name = setting.names[i]] {
          ObjectRegion again = open();
          use(again, name);
        });
  }
}

ObjectWorld::~ObjectWorld() {
  for (std::size_t i = 0; i + 1 < regions_.size(); ++i) {
    kernel_.set_up_as(i);
    const ObjectRegion ended = std::move(regions_[i]);
  }
  kernel_.set_up_as(testkit::explore::kProcessesMax);
}

// The library keeps what it knows once for a process and a path: each process has its own path.
ObjectRegion ObjectWorld::open() {
  const auto number = std::to_string(Kernel::current().process_number());
  return ObjectRegion::open_or_create(Domain::at("/as/" + number + "/d"), "x",
                                      {.bytes = 256, .objects_max = 2});
}

void ObjectWorld::use(ObjectRegion& region, const std::string& name) {
  Thing& thing = region.find_or_create<Thing>(name, Deadline::never());
  // Each process has the region at an address of its own; where in it, all must agree.
  const std::vector<std::string> names = region.object_names();
  require(!names.empty() && region.find<Thing>(names.front()) != nullptr,
          "it was given an object that is not there");
  const auto* first = region.find<Thing>(names.front());
  const std::ptrdiff_t offset = &thing - first;
  require(thing.number == 7, "an object that is not whole");
  const auto [known, is_new] = known_.try_emplace(name, Known{offset, 0});
  require(known->second.offset == offset, "one name, and two objects");
  require(known->second.uses == thing.uses, "what was done to an object is lost");
  for (const auto& [other, place] : known_) {
    require(other == name || place.offset != offset, "two names, and one object");
  }
  thing.uses = ++known->second.uses;
  testkit::explore::act();
  require(region.find<Thing>(name) == &thing, "an object has moved");
  require(thing.uses == known->second.uses, "another changes an object that is not its own");
}

void ObjectWorld::at_end() {
  ObjectRegion& region = regions_.back();
  const std::vector<std::string> names = region.object_names();
  for (const auto& [name, place] : known_) {
    require(std::count(names.begin(), names.end(), name) == 1,
            "at the end a name is not there once");
    const Thing* thing = region.find<Thing>(name);
    require(thing != nullptr && thing->uses == place.uses, "at the end what was done is lost");
  }
  require(names.size() <= 2, "at the end there are more names than were given");
  for (const std::string& name : names) {
    require(region.find<Thing>(name)->number == 7, "at the end an object is not whole");
  }
}

void ObjectWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const auto& [name, place] : known_) {
    note(static_cast<std::uint64_t>(name.front()) * 4096 +
         static_cast<std::uint64_t>(place.offset) * 64 + place.uses);
  }
}

}  // namespace kith::explored
