#include "kith/sync/internal/threads.hpp"

#include <algorithm>
#include <bitset>
#include <set>

#include "kith/os/fork.hpp"
#include "kith/os/thread_exit.hpp"
#include "kith/sync/internal/mutex_word.hpp"

namespace kith::internal {

constinit thread_local std::uint32_t number_of_this_thread = 0;

namespace {

// Reached under a ForkGuard, which is a lock and keeps a child from inheriting it in mid-change.
// Never destroyed: threads may end after static objects are gone.
struct Threads {
  std::set<HeldByThreads*> held;
  // A child inherits them: the number of the thread that forked is its own there as well, and those
  // of the others are never given again.
  std::bitset<MutexWord::kThreadsMax> taken;
};

Threads& threads() {
  static auto& only = *new Threads;
  return only;
}

void end_this_thread() {
  const os::ForkGuard guard;
  Threads& all = threads();
  for (HeldByThreads* held : all.held) held->thread_ends(number_of_this_thread);
  all.taken.reset(number_of_this_thread);
  number_of_this_thread = 0;
}

}  // namespace

std::uint32_t number_of_calling_thread() noexcept {
  return number_of_this_thread;
}

void HeldByThreads::enlist() {
  const os::ForkGuard guard;
  threads().held.insert(this);
}

bool HeldByThreads::delist() noexcept {
  const os::ForkGuard guard;
  auto& all = threads().held;
  all.erase(this);
  const std::uint64_t me = holds_as();
  return std::none_of(all.begin(), all.end(), [&](const HeldByThreads* other) {
    return other->place_ == place_ && other->holds_as() == me;
  });
}

std::uint32_t number_this_thread() noexcept {
  const os::ForkGuard guard;
  Threads& all = threads();
  if (number_of_this_thread != 0) return number_of_this_thread;
  std::uint32_t number = 1;  // 0 is nobody
  while (number < all.taken.size() && all.taken.test(number)) ++number;
  if (number == all.taken.size()) return 0;
  all.taken.set(number);
  number_of_this_thread = number;
  os::call_at_thread_exit(&end_this_thread);
  return number;
}

}  // namespace kith::internal
