// Roles on a modelled kernel: the library's own writers and readers claim roles of one channel, use
// them, let them go, die with them and are given back.
//
// Demanded: no two living processes have one role; who is refused is refused because of somebody
// who lives; a writer goes on where the last one ended; a reader's value is whole, and stays what
// it is while it is held; what a dead one held under a name is found, intact, by the next of that
// name; and when all is over nothing of the dead is left, nor of those who were refused.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kith/channel/internal/latest_channel.hpp"
#include "kith/channel/latest_bytes.hpp"
#include "kith/member/internal/membership.hpp"

#include "testkit/explore/atomics.hpp"
#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

// What one process does.
enum class RoleDeed {
  write,          // claims the writer's role and writes a value
  write_named,    // the same, as "w"
  wait_to_write,  // the same without a name, and waits for whoever has the role
  read,           // claims a reader's place, reads, and lets go
  read_named,     // the same, as "r", and resumes what the last of that name held
  read_and_go,    // as "r", and gives up the name
  watch_writer,   // claims a reader's place, and asks twice whether there is a writer
  count_readers,  // claims the writer's role, and asks twice how many read
  replace_table,  // writes, removes the table of members, and writes as a member of the next
  reap,           // looks for the dead
  clean,          // gives up the names that nobody bears
};

struct RoleSetting {
  std::vector<RoleDeed> deeds;
  std::uint32_t places = 2;       // for readers
  std::uint64_t payload_max = 8;  // large, a slot gets its pages when a reader joins
};

class RoleWorld : public testkit::explore::World {
 public:
  explicit RoleWorld(const RoleSetting& setting);
  ~RoleWorld() override;

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  // What a process is told of itself, from before it asks for a role until it has let go.
  struct Stay {
    bool writes = false;
    bool is_named = false;
    bool waits = false;       // and so is never refused
    bool has = false;         // it was told that it has the role, and does not let go yet
    std::uint64_t holds = 0;  // the number of the value in a reader's hands
  };

  static constexpr std::uint32_t kPlacesMax = 2;

  [[nodiscard]] static Domain domain();
  [[nodiscard]] LatestOptions options(const std::string& role) const;
  void carry_out(std::size_t process, RoleDeed deed);
  void stay(std::size_t process, const Stay& kind, const std::function<void()>& use);
  void write(std::size_t process, const std::string& role, Deadline deadline);
  void read(std::size_t process, const std::string& role, bool retires);
  void resume(std::size_t process, LatestBytesReader& reader);
  void hold(std::size_t process, const PinnedBytes& pinned, LatestBytesReader& reader);
  void watch(std::size_t process);
  void count(std::size_t process);
  void replace_table(std::size_t process);
  void wait_a_while();
  void look_at_the_writer(const LatestBytesReader& reader);
  [[nodiscard]] bool is_taken(std::size_t process) const;
  [[nodiscard]] std::optional<std::uint32_t> place_of(std::size_t process) const;
  void has(std::size_t process);
  void lets_go(std::size_t process);
  static void drop_names();
  void require_nothing_left(bool may_be_vacant) const;

  RoleSetting setting_;
  testkit::explore::Kernel kernel_;
  // The processes are members before they run, and so is the model, who looks at the channel.
  std::map<std::size_t, std::shared_ptr<internal::Membership>> members_;
  std::unique_ptr<internal::LatestChannel> channel_;
  // Ghosts.
  std::map<std::size_t, Stay> stays_;
  std::map<std::size_t, std::uint64_t> words_;  // by which each owns
  std::uint64_t comings_ = 0;                   // how often somebody asked for a role
  bool somebody_died_ = false;
  bool table_was_replaced_ = false;
  std::uint64_t published_ = 0;
  std::uint64_t left_ = 0;    // number of the value that one of the name "r" died with; 0: none
  bool may_be_left_ = false;  // whether one of that name died in the midst of something
  // What belongs to whoever has a role, and to nobody else: the readers' by their places, then the
  // writer's. Under weak memory two who have not handed it on in order are a data race.
  std::array<testkit::explore::Payload<std::uint64_t>, kPlacesMax + 1> belongings_;
};

}  // namespace kith::explored
