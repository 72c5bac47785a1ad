// The members of HandleOf, for the source that knows its State.
#pragma once

#include "kith/sync/internal/handle_of.hpp"
#include "kith/sync/internal/lock_handle.hpp"

namespace kith::internal {

template <class State>
std::uint32_t HandleOf<State>::attached() const {
  return state().attached();
}
template <class State>
std::int64_t HandleOf<State>::created_ns() const noexcept {
  return state().created_ns();
}
template <class State>
bool HandleOf<State>::is_orphaned() const noexcept {
  return state().is_orphaned();
}
template <class State>
void HandleOf<State>::close() noexcept {
  delete std::exchange(state_, nullptr);
}

}  // namespace kith::internal
