// HandleOf: what of a handle on a lock users see: one that is moved and closed, and what it owns.
#pragma once

#include <cstdint>
#include <utility>

#include "kith/base/contract.hpp"

namespace kith::internal {

// `State` derives from LockHandle; who defines it instantiates this for it.
template <class State>
class HandleOf {
 public:
  HandleOf(HandleOf&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  HandleOf& operator=(HandleOf&& other) noexcept {
    if (this != &other) {
      close();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  ~HandleOf() { close(); }

  // Living processes that have it open, this one included; of one inside a region, 0: nobody
  // counts. Asks the kernel about each: for people.
  [[nodiscard]] std::uint32_t attached() const;
  // When the region it lies in was created, by the wall clock.
  [[nodiscard]] std::int64_t created_ns() const noexcept;
  // The region it lies in has lost its name: nobody new will come.
  [[nodiscard]] bool is_orphaned() const noexcept;
  void close() noexcept;
  explicit operator bool() const noexcept { return state_ != nullptr; }

 protected:
  explicit HandleOf(State* state) noexcept : state_(state) {}
  [[nodiscard]] State& state() const noexcept {
    KITH_REQUIRE(state_ != nullptr, "a closed or moved-from handle cannot be used");
    return *state_;
  }

 private:
  State* state_;
};

}  // namespace kith::internal
