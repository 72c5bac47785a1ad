#include "tests/explore/waits_world.hpp"

#include <chrono>

namespace kith::explored {

bool WaitsWorld::may_be_dead(MemberId) const noexcept {
  return doubts_;
}

Liveness WaitsWorld::liveness(MemberId id) const noexcept {
  // A call of the kernel, which orders what the dead did before what follows: as a life lock.
  static_cast<void>(testkit::explore::Kernel::current().facts_of_path("/life"));
  return lives(id) ? Liveness::alive : Liveness::dead;
}

internal::WaitPatience WaitsWorld::patience(std::uint32_t spins) const {
  internal::WaitPatience patience;
  patience.slice = std::chrono::hours(slices_ ? 1 : 1'000'000);
  patience.spins = spins;
  return patience;
}

internal::MutexPatience WaitsWorld::patience_for_mutex(std::uint32_t losses) const {
  internal::MutexPatience patience;
  patience.losses = losses;
  if (!slices_) patience.slice = patience.reserved = std::chrono::hours(1'000'000);
  return patience;
}

Deadline WaitsWorld::deadline_of(std::uint32_t member, std::uint32_t trying,
                                 std::uint32_t hurried) {
  if (member < trying) return Deadline::now();
  if (member < trying + hurried) return Deadline::after(std::chrono::seconds(1));
  return Deadline::never();
}

std::uint64_t WaitsWorld::born(std::uint32_t member) {
  incarnations_.at(member) = testkit::explore::deaths_so_far() + 1;
  return internal::owner_word({member, incarnations_.at(member)});
}

std::uint64_t WaitsWorld::born_before(std::uint32_t member) {
  incarnations_.at(member) = 1;  // as that of one who has not died
  return internal::owner_word({member, incarnations_.at(member)});
}

void WaitsWorld::reap(const std::function<void(std::uint64_t)>& heal) const {
  for (const std::uint64_t dead : dead_) {
    // As a reaper does, which asks the kernel first.
    if (dead == 0 || liveness(internal::owner_of(dead)) != Liveness::dead) continue;
    heal(dead);
  }
}

bool WaitsWorld::lives(MemberId id) const {
  return id.incarnation != 0 && incarnations_.at(id.index) == id.incarnation;
}

void WaitsWorld::died(std::size_t process) {
  if (process >= kMembersMax || incarnations_.at(process) == 0) return;
  const auto member = static_cast<std::uint32_t>(process);
  dead_.at(member) = internal::owner_word({member, incarnations_.at(member)});
  incarnations_.at(member) = 0;
}

void WaitsWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const std::uint32_t incarnation : incarnations_) note(incarnation);
  for (const std::uint64_t dead : dead_) note(dead);
}

std::string mutex_text(std::uint64_t word) {
  using internal::MutexWord;
  if (MutexWord::is_retired(word)) return "retired";
  std::string text = !MutexWord::is_held(word)
                         ? std::string("free")
                         : "held by " + std::to_string(internal::owner_of(word).index);
  if ((word & MutexWord::kWaiters) != 0) text += ", waiters";
  if ((word & MutexWord::kInconsistent) != 0) text += ", inconsistent";
  if ((word & MutexWord::kStarving) != 0) text += ", starving";
  return text;
}

}  // namespace kith::explored
