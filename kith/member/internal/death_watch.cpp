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

// Between two looks at the dying.
constexpr std::chrono::nanoseconds kPauseMin = 50us;
constexpr std::chrono::nanoseconds kPauseMax = 5ms;

}  // namespace

DeathWatch::DeathWatch(MappedRegion table, std::uint32_t members_max,
                       std::chrono::nanoseconds dying_max)
    : table_(std::move(table)), members_max_(members_max), dying_max_(dying_max) {}

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
  if (member >= records_ready()) return;  // nobody: an owner word of a stranger's
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

// Whom to watch may change, and others may die, while one is dying: so it never does one thing for
// longer than a look.
void DeathWatch::run() {
  while (!ended_.load(std::memory_order_relaxed)) {
    wait();
    take_up_dying();
    if (dying_count_ != 0 && next_look_.has_passed()) see_them_dead();
  }
}

// Records beyond are not allocated, whatever an owner word says.
std::uint32_t DeathWatch::records_ready() const noexcept {
  const auto& header = *reinterpret_cast<const TableHeader*>(table_.content());
  // relaxed: who is watched is in the table for longer than that.
  return std::min(header.records_ready.load(std::memory_order_relaxed), members_max_);
}

RealAtomics::Word<std::uint32_t>& DeathWatch::life(std::uint32_t member) const noexcept {
  return reinterpret_cast<MemberRecord*>(table_.content() + kRecordsOffset)[member].life;
}

std::uint64_t DeathWatch::state(std::uint32_t member) const noexcept {
  const auto* records = reinterpret_cast<const MemberRecord*>(table_.content() + kRecordsOffset);
  // acquire: as Membership::liveness().
  return records[member].state.load(std::memory_order_acquire);
}

// Until somebody watched is dying, there is somebody new to watch, or it is time to look at the
// dying.
void DeathWatch::wait() noexcept {
  std::array<os::ExpectedWord, kWatched + 1> words;
  // acquire: what was changed before the poke is seen below.
  words[0] = {poke_, poke_.load(std::memory_order_acquire)};
  std::size_t count = 1;
  const std::uint32_t ready = records_ready();
  for (auto& watched : watched_) {
    const std::uint32_t member = watched.load(std::memory_order_relaxed);
    if (member == 0 || member > ready) continue;
    const std::uint32_t word = life(member - 1).load(std::memory_order_relaxed);
    if (word == 0 || os::says_dead(word)) return;
    words[count++] = {life(member - 1), word};
  }
  if (ended_.load(std::memory_order_relaxed)) return;
  os::futex_wait_any(std::span(words).first(count),
                     dying_count_ != 0 ? next_look_ : Deadline::never());
}

void DeathWatch::take_up_dying() noexcept {
  const std::uint32_t ready = records_ready();
  for (auto& watched : watched_) {
    const std::uint32_t member = watched.load(std::memory_order_relaxed);
    if (member == 0 || member > ready) continue;
    // 0: nobody will say so if it dies.
    const std::uint32_t word = life(member - 1).load(std::memory_order_relaxed);
    if (word != 0 && !os::says_dead(word)) continue;
    watched.store(0, std::memory_order_relaxed);
    // The kernel woke one of all who sleep on it.
    os::futex_wake_all(life(member - 1));
    take_up({member - 1, state(member - 1), Deadline::after(dying_max_)});
  }
}

void DeathWatch::take_up(const Dying& one) noexcept {
  const auto end = dying_.begin() + static_cast<std::ptrdiff_t>(dying_count_);
  const bool known = std::any_of(dying_.begin(), end, [&](const Dying& other) {
    return other.member == one.member && other.state == one.state;
  });
  if (known) return;
  if (dying_count_ == dying_.size()) {  // the one that takes longest is left to the slices
    std::move(dying_.begin() + 1, dying_.end(), dying_.begin());
    --dying_count_;
  }
  dying_[dying_count_++] = one;
  pause_ = kPauseMin;
  next_look_ = Deadline::after(pause_);
}

void DeathWatch::see_them_dead() noexcept {
  bool any_dead = false;
  auto* const end =
      std::remove_if(dying_.begin(), dying_.begin() + dying_count_, [&](const Dying& one) {
        const bool dead = state(one.member) != one.state || is_dead(one.member);
        any_dead = any_dead || dead;
        return dead || one.until.has_passed();
      });
  dying_count_ = static_cast<std::size_t>(end - dying_.begin());
  if (any_dead) wake_sleepers();
  pause_ = std::min(pause_ * 2, kPauseMax);
  next_look_ = Deadline::after(pause_);
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
