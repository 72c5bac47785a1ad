// A condition as a model: its core and that of a mutex, as the handle puts them together; one who
// changes what the mutex guards and notifies, and those who wait for it.
//
// Demanded: nobody sleeps for good while there is what it waits for, and nobody gives up then; each
// piece is taken once.
#pragma once

#include <array>
#include <cstdint>

#include "kith/sync/internal/condition_core.hpp"
#include "kith/sync/internal/mutex_core.hpp"

#include "tests/explore/waits_world.hpp"

namespace kith::explored {

struct ConditionSetting {
  std::uint32_t waiters = 2;
  std::uint32_t notifiers = 1;
  std::uint32_t times = 2;  // that each notifies
  bool all = false;         // it makes pieces for all at once, and notifies all
  bool after = false;       // it notifies when it has given the mutex back
  bool hurried = false;     // who waits gives up after a while
  bool slices = false;
};

class ConditionWorld : public WaitsWorld {
 public:
  explicit ConditionWorld(const ConditionSetting& setting);

  void at_end() override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  [[nodiscard]] internal::MutexCore mutex();
  [[nodiscard]] internal::ConditionCore condition();
  void lock(std::uint64_t me);
  void unlock(std::uint64_t me);
  [[nodiscard]] LockAnswer wait(std::uint64_t me, Deadline deadline);
  void notify(std::uint32_t notifier);
  void take(std::uint32_t waiter);

  ConditionSetting setting_;
  internal::MutexWords lock_{};
  internal::EventCount::Word announced_{};
  testkit::explore::Payload<std::uint64_t> pieces_;  // what the mutex guards
  // Ghosts.
  std::array<std::uint32_t, kMembersMax> made_{};  // changes by each notifier
  std::array<bool, kMembersMax> taken_{};
};

}  // namespace kith::explored
