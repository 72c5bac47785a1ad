// A mutex as a model: the very core that ships, over a futex of the modelled kernel, and members
// who take it, change what it guards in two steps, and give it back.
//
// Demanded: one holder at a time; whoever takes it from the dead, and nobody else, is told so; what
// it guards is whole for all who are not told; nobody sleeps for good; a retired mutex is nobody's;
// and at the end it is free, or held by one who is dead.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "kith/sync/internal/mutex_core.hpp"

#include "testkit/explore/atomics.hpp"
#include "tests/explore/waits_world.hpp"

namespace kith::explored {

struct MutexSetting {
  std::uint32_t members = 2;
  std::uint32_t times = 1;     // that each takes it
  std::uint32_t depth = 0;     // that each takes it once more while it has it
  std::uint32_t hurried = 0;   // so many of them wait for a moment only, and may go without
  std::uint32_t trying = 0;    // so many of them do not wait at all
  std::uint32_t losses = 100;  // after which one is starving
  std::uint32_t accesses = 0;  // the first member takes it once, within so many; 0: as the others
  std::uint32_t reapers = 0;   // each gives back once what the dead hold
  bool repairs = true;         // who is told of a death repairs; or else leaves it to the next
  bool retires = false;        // who is told of a death gives it up for good
  // Slices end. Without them, whoever is not woken sleeps for good, and is found.
  bool slices = false;
  bool doubts = true;  // the witness always says that the holder may be dead
};

class MutexWorld : public WaitsWorld {
 public:
  explicit MutexWorld(const MutexSetting& setting);

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  [[nodiscard]] internal::MutexCore core();
  void live(std::uint32_t member);
  void take(std::uint32_t member, std::uint64_t me);
  [[nodiscard]] LockAnswer acquire(std::uint32_t member, std::uint64_t me);
  void use(std::uint32_t member, std::uint64_t me, LockAnswer answer);
  void give_back(std::uint64_t me);
  void reap();

  MutexSetting setting_;
  internal::MutexWords words_{};
  std::array<testkit::explore::Payload<std::uint64_t>, 2> guarded_;
  // Ghosts.
  std::optional<std::uint32_t> holder_;  // from the moment it knows until it gives it back
  bool torn_ = false;                    // a holder died, or left what another dead one had torn
  bool retired_ = false;
};

}  // namespace kith::explored
