// A read-write lock as a model: the very core that ships, over lines of readers as they lie in the
// member table, and members who read, write, upgrade and downgrade what it guards.
//
// Demanded: a writer is alone; readers see it whole, unless somebody died changing it, and then
// whoever comes next, and nobody else, has it alone and is told; nobody sleeps for good; and at the
// end it is free, or held by one who is dead.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kith/member/internal/reader_table.hpp"
#include "kith/sync/internal/rw_lock_core.hpp"

#include "testkit/explore/atomics.hpp"
#include "tests/explore/waits_world.hpp"

namespace kith::explored {

struct RwLockSetting {
  // What each member does, one letter a step: r reads; R reads, and once more inside of that;
  // w writes; u reads, upgrades and writes; d writes, downgrades and reads.
  std::vector<std::string> members;
  std::uint32_t hurried = 0;  // so many of them wait for a moment only, and may go without
  std::uint32_t trying = 0;   // so many of them do not wait at all
  bool restarts = false;      // who is killed may come back
  bool joins = false;         // they join, and make themselves known, while others use the lock
  bool repairs = true;        // who is told of a death repairs; or else leaves it to the next
  bool retires = false;       // who is told of a death gives it up for good
  // Slices end. Without them, whoever is not woken sleeps for good, and is found.
  bool slices = false;
  bool doubts = true;  // the witness always says that a member may be dead
};

class RwLockWorld : public WaitsWorld {
 public:
  explicit RwLockWorld(const RwLockSetting& setting);

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  static constexpr std::uint32_t kLines = 3;  // and as many members at the most

  [[nodiscard]] internal::RwLockCore core();
  [[nodiscard]] internal::ReaderTable table();
  [[nodiscard]] internal::ReaderLine& line(std::uint32_t member) { return lines_.at(member); }
  [[nodiscard]] Deadline deadline_of(std::uint32_t member) const;

  void make_known(std::uint32_t member);
  void join(std::uint32_t member, std::uint64_t owner);
  void live(std::uint32_t member);
  void step(std::uint32_t member, std::uint64_t me, char what);
  // Whether it was to be had.
  bool is_had(std::uint32_t member, LockAnswer answer) const;
  LockAnswer acquire_shared(std::uint32_t member, std::uint64_t me);
  void read(std::uint32_t member, std::uint64_t me, bool twice);
  void look(std::uint32_t member);
  void leave(std::uint32_t member);
  void upgrade(std::uint32_t member, std::uint64_t me);
  // Until it is given back, or downgraded and read.
  void write(std::uint32_t member, std::uint64_t me, LockAnswer answer, bool downgrades);
  void repair_or_not(std::uint64_t me, bool told);

  RwLockSetting setting_;
  internal::RwLockWords words_{};
  RealAtomics::Word<std::uint32_t> records_ready_{0};
  std::array<internal::MemberRecord, kLines> records_{};
  std::array<internal::ReaderLine, kLines> lines_{};
  std::array<testkit::explore::Payload<std::uint64_t>, 2> guarded_;
  // Ghosts.
  std::uint32_t readers_ = 0;            // bits of those inside, as long as they know it
  std::optional<std::uint32_t> writer_;  // likewise
  std::uint32_t waiting_ = 0;            // bits of those who take the lock, and have no answer
  bool torn_ = false;                    // a writer died, or left what another dead one had torn
  bool retired_ = false;
};

}  // namespace kith::explored
