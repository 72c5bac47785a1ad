// Waits for several objects as a model: the steps and the loop that ship, over an automatic event,
// a counting semaphore, a semaphore of one permit and a mutex; those who wait for some of them, and
// those who signal.
//
// Demanded: nobody sleeps for good beside what can be had, also if who was woken for it has taken
// another object, was interrupted, or is dead; each signal lets one by, and no more; one at a time
// holds the permit and the mutex; who takes what a dead one held, and nobody else, is told; and
// nobody gives up what is there.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/internal/any_wait.hpp"
#include "kith/sync/internal/counting_core.hpp"
#include "kith/sync/internal/event_core.hpp"
#include "kith/sync/internal/mutex_core.hpp"
#include "kith/sync/internal/semaphore_core.hpp"

#include "tests/explore/waits_world.hpp"

namespace kith::explored {

// A letter is an object: e, the event; c, the count; s, the semaphore; m, the mutex.
struct AnySetting {
  // What each waits for, in this order; one alone, by that object's own wait.
  std::array<std::string_view, 3> waiters{};
  // What each signals, one after the other.
  std::array<std::string_view, 2> signals{};
  // Who waits for several and takes from the count puts it back, for who waits for that alone.
  bool returns = false;
  // The first one's wait is interruptible, and it leaves when it is interrupted.
  bool interruptible = false;
  // All give up after a while: where the dead may have taken along what another waits for.
  bool hurried = false;
  bool slices = false;
  std::uint32_t losses = 100;  // after which one is starving
};

class AnyWorld : public WaitsWorld {
 public:
  explicit AnyWorld(const AnySetting& setting);

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  // Of whom one died holding it, nobody was told yet; and who has it now.
  struct Held {
    bool owed = false;
    bool inside = false;
    std::uint32_t by = 0;
    testkit::explore::Payload<std::uint64_t> guarded;
  };

  void signal(std::uint32_t setter);
  void wait(std::uint32_t waiter);
  [[nodiscard]] AnyAnswer wait_once(std::uint32_t waiter, std::uint64_t me, Deadline deadline);
  [[nodiscard]] LockAnswer wait_alone(char what, std::uint64_t me, Deadline deadline);
  void take(std::uint32_t waiter, char what, std::uint64_t me, LockAnswer answer);
  void use(Held& held, std::uint32_t waiter, LockAnswer answer);
  [[nodiscard]] bool is_there(char what) const;
  [[nodiscard]] bool is_of_the_dead(std::uint64_t word) const;

  AnySetting setting_;
  std::uint32_t setters_;
  internal::EventWords event_{};
  internal::CountingSemaphoreWords count_{};
  internal::SemaphoreCore::Word permit_{};
  internal::SemaphoreCore::Word permit_announced_{};
  internal::MutexWords mutex_{};
  internal::EventCore event_core_;
  internal::CountingCore counting_core_;
  internal::SemaphoreCore semaphore_core_;
  internal::MutexCore mutex_core_;
  // Ghosts.
  Held semaphore_held_;
  Held mutex_held_;
  std::array<std::uint32_t, 2> begun_{};  // signals, by each setter
  std::array<bool, kMembersMax> done_{};  // waiters
  std::uint32_t events_ = 0;              // set
  std::uint32_t counts_ = 0;              // released
  std::uint32_t events_taken_ = 0;
  std::uint32_t counts_taken_ = 0;
};

}  // namespace kith::explored
