// A barrier as a model: the core that ships, parties that arrive phase after phase and then leave,
// and newcomers on the seats of the dead.
//
// Demanded: who passes a phase sees what all living parties did before; nobody arrives in a phase
// that others have passed; all are told alike, and if and only if somebody was lost; nobody sleeps
// for good.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "kith/sync/internal/barrier_core.hpp"

#include "tests/explore/waits_world.hpp"

namespace kith::explored {

struct BarrierSetting {
  std::uint32_t parties = 2;
  std::uint32_t phases = 2;
  std::uint32_t reapers = 0;
  bool seated = true;       // at the beginning; else each sits down itself
  bool used = false;        // by others before, who have all left; nobody dies here
  bool returns = true;      // the dead may come back, and sit down anew
  bool leaves = false;      // the first leaves after one phase
  std::uint32_t spins = 0;  // looks before one sleeps
  bool slices = false;
  bool doubts = true;
};

class BarrierWorld : public WaitsWorld {
 public:
  explicit BarrierWorld(const BarrierSetting& setting);

  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  static constexpr std::uint32_t kPhasesMax = 4;

  [[nodiscard]] internal::BarrierCore core();
  void live(std::uint32_t party, std::size_t seat, std::uint64_t me);
  void come_back(std::uint32_t party);
  void take_part(std::uint32_t party, std::size_t seat, std::uint64_t phase);
  void passed(std::uint32_t party, std::uint64_t phase, bool told);
  [[nodiscard]] bool is_lost(const internal::BarrierSeat& seat, std::uint64_t phase) const;
  // What the others did who arrived in it; there must be nobody who still does.
  void see(std::uint32_t party, std::uint64_t phase);
  void reap();

  BarrierSetting setting_;
  internal::BarrierWords words_{};
  std::array<internal::BarrierSeat, kMembersMax> seats_{};
  std::array<testkit::explore::Payload<std::uint64_t>, kMembersMax * kPhasesMax> work_;
  // Ghosts.
  std::array<std::uint32_t, kMembersMax> arrived_{};  // a bit for each phase, of those who live
  std::uint64_t passed_ = 0;                          // phases that somebody has passed
  std::array<std::optional<bool>, kPhasesMax> told_{};
  bool somebody_died_ = false;
};

}  // namespace kith::explored
