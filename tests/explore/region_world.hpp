// Regions on a modelled kernel: the library's own sources create, open and remove one name, and die
// between any two calls.
//
// Demanded: nobody is given a region that is not filled; two who hold the name at one time and
// unforced hold one file; what is not an answer of the interface is an error that it documents; and
// at the end no file, lock or name is left that nobody asked to stay.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kith/region/internal/mapped_region.hpp"
#include "kith/region/internal/region_file.hpp"

#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

// What one process does.
enum class Deed { create, open_or_create, open, remove, remove_by_force };

struct RegionSetting {
  std::vector<Deed> deeds;
  Lifetime lifetime = Lifetime::until_removed;
  bool is_there = false;  // the region, before anybody begins
};

class RegionWorld : public testkit::explore::World {
 public:
  explicit RegionWorld(const RegionSetting& setting);

  void at_end() override;
  void died(std::size_t process) override { held_.erase(process); }
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  static constexpr const char* kName = "x";

  void act(std::size_t process, Deed deed);
  void carry_out(std::size_t process, Deed deed);
  void hold(std::size_t process, internal::MappedRegion region);
  [[nodiscard]] Domain domain() const;

  RegionSetting setting_;
  testkit::explore::Kernel kernel_;
  // The file that a process holds.
  std::map<std::size_t, std::uint64_t> held_;
  bool was_forced_ = false;
};

}  // namespace kith::explored
