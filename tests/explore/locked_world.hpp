// What models have in common of what is built on the mutex: the mutex itself, as it ships, those
// who take it as handles do, their deaths, and whether the next one is to be told.
#pragma once

#include <cstdint>

#include "kith/sync/internal/mutex_core.hpp"

#include "tests/explore/waits_world.hpp"

namespace kith::explored {

class LockedWorld : public WaitsWorld {
 public:
  void died(std::size_t process) override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 protected:
  using Word = RealAtomics::Word<std::uint64_t>;

  // What a handle is in the library.
  class Lock {
   public:
    Lock(LockedWorld& world, std::uint64_t me);
    LockAnswer acquire(Deadline deadline) noexcept;
    LockAnswer release() noexcept;
    LockAnswer declare_consistent() noexcept;
    [[nodiscard]] std::uint64_t taker() const noexcept { return me_; }
    [[nodiscard]] bool is_damaged() const noexcept { return false; }
    // Whether one who took it last was to be told of a death.
    [[nodiscard]] bool due() const noexcept { return due_; }

   private:
    LockedWorld& world_;
    internal::MutexCore mutex_;
    std::uint64_t me_;
    bool due_ = false;
  };

  // The first `members` processes are those that take it.
  explicit LockedWorld(std::uint32_t members);

  // A member that begins to live, anew after a death.
  [[nodiscard]] Lock begin(std::uint32_t member);
  // Gives back once what the dead hold.
  void reap();

 private:
  std::uint32_t members_;
  internal::MutexWords mutex_{};
  // A ghost.
  bool due_ = false;  // somebody died holding it, and it was not declared consistent since
};

}  // namespace kith::explored
