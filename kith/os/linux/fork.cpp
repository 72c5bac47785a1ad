#include "kith/os/fork.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <unistd.h>
#include <vector>

#include "kith/base/contract.hpp"
#include "kith/os/mapping.hpp"
#include "kith/os/random.hpp"

namespace kith::os {
namespace {

// Everything here is reached from fork handlers, also after static destructors have begun, so it is
// never destroyed.
struct ForkState {
  std::recursive_mutex mutex;
  std::vector<int> not_for_children;
  Mapping mark_page;
};

ForkState& state();

void before_fork() {
  state().mutex.lock();
}
void after_fork_in_parent() {
  state().mutex.unlock();
}

void after_fork_in_child() {
  for (const int descriptor : state().not_for_children) ::close(descriptor);
  state().not_for_children.clear();
  // Made anew, not unlocked: the mutex names the parent's thread as its holder, refuses an unlock
  // by the child's, and would stay locked for ever. The child has one thread, so nobody waits for
  // it.
  std::construct_at(&state().mutex);
}

ForkState* make_state() {
  auto* made = new ForkState;
  auto page = Mapping::of_private_pages(page_size());
  KITH_REQUIRE(page, "a private page can be mapped");
  KITH_REQUIRE(page.value.wipe_in_children(), "the kernel knows MADV_WIPEONFORK (Linux 4.14)");
  made->mark_page = std::move(page.value);
  return made;
}

ForkState& state() {
  static ForkState* const only = [] {
    ForkState* made = make_state();
    ::pthread_atfork(&before_fork, &after_fork_in_parent, &after_fork_in_child);
    return made;
  }();
  return *only;
}

// The last word of its page. A processor takes a load for one of a word just stored if both lie
// equally far into their pages, and waits for the store; and what begins a page is stored often:
// locks above all, right before who they belong to is asked. That cost a lock a tenth of its time.
std::uint64_t* mark_word() noexcept {
  const Mapping& page = state().mark_page;
  return reinterpret_cast<std::uint64_t*>(page.data() + page.size()) - 1;
}

}  // namespace

ForkGuard::ForkGuard() {
  state().mutex.lock();
}
ForkGuard::~ForkGuard() {
  state().mutex.unlock();
}

void close_in_children(int descriptor) {
  const ForkGuard guard;
  state().not_for_children.push_back(descriptor);
}

void forget_descriptor(int descriptor) noexcept {
  const ForkGuard guard;
  auto& list = state().not_for_children;
  list.erase(std::remove(list.begin(), list.end(), descriptor), list.end());
}

std::uint64_t process_mark() noexcept {
  std::atomic_ref<std::uint64_t> mark(*mark_word());
  std::uint64_t value = mark.load(std::memory_order_relaxed);
  if (value != 0) return value;
  // Several threads of a fresh child may arrive here at once: the first one decides. Relaxed: the
  // number guards no other data.
  const std::uint64_t fresh = random_number() | 1;
  return mark.compare_exchange_strong(value, fresh, std::memory_order_relaxed) ? fresh : value;
}

std::uint64_t* process_mark_word() noexcept {
  return mark_word();
}

}  // namespace kith::os
