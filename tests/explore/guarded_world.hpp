// A guarded value as a model: the very core that ships, over the very mutex; members who change two
// numbers together, and others who read them without the lock.
//
// Demanded: nobody sees the one number without the other; no reader goes back; what was answered as
// committed is there for good, and once; and the first commit after a death, and no other, is told
// of it.
#pragma once

#include <array>
#include <cstdint>

#include "kith/sync/internal/guarded_core.hpp"

#include "tests/explore/locked_world.hpp"

namespace kith::explored {

struct GuardedSetting {
  std::uint32_t writers = 1;
  std::uint32_t readers = 1;
  std::uint32_t times = 2;    // that each writer changes it
  std::uint32_t reads = 1;    // of each reader
  std::uint32_t refuses = 0;  // so many of the writers leave it as it was, every second time
  bool sets = false;          // the one writer's last change does not look at it first
  std::uint32_t reapers = 0;  // each gives back once what the dead hold
};

class GuardedWorld : public LockedWorld {
 public:
  explicit GuardedWorld(const GuardedSetting& setting);

  void at_end() override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  struct Value {
    std::uint64_t first;
    std::uint64_t second;
  };

  [[nodiscard]] internal::GuardedCore core();
  void write(std::uint32_t writer);
  void change(Lock& lock, bool refuses);
  void set(Lock& lock);
  void read(std::uint32_t member);
  void told(GuardedAnswer answer, bool due);

  GuardedSetting setting_;
  Word version_{};
  std::array<std::array<Word, 2>, 2> slots_{};
  Word pause_{};                 // a place to be interrupted at
  std::uint64_t committed_ = 0;  // changes whose answer came
  std::uint64_t begun_ = 0;      // changes that may be there
};

}  // namespace kith::explored
