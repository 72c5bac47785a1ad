#include "kith/sync/mutex.hpp"

#include "kith/sync/internal/repairing_handle_impl.hpp"

namespace kith::internal {

template class HandleOf<MutexState>;
template class RepairingHandle<MutexState, &MutexState::release>;

}  // namespace kith::internal
