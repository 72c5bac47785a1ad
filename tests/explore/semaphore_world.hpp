// A semaphore as a model: the core that ships, members who take a permit and give it back, and
// reapers.
//
// Demanded: never more inside than there are permits; a permit of the dead comes back once, and who
// takes it, and nobody else, is told; nobody sleeps for good; and at the end all that are not free
// are those of the dead.
#pragma once

#include <array>
#include <cstdint>

#include "kith/sync/internal/semaphore_core.hpp"

#include "tests/explore/waits_world.hpp"

namespace kith::explored {

struct SemaphoreSetting {
  std::uint32_t permits = 1;
  std::uint32_t members = 2;
  std::uint32_t times = 1;    // that each takes one
  std::uint32_t reapers = 0;  // each gives back once what the dead hold
  bool closes = false;        // each closes its handle instead of giving it back
  bool slices = false;
  bool doubts = true;
};

class SemaphoreWorld : public WaitsWorld {
 public:
  explicit SemaphoreWorld(const SemaphoreSetting& setting);

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  static constexpr std::uint32_t kPermitsMax = 2;

  [[nodiscard]] internal::SemaphoreCore core();
  void live(std::uint32_t member);
  void use(std::uint32_t member);
  void reap();
  // Permits that are neither free nor held by the living.
  [[nodiscard]] std::uint32_t left_by_the_dead() const;

  SemaphoreSetting setting_;
  internal::SemaphoreCore::Word announced_{};
  std::array<internal::SemaphoreCore::Word, kPermitsMax> permits_{};
  testkit::explore::Payload<std::uint64_t> used_;  // by whoever has the only permit
  std::array<testkit::explore::Payload<std::uint64_t>, kMembersMax> works_;  // each has its own
  // Ghosts.
  std::uint32_t owed_ = 0;  // permits of the dead, of which nobody has been told
  std::array<bool, kMembersMax> inside_{};
};

}  // namespace kith::explored
