// RepairingHandle: a HandleOf a lock that one thread holds, for the standard's guards too; and what
// it was told to do when a holder died.
#pragma once

#include <memory>
#include <utility>

#include "kith/sync/internal/handle_of.hpp"
#include "kith/sync/internal/repair.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

// `kRelease`, a member function of State, gives back what was taken over a dead holder. Who defines
// State instantiates this and HandleOf for it.
template <class State, auto kRelease>
class RepairingHandle : public HandleOf<State> {
 public:
  RepairingHandle(RepairingHandle&&) noexcept = default;
  RepairingHandle& operator=(RepairingHandle&&) noexcept = default;
  ~RepairingHandle() = default;

  // If this is the last handle on it here, what threads of this process hold by it is given up: it
  // does not count any more, and after one who held it alone the next one is told `owner_died`.
  void close() noexcept {
    HandleOf<State>::close();
    repair_.reset();
  }

 protected:
  explicit RepairingHandle(State* state) noexcept : HandleOf<State>(state) {}

  template <class Function>
  void repair_by(Function repair) {
    repair_ = std::make_unique<RepairBy<Function>>(std::move(repair));
  }

  // True if it is held and consistent, false if the deadline passed; else throws.
  bool settle(LockAnswer answer) {
    if (answer == LockAnswer::acquired) [[likely]]
      return true;
    return settle_slowly(answer);
  }
  void settle_release(LockAnswer answer) const {
    if (answer != LockAnswer::released) [[unlikely]]
      throw_answer(answer);
  }
  bool settle_slowly(LockAnswer answer);
  [[noreturn]] void throw_answer(LockAnswer answer) const;

 private:
  std::unique_ptr<Repair> repair_;
};

}  // namespace kith::internal
