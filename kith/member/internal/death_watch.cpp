#include "kith/member/internal/death_watch.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kith/os/file_lock.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"

namespace kith::internal {

using namespace std::chrono_literals;

namespace {

// Beyond which a dying process is left to those who wait for it: it takes 70 ms to tear down a
// gibibyte, and a vfork child may hold up its parent's end for as long as it likes.
constexpr auto kDyingMax = 10s;

}  // namespace

DeathWatch::DeathWatch(MappedRegion table, std::uint32_t members_max)
    : table_(std::move(table)), members_max_(members_max) {}

// ---- sleepers

DeathWatch::Sleep::Sleep(DeathWatch& watch, const Word& word,
                         std::span<const MemberId> members) noexcept {
  for (auto& seat : watch.seats_) {
    const Word* none = nullptr;
    // seq_cst: known first, then asked whether the member lives; the watch hears first, then looks
    // who is known.
    if (seat.compare_exchange_strong(none, &word, std::memory_order_seq_cst,
                                     std::memory_order_relaxed)) {
      seat_ = &seat;
      break;
    }
  }
  for (const MemberId& member : members) watch.add(member.index);
}

DeathWatch::Sleep::~Sleep() {
  // relaxed: to be woken once too often harms nobody.
  if (seat_ != nullptr) seat_->store(nullptr, std::memory_order_relaxed);
}

void DeathWatch::add(std::uint32_t member) noexcept {
  // relaxed: numbers only; the poke orders them for the thread.
  for (auto& watched : watched_) {
    if (watched.load(std::memory_order_relaxed) == member + 1) return;
  }
  const auto poke = [this] {
    poke_.fetch_add(1, std::memory_order_release);
    os::futex_wake_all(poke_);
  };
  for (auto& watched : watched_) {
    std::uint32_t none = 0;
    if (!watched.compare_exchange_strong(none, member + 1, std::memory_order_relaxed,
                                         std::memory_order_relaxed)) {
      continue;
    }
    return poke();
  }
  // More than the kernel can wait for: the one who was watched for longest is left to the slices.
  const std::uint32_t oldest = next_.fetch_add(1, std::memory_order_relaxed) % kWatched;
  watched_[oldest].store(member + 1, std::memory_order_relaxed);
  poke();
}

void DeathWatch::end() noexcept {
  ended_.store(true, std::memory_order_relaxed);
  // release: whoever sees the poke sees that it is the last.
  poke_.fetch_add(1, std::memory_order_release);
  os::futex_wake_all(poke_);
}

// ---- the thread

void DeathWatch::run() {
  while (!ended_.load(std::memory_order_relaxed)) {
    wait();
    see_them_dead();
  }
}

RealAtomics::Word<std::uint32_t>& DeathWatch::life(std::uint32_t member) const noexcept {
  return reinterpret_cast<MemberRecord*>(table_.content() + kRecordsOffset)[member].life;
}

std::uint64_t DeathWatch::state(std::uint32_t member) const noexcept {
  const auto* records = reinterpret_cast<const MemberRecord*>(table_.content() + kRecordsOffset);
  // acquire: as Membership::liveness().
  return records[member].state.load(std::memory_order_acquire);
}

// Until somebody watched is dying, or there is somebody new to watch.
void DeathWatch::wait() noexcept {
  std::array<os::ExpectedWord, kWatched + 1> words;
  // acquire: what was changed before the poke is seen below.
  words[0] = {&poke_, poke_.load(std::memory_order_acquire)};
  std::size_t count = 1;
  for (auto& watched : watched_) {
    const std::uint32_t member = watched.load(std::memory_order_relaxed);
    if (member == 0 || member > members_max_) continue;
    const std::uint32_t word = life(member - 1).load(std::memory_order_relaxed);
    if (os::says_dead(word)) return;
    words[count++] = {&life(member - 1), word};
  }
  if (ended_.load(std::memory_order_relaxed)) return;
  os::futex_wait_any(std::span(words).first(count), Deadline::never());
}

void DeathWatch::see_them_dead() noexcept {
  struct Dying {
    std::uint32_t member;
    std::uint64_t state;
  };
  std::array<Dying, kWatched> dying;
  std::size_t count = 0;
  for (auto& watched : watched_) {
    const std::uint32_t member = watched.load(std::memory_order_relaxed);
    if (member == 0 || member > members_max_) continue;
    const std::uint32_t word = life(member - 1).load(std::memory_order_relaxed);
    if (word != 0 && !os::says_dead(word)) continue;
    watched.store(0, std::memory_order_relaxed);
    // The kernel woke one of all who sleep on it.
    os::futex_wake_all(life(member - 1));
    dying[count++] = {member - 1, state(member - 1)};
  }
  const Deadline patience = Deadline::after(kDyingMax);
  auto pause = std::chrono::nanoseconds(50us);
  while (count > 0 && !patience.has_passed() && !ended_.load(std::memory_order_relaxed)) {
    const auto* left = std::remove_if(
        dying.begin(), dying.begin() + count,
        [this](const Dying& one) { return state(one.member) != one.state || is_dead(one.member); });
    const auto alive = static_cast<std::size_t>(left - dying.begin());
    if (alive < count) wake_sleepers();
    count = alive;
    if (count == 0) break;
    os::pause_for(pause, patience);
    pause = std::min<std::chrono::nanoseconds>(pause * 2, 5ms);
  }
}

bool DeathWatch::is_dead(std::uint32_t member) const noexcept {
  const os::ForkGuard no_forks;
  try {
    const auto held =
        os::is_locked_elsewhere(table_.reopen(), kLifeLocks + member, os::LockKind::exclusive);
    return !held || !held.value;
  } catch (const std::exception&) {
    return true;  // the table is gone: they look for themselves
  }
}

// More than once: who had made itself known, and was not asleep yet, would miss the first.
void DeathWatch::wake_sleepers() noexcept {
  for (const auto pause : {0us, 100us, 1000us}) {
    if (pause != 0us) os::pause_for(pause, Deadline::never());
    for (auto& seat : seats_) {
      // seq_cst: see Sleep.
      const Word* word = seat.load(std::memory_order_seq_cst);
      if (word != nullptr) os::futex_wake_all(*word);
    }
  }
}

}  // namespace kith::internal
