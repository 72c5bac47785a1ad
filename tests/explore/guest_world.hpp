// Guests of a channel on a modelled kernel: they take seats, read, leave and die while the writer
// writes, whom they must not hold up, and who may die as well.
//
// Demanded: the writer is never refused a slot; no two living guests have one seat; who is refused
// one is refused because of somebody who lives; a guest's value is whole and stays what it is; what
// a dead one held under a name is found, intact, by the next of that name; whether there is a
// writer is told truly; and once members have looked, nothing of the dead is left.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kith/channel/internal/latest_guest.hpp"
#include "kith/channel/latest_bytes.hpp"

#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

struct GuestSetting {
  std::vector<std::string> guests;  // the name of each one's role, or ""
  std::uint32_t seats = 2;
  std::uint32_t forks = 0;  // children that are born at any moment and outlive everybody
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
    std::optional<std::uint32_t> seat;  // while it was told that it has it
    std::uint64_t holds = 0;            // the number of the value in its hands
  };

  [[nodiscard]] static Domain domain();
  [[nodiscard]] LatestOptions options() const;
  void write(LatestBytesWriter& writer, std::uint64_t last);
  void visit(std::size_t process, const std::string& role);
  void read(std::size_t process, const std::string& role);
  void look_at_the_writer(const internal::LatestGuest& guest) const;
  void hold(std::size_t process, const internal::LatestGuest& guest, std::uint64_t word);
  [[nodiscard]] bool is_taken(std::size_t process) const;

  GuestSetting setting_;
  testkit::explore::Kernel kernel_;
  std::optional<LatestBytesWriter> writer_;
  // Ghosts.
  std::map<std::size_t, Stay> stays_;
  std::uint64_t comings_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t left_ = 0;  // number of the value that a guest with a name died with; 0: none
  bool writes_ = false;     // the writer has its role
  bool somebody_died_ = false;
};

}  // namespace kith::explored
