// What the models of all locks and waits have in common: members who die and come back under a new
// incarnation, a witness who asks the modelled kernel about them, and how long they have patience.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "kith/sync/internal/mutex_core.hpp"
#include "kith/sync/internal/waiting.hpp"

#include "testkit/explore/atomics.hpp"
#include "testkit/explore/explore.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::explored {

class WaitsWorld : public testkit::explore::World, protected internal::LockWitness {
 public:
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 protected:
  static constexpr std::uint32_t kMembersMax = 4;

  // Slices end, if they do. Without them, whoever is not woken sleeps for good, and is found.
  // `doubts`: the witness always says that somebody may be dead.
  WaitsWorld(bool slices, bool doubts) : slices_(slices), doubts_(doubts) {}

  [[nodiscard]] bool may_be_dead(MemberId id) const noexcept override;
  [[nodiscard]] Liveness liveness(MemberId id) const noexcept override;
  os::Slept asleep(const RealAtomics::Word<std::uint64_t>&, std::span<const MemberId>,
                   Deadline deadline, internal::Sleeper& sleeper) const noexcept override {
    return sleeper.until(deadline);
  }
  [[nodiscard]] LockAnswer memory() const noexcept override { return LockAnswer::acquired; }

  [[nodiscard]] internal::WaitPatience patience(std::uint32_t spins = 0) const;
  // Of who waits for a mutex; after `losses` it is starving.
  [[nodiscard]] internal::MutexPatience patience_for_mutex(std::uint32_t losses) const;
  // The first `trying` members do not wait at all, the next `hurried` for a moment only.
  [[nodiscard]] static Deadline deadline_of(std::uint32_t member, std::uint32_t trying,
                                            std::uint32_t hurried);
  // The owner word of a member in its life that begins now.
  std::uint64_t born(std::uint32_t member);
  std::uint64_t born_before(std::uint32_t member);  // in the model's constructor
  // Gives back once what the dead hold, as a reaper does.
  void reap(const std::function<void(std::uint64_t dead)>& heal) const;
  // No access, from here on: for the books.
  [[nodiscard]] bool lives(MemberId id) const;
  // Of its life now; an incarnation of 0 if it is dead.
  [[nodiscard]] MemberId id_of(std::uint32_t member) const {
    return {member, incarnations_.at(member)};
  }
  // The owner word of the member in its last life that ended; 0: it has not died.
  [[nodiscard]] std::uint64_t dead(std::uint32_t member) const { return dead_.at(member); }

 private:
  bool slices_;
  bool doubts_;
  testkit::explore::Kernel kernel_;
  std::array<std::uint32_t, kMembersMax> incarnations_{};  // of those who live; 0: dead
  std::array<std::uint64_t, kMembersMax> dead_{};
};

// The word of a mutex, for a trace.
[[nodiscard]] std::string mutex_text(std::uint64_t word);

}  // namespace kith::explored
