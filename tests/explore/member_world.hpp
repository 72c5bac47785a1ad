// Members on a modelled kernel: the library's own sources join, use an object, leave, die and reap.
//
// Demanded: no two living members share a place; whoever holds a word is seen to live until it is
// dead, and is who it says; what a dead one had in an object is given back before its place is
// another's, and only once it is dead; who leaves has left nothing and is no longer seen; a full
// table has room again for who comes next; and after one pass over the dead nobody's leftovers
// remain. Whoever is done has nothing open, and children hold no locks but those of use.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "kith/member/internal/membership.hpp"

#include "testkit/explore/atomics.hpp"
#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

// A member, or several, in few steps: see MemberWorld::play().
enum class Part {
  none,
  sits_and_dies,   // with its word in the object
  is_reaped,       // the same, and somebody gives back what it had
  sits_down,       // where one died
  comes_and_goes,  // where one died, and comes again
  raises_count,    // of records, as many do who join
};

struct MemberSetting {
  std::uint32_t members = 2;  // each joins, puts its word into an object, takes it out, leaves
  std::uint32_t reapers = 0;  // each joins, and looks for the dead
  std::uint32_t places = 3;   // of the table
  std::uint32_t forks = 0;    // children that are born at any moment and outlive everybody
  std::uint32_t left = 0;     // members that left before anybody began
  std::uint32_t dead = 0;     // members that died then, with their words in the object
  std::uint32_t lives = 1;    // of each member, one after the other
  std::uint32_t selves = 1;   // each member joins so often at once, as if it were several
  bool sleeps = false;        // members sleep while they are there, and between their lives;
                              // reapers look and reap, sleep, and do so again
  Part part = Part::none;     // another process plays it
  bool only_joins = false;    // and everybody leaves again
  bool replaces = false;      // members put another object in the place of the one that is there
  bool returns = false;       // who was killed may come back
  bool closes = true;         // when nobody else is left, one looks for the dead, and is the last
};

class MemberWorld : public testkit::explore::World {
 public:
  explicit MemberWorld(const MemberSetting& setting);

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;
  bool heal(internal::MappedRegion& region, std::uint64_t dead_owner);

 private:
  static constexpr const char* kName = "object";
  static constexpr const char* kKind = "owned";

  using Word = testkit::explore::Word<std::uint64_t>;
  // Of the object that has the name, as the model sees them; null while it is replaced.
  [[nodiscard]] Word* words() const;
  [[nodiscard]] Domain domain(std::uint32_t self = 0) const;
  void set_up_members(std::uint64_t object);
  void live(std::size_t process);
  void join(std::size_t process, std::uint32_t self, const internal::Membership* other);
  class Player;
  void play(Part part);
  void use_object(internal::Membership& self, std::size_t process);
  void replace_object();
  void reap();
  void reap_dead(internal::Membership& self);
  void close();
  void look_at_the_living(const internal::Membership& self);
  void look_at_words(const internal::Membership& self);
  void look_at_members(const internal::Membership& self);
  void require_no_leftovers(std::uint32_t place);
  void require_clean_table();
  [[nodiscard]] const internal::MemberRecord* record(std::uint32_t place) const;

  MemberSetting setting_;
  testkit::explore::Kernel kernel_;
  // Ghosts: who lives by which word, from the moment it knows it until it begins to leave or dies.
  std::map<std::size_t, std::uint64_t> lives_;
  std::map<std::uint64_t, std::uint64_t> pids_;  // of those words
  std::set<std::uint64_t> left_;                 // words of who left
  std::set<std::uint64_t> dead_;                 // and of who died
  bool closed_ = false;
};

}  // namespace kith::explored
