// Members on a modelled kernel: the library's own sources join, use an object, leave, die and reap.
//
// Demanded: no two living members share a place; whoever holds a word is seen to live until it is
// dead; what a dead one had in an object is given back before its place is another's, and only once
// it is dead; and after one pass over the dead nobody's leftovers remain.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "kith/member/internal/membership.hpp"

#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

struct MemberSetting {
  std::uint32_t members = 2;  // each joins, puts its word into an object, takes it out, leaves
  std::uint32_t reapers = 0;  // each joins, and looks for the dead
  std::uint32_t places = 3;   // of the table
  std::uint32_t forks = 0;    // children that are born at any moment and outlive everybody
};

class MemberWorld : public testkit::explore::World {
 public:
  explicit MemberWorld(const MemberSetting& setting);

  void at_end() override;
  void died(std::size_t process) override { lives_.erase(process); }
  void ghost(const std::function<void(std::uint64_t)>& note) const override;
  bool heal(internal::MappedRegion& region, std::uint64_t dead_owner);

 private:
  static constexpr const char* kName = "object";
  static constexpr const char* kKind = "owned";

  [[nodiscard]] static Domain domain(const MemberSetting& setting);
  void live(std::size_t process);
  void use_object(internal::Membership& self, std::size_t process);
  void reap();
  void look_at_the_living(const internal::Membership& self);
  void require_no_leftovers(std::uint32_t place);
  MemberSetting setting_;
  testkit::explore::Kernel kernel_;
  // Ghosts: who lives by which word, from the moment it knows it until it begins to leave or dies.
  std::map<std::size_t, std::uint64_t> lives_;
  internal::MappedRegion object_;  // as the model sees it
};

}  // namespace kith::explored
