// AnyWait: goes through the steps of several waits side by side, until one of them has its object.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "kith/base/deadline.hpp"
#include "kith/os/futex.hpp"
#include "kith/sync/internal/lock_witness.hpp"
#include "kith/sync/internal/wait_steps.hpp"
#include "kith/sync/wait_any.hpp"

namespace kith::internal {

class AnyWait final : private Sleeper {
 public:
  // At most kWaitablesMax. `slice`: after which a sleeper asks after the dead, whoever wakes it.
  AnyWait(std::span<WaitSteps* const> all, Deadline deadline,
          std::chrono::nanoseconds slice = std::chrono::milliseconds(100)) noexcept
      : Sleeper(all.size() > 1), all_(all), deadline_(deadline), slice_(slice) {}

  AnyAnswer run() noexcept;

 private:
  // Who has its object; or else who says that it never will.
  [[nodiscard]] std::optional<AnyAnswer> look(bool last) noexcept;
  // False: something has changed meanwhile.
  [[nodiscard]] bool prepare() noexcept;
  void sleep() noexcept;
  [[nodiscard]] std::optional<AnyAnswer> ask_memory() const noexcept;
  // One after the other falls asleep by us, with all before it known as sleepers; and then, once.
  os::Slept until(Deadline deadline) noexcept override;
  [[nodiscard]] AnyAnswer end(const AnyAnswer& answer) noexcept;

  std::span<WaitSteps* const> all_;
  Deadline deadline_;
  std::chrono::nanoseconds slice_;
  Deadline doubt_at_ = Deadline::never();  // or when nothing has moved
  bool interrupted_ = false;
  std::bitset<kWaitablesMax> in_doubt_;
  // Of one sleep.
  Deadline until_ = Deadline::now();
  std::size_t known_ = 0;  // as sleepers
  std::array<MemberId, kHoldersWatched> holders_;
  std::array<const RealAtomics::Word<std::uint64_t>*, kWaitablesMax> words_;
  std::array<os::ExpectedWord, kWaitablesMax> expected_;
};

}  // namespace kith::internal
