// Signals as a model: the cores of Event and CountingSemaphore, those who signal and those who wait
// for it.
//
// Demanded: nobody sleeps for good who was signalled to; each signal of an automatic event or of a
// counting semaphore lets one by, and no more; who is let by sees what was done before; whoever
// gives up does so only when there is nothing to be had; and the count at the end is right.
#pragma once

#include <array>
#include <cstdint>

#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/internal/counting_core.hpp"
#include "kith/sync/internal/event_core.hpp"

#include "tests/explore/waits_world.hpp"

namespace kith::explored {

enum class Signal { manual, automatic, counting };

struct SignalSetting {
  Signal signal = Signal::manual;
  std::uint32_t setters = 1;
  std::uint32_t times = 2;    // that each signals; a manual event is reset in between
  std::uint32_t at_once = 1;  // that a counting semaphore is released
  std::uint32_t waiters = 2;
  std::uint32_t waits = 1;  // of each
  // All give up after a while: where the dead may have taken along what another waits for.
  bool hurried = false;
  bool slices = false;
};

class SignalWorld : public WaitsWorld {
 public:
  explicit SignalWorld(const SignalSetting& setting);

  void at_end() override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  static constexpr std::uint32_t kSignalsMax = 8;

  [[nodiscard]] internal::EventCore event();
  [[nodiscard]] internal::CountingCore counting();
  void signal(std::uint32_t setter);
  void wait(std::uint32_t waiter);
  [[nodiscard]] bool is_there() const;

  SignalSetting setting_;
  internal::EventWords event_{};
  internal::CountingSemaphoreWords count_{};
  std::array<testkit::explore::Payload<std::uint64_t>, kSignalsMax> done_;
  // Ghosts.
  std::array<std::uint32_t, kMembersMax> begun_{};  // signals, by each process
  std::array<std::uint32_t, kMembersMax> taken_{};
};

}  // namespace kith::explored
