// Repair: what a handle on a lock was told to do when a holder died.
#pragma once

#include <utility>

namespace kith::internal {

// A std::function<bool()>, but <functional> would cost every user a tenth of a second to compile.
class Repair {
 public:
  virtual ~Repair() = default;
  virtual bool repair() = 0;
};

template <class Function>
class RepairBy final : public Repair {
 public:
  explicit RepairBy(Function function) : function_(std::move(function)) {}
  bool repair() override { return static_cast<bool>(function_()); }

 private:
  Function function_;
};

}  // namespace kith::internal
