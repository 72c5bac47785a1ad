// Named objects on a modelled kernel: processes find or create objects of one region, use them, and
// die over it.
//
// Demanded: who finds or creates a name is given one object, whole, wherever another died; what was
// done to it stays; two names are two objects; and at the end each name that somebody was given is
// there once, and nothing else is but what one who died had made.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kith/region/object_region.hpp"

#include "testkit/explore/atomics.hpp"
#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

struct ObjectSetting {
  std::vector<std::string> names;  // what each process finds or creates
};

class ObjectWorld : public testkit::explore::World {
 public:
  explicit ObjectWorld(const ObjectSetting& setting);
  ~ObjectWorld() override;

  void at_end() override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  // Takes a while, in which others go on and its creator may die.
  static std::uint64_t born();
  struct Thing {
    std::uint64_t number = born();
    std::uint64_t uses = 0;
  };

  [[nodiscard]] static ObjectRegion open();
  void use(ObjectRegion& region, const std::string& name);

  testkit::explore::Kernel kernel_;
  testkit::explore::Word<std::uint64_t> births_;
  std::vector<ObjectRegion> regions_;  // one for each process, and the model's
  // Ghosts: where each name was found, and how often it was used.
  struct Known {
    std::ptrdiff_t offset = 0;
    std::uint64_t uses = 0;
  };
  std::map<std::string, Known> known_;
};

}  // namespace kith::explored
