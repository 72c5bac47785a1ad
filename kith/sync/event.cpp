#include "kith/sync/event.hpp"

#include <optional>
#include <string>

#include "kith/base/error.hpp"
#include "kith/os/fork.hpp"
#include "kith/sync/internal/event_core.hpp"
#include "kith/sync/internal/handle_of_impl.hpp"
#include "kith/sync/internal/named_lock.hpp"

namespace kith {
namespace internal {

class EventState final : public LockHandle, public AnyObject {
 public:
  EventState(LockSite* site, EventWords& words, EventReset reset)
      : LockHandle(site), words_(words), core_(words, reset, kSpinning) {
    const os::ForkGuard guard;
    join();
    agree(reset);
  }

  [[nodiscard]] EventCore& core() noexcept { return core_; }

  LockAnswer wait(Deadline deadline) noexcept {
    LockAnswer answer = core_.try_take();
    if (!holds(answer)) {
      if (become_known(answer) == 0) return answer;
      answer = core_.wait(*this, deadline);
    }
    return unless_cut_short(answer);
  }
  // One that is set lets by also whom nobody knows.
  WaitSteps& begin_wait(StepsPlace& place) noexcept override {
    LockAnswer why_not{};
    const bool known = become_known(why_not) != 0;
    return place.begin(*this, core_.waiting(), known ? std::nullopt : std::optional(why_not));
  }

 private:
  // Throws wrong_type.
  void agree(EventReset reset) {
    const std::uint64_t ours = 1 + static_cast<std::uint64_t>(reset);
    std::uint64_t theirs = 0;
    // relaxed: a choice that is made once.
    if (words_.reset.compare_exchange_strong(theirs, ours, std::memory_order_relaxed,
                                             std::memory_order_relaxed) ||
        theirs == ours) {
      return;
    }
    const auto described = [](std::uint64_t which) -> std::string {
      if (which == 1) return "an event that stays set";
      return which == 2 ? "an event that resets itself" : "a number that means nothing";
    };
    throw Error(theirs == 1 || theirs == 2 ? Errc::wrong_type : Errc::damaged,
                {.object = object(),
                 .expected = described(ours),
                 .found = described(theirs),
                 .remedy = "pass the same `reset` in all programs"});
  }

  EventWords& words_;
  EventCore core_;
};

template class HandleOf<EventState>;

}  // namespace internal

using internal::EventState;
using internal::EventWords;

Event::Event(const Domain& domain, const std::string& name, EventOptions options)
    : HandleOf(internal::open_named<EventState, EventWords>(
          domain, name, LockKind::event, options.lifetime, options.rights, options.reset)) {}

Event::Event(const RegionHandle& region, const EventCell& cell, EventOptions options)
    : HandleOf(internal::open_embedded<EventState>(region.mapped(), cell.words_, LockKind::event,
                                                   options.reset)) {}

void Event::set() noexcept {
  state().core().set();
}
bool Event::reset() noexcept {
  return state().core().reset();
}
bool Event::is_set() const noexcept {
  return state().core().is_set();
}
Event::operator Waitable() & noexcept {
  return Waitable(state());
}
AwaitAnswer Event::wait(Deadline deadline) noexcept {
  return internal::await_answer(state().wait(deadline));
}

}  // namespace kith
