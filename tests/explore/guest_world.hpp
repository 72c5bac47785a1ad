// Guests of a channel on a modelled kernel: they take seats, read, leave and die while the writer
// writes, whom they must not hold up, and who may die as well; or the writer has left, and somebody
// removes the channel.
//
// Demanded: the writer is never refused a slot; no two living guests have one seat, and none loses
// its own; who is refused one is refused because of somebody who lives; a guest's value is whole
// and stays what it is; what a dead one held under a name is found, intact, by the next of that
// name; whether there is a writer, and whether the channel still has its name, is told truly. A
// channel that a guest has open is only removed by force, and one that nobody has is removed.
// Children hold no locks but those of use of what they have; and once members have looked, nothing
// of the dead is left.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kith/channel/internal/latest_guest.hpp"
#include "kith/channel/latest_bytes.hpp"
#include "kith/region/internal/region_file.hpp"

#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

struct GuestSetting {
  std::vector<std::string> guests;  // the name of each one's role, or ""
  std::uint32_t seats = 2;
  std::uint32_t forks = 0;  // children that are born at any moment and outlive everybody
  // Then the writer left before, and somebody removes the channel, if need be so.
  std::optional<Force> removal{};
  bool is_seated = false;  // the first guest is, before anybody begins
};

class GuestWorld : public testkit::explore::World {
 public:
  explicit GuestWorld(const GuestSetting& setting);
  ~GuestWorld() override;

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  struct Stay {
    bool is_named = false;
    bool has_channel = false;           // while it was told that it has it
    std::optional<std::uint32_t> seat;  // the same
    bool inherits = false;              // what the last on its seat held
    std::uint64_t holds = 0;            // the number of the value in its hands
    std::uint64_t knew = 0;             // what it compares with what it will be told
  };

  [[nodiscard]] static Domain domain();
  [[nodiscard]] LatestOptions options() const;
  void add_writer();
  void add_remover();
  void seat_the_first();
  void write(LatestBytesWriter& writer, std::uint64_t last);
  void remove();
  void visit(std::size_t process, const std::string& role);
  void open(std::size_t process, const std::string& role);
  void claim(std::size_t process, const std::string& role, internal::LatestGuest& guest);
  void read(std::size_t process, internal::LatestGuest& guest);
  void leave(std::size_t process, internal::LatestGuest& guest);
  void look_at_the_writer(std::size_t process, const internal::LatestGuest& guest);
  void look_at_the_name(std::size_t process, const internal::LatestGuest& guest);
  void hold(std::size_t process, const internal::LatestGuest& guest, std::uint64_t word);
  [[nodiscard]] bool is_taken(std::size_t process) const;
  [[nodiscard]] bool is_gone() const;  // the channel's name is
  [[nodiscard]] bool may_be_taken_away() const { return setting_.removal == Force::yes; }
  void settle_accounts();
  GuestSetting setting_;
  testkit::explore::Kernel kernel_;
  std::optional<LatestBytesWriter> writer_;
  std::unique_ptr<internal::LatestGuest> seated_;
  // Ghosts.
  std::map<std::size_t, Stay> stays_;
  std::uint64_t comings_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t left_ = 0;      // number of the value that a guest with a name died with; 0: none
  std::uint64_t removals_ = 0;  // begun
  bool removes_ = false;
  bool writes_ = false;  // the writer has its role
  bool somebody_died_ = false;
};

}  // namespace kith::explored
