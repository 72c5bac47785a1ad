#include "kith/sync/rw_lock.hpp"

#include "kith/sync/internal/repairing_handle_impl.hpp"

namespace kith {
namespace internal {

template class HandleOf<RwLockState>;
template class RepairingHandle<RwLockState, &RwLockState::release_exclusive>;

}  // namespace internal

bool RwLock::settle_shared_slowly(LockAnswer answer) {
  if (answer != LockAnswer::owner_died) return settle_slowly(answer);
  settle_slowly(answer);
  const LockAnswer shared = state().downgrade();
  if (shared == LockAnswer::acquired) return true;
  static_cast<void>(state().release_exclusive());
  throw_answer(shared);
}

}  // namespace kith
