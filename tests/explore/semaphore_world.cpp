#include "tests/explore/semaphore_world.hpp"

#include <algorithm>
#include <string>

namespace kith::explored {

using internal::SemaphoreCore;
using testkit::explore::require;

SemaphoreWorld::SemaphoreWorld(const SemaphoreSetting& setting)
    : WaitsWorld(setting.slices, setting.doubts), setting_(setting) {
  called(&announced_, "announced");
  for (auto& permit : permits_) {
    called(&permit, "permit", [](std::uint64_t word) -> std::string {
      if (internal::has_owner(word)) {
        return "held by " + std::to_string(internal::owner_of(word).index);
      }
      return word == 0 ? "free" : "free since its holder died";
    });
  }
  called(&used_, "what it stands for");
  for (auto& work : works_) called(&work, "work");
  for (std::uint32_t i = 0; i < setting.members; ++i) {
    const Work work = [this, i] { live(i); };
    process("member " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.reapers; ++i) {
    const Work work = [this] { reap(); };
    process("reaper " + std::to_string(i), work, work);
  }
}

SemaphoreCore SemaphoreWorld::core() {
  return {announced_, std::span(permits_).first(setting_.permits), patience()};
}

void SemaphoreWorld::live(std::uint32_t member) {
  const std::uint64_t me = born(member);
  for (std::uint32_t i = 0; i < setting_.times; ++i) {
    const LockAnswer answer = core().acquire(me, *this, Deadline::never());
    require(holds(answer), "an answer that nobody expects");
    // Since the exchange that took it, nobody else has done anything.
    const std::uint32_t left = left_by_the_dead();
    const bool told = answer == LockAnswer::owner_died;
    require(owed_ == left + (told ? 1 : 0),
            told ? "told of a death that was none" : "not told that its holder died");
    owed_ = left;
    use(member);
    if (setting_.closes) {
      died(member);  // as far as the books go
      core().abandon(me);
      return;
    }
    require(core().release(me) == LockAnswer::released, "not given back");
  }
  require(core().release(me) == LockAnswer::not_owner, "given back what it does not hold");
}

void SemaphoreWorld::use(std::uint32_t member) {
  inside_.at(member) = true;
  const auto inside = std::count(inside_.begin(), inside_.end(), true);
  require(static_cast<std::uint32_t>(inside) <= setting_.permits, "more hold one than there are");
  works_.at(member).write(1);
  if (setting_.permits == 1) used_.write(used_.read() + 1);
  inside_.at(member) = false;
}

void SemaphoreWorld::reap() {
  for (std::uint32_t i = 0; i < setting_.members; ++i) {
    const std::uint64_t owner = dead(i);
    // As a reaper does, which asks the kernel first.
    if (owner == 0 || liveness(internal::owner_of(owner)) != Liveness::dead) continue;
    core().abandon(owner);
    for (const auto& permit : permits_) {
      require(permit.peek() != owner, "reaped, and still held by the dead");
    }
  }
}

std::uint32_t SemaphoreWorld::left_by_the_dead() const {
  return static_cast<std::uint32_t>(std::count_if(permits_.begin(), permits_.end(), [&](auto& one) {
    const std::uint64_t word = one.peek();
    return word != 0 && !(internal::has_owner(word) && lives(internal::owner_of(word)));
  }));
}

void SemaphoreWorld::died(std::size_t process) {
  WaitsWorld::died(process);
  if (process >= setting_.members) return;
  inside_.at(process) = false;
  owed_ = left_by_the_dead();
}

void SemaphoreWorld::at_end() {
  require(left_by_the_dead() == owed_, "a death is forgotten, or invented");
  for (const auto& permit : permits_) {
    const std::uint64_t word = permit.peek();
    require(!internal::has_owner(word) || !lives(internal::owner_of(word)),
            "it is held at the end");
  }
}

void SemaphoreWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  note(owed_);
  for (const bool inside : inside_) note(inside);
}

}  // namespace kith::explored
