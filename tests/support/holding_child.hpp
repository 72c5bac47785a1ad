// A child that takes a lock, of whatever kind, and keeps it until it is killed or told to let go.
//
//   HoldingChild holder([domain] { return Mutex(domain, "lock"); });
//   ASSERT_TRUE(holder.holds());
//   holder.child.kill();
#pragma once

#include <string>

#include "kith/sync/lock_answer.hpp"

#include "tests/support/child.hpp"

namespace kith::tests {

struct HoldingChild {
  // open() makes the handle; take(handle) takes what it is for, and gives back its answer.
  template <class Open, class Take>
  HoldingChild(Open open, Take take)
      : child([open, take](Mouth& parent) {
          auto lock = open();
          parent.say(std::string(to_string(take(lock))));
          if (!parent.hear(soon())) return 1;
          return lock.release() == LockAnswer::released ? 0 : 2;
        }) {}
  template <class Open>
  explicit HoldingChild(Open open)
      : HoldingChild(open, [](auto& lock) { return lock.acquire(patience()); }) {}

  // Whether it holds it by now.
  bool holds() { return child.hear() == "acquired"; }
  Child child;
};

}  // namespace kith::tests
