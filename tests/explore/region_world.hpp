// Regions on a modelled kernel: the library's own sources create, open and remove one name, and die
// between any two calls.
//
// Demanded: nobody is given a region that is not filled, or was to live with a creator that is
// dead; two who hold the name at one time and unforced hold one file, which keeps its name; who
// asks learns whether it did, and whether somebody else is attached; the last to leave, or the
// creator, takes the file along, and a remover says what it did; what is not an answer of the
// interface is an error that it documents. Whoever is done has nothing open, children hold no locks
// but those of use, and at the end no file, lock or name is left that nobody asked to stay.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kith/region/internal/mapped_region.hpp"
#include "kith/region/internal/region_file.hpp"

#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

// What one process does.
enum class Deed {
  create,
  open_or_create,
  open,
  remove,
  remove_by_force,
  replace,  // removes by force the region that was there at the beginning, and none else; creates
  administer,  // opens, and takes the administrative lock
  list,        // asks twice which names are there
  remove_directory,
};

struct RegionSetting {
  std::vector<Deed> deeds;
  Lifetime lifetime = Lifetime::until_removed;
  bool is_there = false;         // the region, before anybody begins
  bool creator_is_dead = false;  // then: it was killed; otherwise it left
  bool has_directory = true;
  std::uint32_t forks = 0;  // children that are born at any moment and outlive everybody
};

class RegionWorld : public testkit::explore::World {
 public:
  explicit RegionWorld(const RegionSetting& setting);

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  static constexpr const char* kName = "x";

  // What the model knew when a process began to do something.
  struct Before {
    std::map<std::size_t, std::uint64_t> held;
    std::set<std::uint64_t> over;
    std::uint64_t named = 0;
  };

  void set_up_region();
  void act(std::size_t process, Deed deed);
  void carry_out(std::size_t process, Deed deed);
  void create(std::size_t process, const Before& before);
  void open_or_create(std::size_t process, const Before& before);
  void remove(std::size_t process, Force force, const Before& before);
  void administer(std::size_t process);
  void list();
  void hold(std::size_t process, internal::MappedRegion region, const Before& before);
  void ask(std::size_t process, const internal::MappedRegion& region);
  void close(std::size_t process, internal::MappedRegion& region);
  void require_attached(std::size_t process, const internal::MappedRegion& region,
                        const Before& before);
  [[nodiscard]] Before before(std::size_t process);
  // Nobody else did anything since.
  [[nodiscard]] bool was_alone(std::size_t process) const { return alone_.contains(process); }
  void remember(std::size_t process, std::uint64_t what);
  [[nodiscard]] std::uint64_t named() const { return kernel_.file_at("/d", kName).inode; }
  // Nobody may take this file's name away.
  [[nodiscard]] bool is_safe(std::uint64_t inode) const;
  [[nodiscard]] Domain domain() const;

  RegionSetting setting_;
  testkit::explore::Kernel kernel_;
  std::map<std::size_t, std::uint64_t> held_;      // the file that a process holds
  std::map<std::uint64_t, std::size_t> creators_;  // of files
  std::set<std::uint64_t> over_;                   // files whose creator left or died
  std::set<std::uint64_t> leaving_;                // files whose creator leaves
  std::set<std::size_t> busy_;
  std::set<std::size_t> alone_;
  std::set<std::size_t> administers_;
  std::map<std::size_t, std::uint64_t> knew_;  // a hash of what they compare with what they find
  std::uint64_t first_ = 0;                    // the file that was there at the beginning
  bool was_forced_ = false;
  bool first_was_forced_ = false;
};

}  // namespace kith::explored
