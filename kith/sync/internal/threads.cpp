#include "kith/sync/internal/threads.hpp"

#include <algorithm>
#include <bitset>
#include <set>

#include "kith/os/fork.hpp"
#include "kith/os/thread_exit.hpp"
#include "kith/sync/internal/mutex_word.hpp"

namespace kith::internal {
namespace {

// Reached under a ForkGuard, which is a lock and keeps a child from inheriting it in mid-change.
// Never destroyed: threads may end after static objects are gone.
struct Threads {
  std::set<HeldByThreads*> held;
  std::bitset<MutexWord::kThreadsMax> taken;
  std::uint64_t process = 0;
};

Threads& threads() {
  static auto& only = *new Threads;
  // A child has only the thread that forked; the numbers of the others are free again.
  if (const std::uint64_t process = os::process_mark(); only.process != process) {
    only.process = process;
    only.taken.reset();
    if (this_thread != 0) only.taken.set(this_thread);
  }
  return only;
}

void end_this_thread() {
  const os::ForkGuard guard;
  Threads& all = threads();
  for (HeldByThreads* held : all.held) held->thread_ends(this_thread);
  all.taken.reset(this_thread);
  this_thread = 0;
}

}  // namespace

HeldByThreads::HeldByThreads(const LockPlace& place) : place_(place) {
  const os::ForkGuard guard;
  threads().held.insert(this);
}

HeldByThreads::~HeldByThreads() {
  const os::ForkGuard guard;
  threads().held.erase(this);
}

bool HeldByThreads::is_last_handle() const noexcept {
  const os::ForkGuard guard;
  const auto& all = threads().held;
  return std::none_of(all.begin(), all.end(), [this](const HeldByThreads* other) {
    return other != this && other->place_ == place_;
  });
}

std::uint32_t number_this_thread() noexcept {
  const os::ForkGuard guard;
  Threads& all = threads();
  if (this_thread != 0) return this_thread;
  std::uint32_t number = 1;  // 0 is nobody
  while (number < all.taken.size() && all.taken.test(number)) ++number;
  if (number == all.taken.size()) return 0;
  all.taken.set(number);
  this_thread = number;
  os::call_at_thread_exit(&end_this_thread);
  return number;
}

}  // namespace kith::internal
