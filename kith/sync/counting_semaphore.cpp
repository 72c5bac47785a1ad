#include "kith/sync/counting_semaphore.hpp"

#include <optional>

#include "kith/os/fork.hpp"
#include "kith/sync/internal/counting_core.hpp"
#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/named_lock.hpp"

namespace kith {
namespace internal {

class CountingSemaphoreState final : public LockHandle, public AnyObject {
 public:
  CountingSemaphoreState(LockSite* site, CountingSemaphoreWords& words)
      : LockHandle(site), core_(words.count, words.announced, kSpinning) {
    const os::ForkGuard guard;
    join();
  }

  LockAnswer acquire(Deadline deadline) noexcept {
    LockAnswer answer = core_.try_take();
    if (!holds(answer)) {
      if (become_known(answer) == 0) return answer;
      answer = core_.acquire(*this, deadline);
    }
    return unless_cut_short(answer);
  }
  // A signal that is there may be taken also by whom nobody knows.
  WaitSteps& begin_wait(StepsPlace& place) noexcept override {
    LockAnswer why_not{};
    const bool known = become_known(why_not) != 0;
    return place.begin(*this, core_.waiting(), known ? std::nullopt : std::optional(why_not));
  }
  LockAnswer release(std::uint32_t times) noexcept {
    const LockAnswer answer = core_.release(times);
    return pages_lost() ? LockAnswer::damaged : answer;
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return core_.count(); }

 private:
  CountingCore core_;
};

template class HandleOf<CountingSemaphoreState>;

}  // namespace internal

using internal::CountingSemaphoreState;

CountingSemaphore::CountingSemaphore(const Domain& domain, const std::string& name,
                                     CountingSemaphoreOptions options)
    : HandleOf(internal::open_named<CountingSemaphoreState, internal::CountingSemaphoreWords>(
          domain, name, LockKind::counting_semaphore, options.lifetime, options.rights)) {}

CountingSemaphore::CountingSemaphore(const RegionHandle& region, const CountingSemaphoreCell& cell,
                                     CountingSemaphoreOptions)
    : HandleOf(internal::open_embedded<CountingSemaphoreState>(region.mapped(), cell.words_,
                                                               LockKind::counting_semaphore)) {}

LockAnswer CountingSemaphore::acquire(Deadline deadline) noexcept {
  return state().acquire(deadline);
}
LockAnswer CountingSemaphore::release(std::uint32_t times) noexcept {
  return state().release(times);
}
std::uint64_t CountingSemaphore::count() const noexcept {
  return state().count();
}
CountingSemaphore::operator Waitable() & noexcept {
  return Waitable(state());
}

}  // namespace kith
