// What is run once, as a model: the very core that ships, over the very mutex; members who each
// call it, and look at what it left.
//
// Demanded: it runs one at a time, and not once more after it was answered that it is done; who is
// answered that it is done sees all that it did; who runs it is told of a death if and only if
// somebody died running it since.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "kith/sync/internal/once_core.hpp"

#include "tests/explore/locked_world.hpp"

namespace kith::explored {

struct OnceSetting {
  std::uint32_t members = 2;
  std::uint32_t calls = 1;    // of each
  std::uint32_t reapers = 0;  // each gives back once what the dead hold
};

class OnceWorld : public LockedWorld {
 public:
  explicit OnceWorld(const OnceSetting& setting);

  void at_end() override;
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  void live(std::uint32_t member);
  void run(std::uint32_t member, bool again, bool due);
  void call(std::uint32_t member, Lock& lock);

  OnceSetting setting_;
  Word done_{};
  std::array<testkit::explore::Payload<std::uint64_t>, 2> made_;  // by the function
  // Ghosts.
  std::optional<std::uint32_t> runs_;  // who is in the function
  bool known_done_ = false;            // somebody was answered that it is done
};

}  // namespace kith::explored
