#include "kith/channel/internal/latest_reader.hpp"

#include <algorithm>

#include "kith/channel/internal/latest_guest.hpp"
#include "kith/channel/latest_bytes.hpp"
#include "kith/os/futex.hpp"

namespace kith::internal {

using namespace std::chrono_literals;

LatestReaderState::LatestReaderState(const Domain& domain, const LatestRequest& request,
                                     Inherited inherited)
    : source_(open_for_reading(domain, request).release()),
      role_(source_->claim_reader(request.role, request.deadline)),
      core_(source_->newest(), source_->bank(), role_.index, source_->shape().words()),
      slots_(source_->slots()) {
  core_.join();  // before anything is claimed; a pin that was inherited is in view already
  if (role_.inherited) inherited_ = core_.recover();
  if (inherited_ == 0 || inherited == Inherited::resume) return;
  core_.release();
  inherited_ = 0;
}

LatestReaderState::OwnedSource::~OwnedSource() {
  delete source_;
}

LatestReaderState::~LatestReaderState() {
  if (process_.same_process()) source_->release_reader(role_.index, retires_);
}

LatestTaken LatestReaderState::resume() noexcept {
  if (pinned_ != 0) return refused(ReadAnswer::held);
  if (!process_.same_process()) return refused(ReadAnswer::forked);
  if (inherited_ == 0 || seen_ != 0) return refused(ReadAnswer::empty);
  return hold(inherited_, place_of(inherited_));
}

LatestReaderState* LatestReaderState::refresh(LatestTaken& taken) noexcept {
  const std::uint64_t before = pinned_;
  taken = take();
  if (taken.slot != nullptr) {
    if (pinned_ == before) taken.answer = ReadAnswer::unchanged;
    return this;
  }
  if (abandoned_) delete this;
  return nullptr;
}

LatestTaken LatestReaderState::give_up(ReadAnswer why) noexcept {
  if (why != ReadAnswer::forked) core_.release();
  inherited_ = 0;
  pinned_ = 0;
  return refused(why);
}

void LatestReaderState::end() noexcept {
  delete this;
}

void LatestReaderState::abandon() noexcept {
  if (pinned_ == 0) {
    delete this;
  } else {
    abandoned_ = true;
  }
}

WaitAnswer LatestReaderState::wait_newer(Deadline deadline) noexcept {
  // Slices, because a writer may be killed between its commit and its wake, or the file be removed.
  constexpr auto kSlice = 100ms;
  for (;;) {
    if (!process_.same_process()) return WaitAnswer::forked;
    // Before it asks to be woken, which costs the next write a system call.
    if (has_newer()) return WaitAnswer::newer;
    const Deadline slice_end = deadline.within(kSlice);
    auto* notify = source_->notify();
    const os::Slept slept = notify != nullptr ? sleep(*notify, slice_end) : poll(slice_end);
    if (has_newer()) return WaitAnswer::newer;
    if (slept == os::Slept::interrupted) return WaitAnswer::interrupted;
    if (deadline.has_passed()) return WaitAnswer::timed_out;
    if (source_->is_orphaned()) return WaitAnswer::orphaned;
  }
}

// Until there is a newer value, or the slice is over, or a signal was handled that may end it.
os::Slept LatestReaderState::sleep(RealAtomics::Word<std::uint32_t>& notify,
                                   Deadline deadline) noexcept {
  while (!deadline.has_passed()) {
    // seq_cst: our bit, then our look at `latest`; the writer stores `latest`, then looks at the
    // bit. One of the two sees the other.
    const std::uint32_t word = notify.fetch_or(1, std::memory_order_seq_cst) | 1;
    if (is_newer(core_.newest_in_order())) break;
    const os::Slept slept = os::futex_wait(notify, word, deadline);
    if (slept == os::Slept::interrupted && deadline.is_interruptible()) return slept;
  }
  return os::Slept::over;
}

os::Slept LatestReaderState::poll(Deadline deadline) noexcept {
  for (std::chrono::nanoseconds pause = 20us; !deadline.has_passed() && !has_newer();
       pause = std::min<std::chrono::nanoseconds>(pause * 2, 1ms)) {
    const os::Slept slept = os::pause_for(pause, deadline);
    if (slept == os::Slept::interrupted && deadline.is_interruptible()) return slept;
  }
  return os::Slept::over;
}

}  // namespace kith::internal
