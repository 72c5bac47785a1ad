#include "tests/explore/locked_world.hpp"

namespace kith::explored {

using internal::MutexCore;
using internal::MutexWord;

LockedWorld::LockedWorld(std::uint32_t members) : WaitsWorld(true, true), members_(members) {
  called(&mutex_.word, "mutex");
}

LockedWorld::Lock::Lock(LockedWorld& world, std::uint64_t me)
    : world_(world), mutex_(world.mutex_), me_(me) {}

LockAnswer LockedWorld::Lock::acquire(Deadline deadline) noexcept {
  const bool quick = mutex_.acquire_free(me_);
  const LockAnswer answer =
      quick ? LockAnswer::acquired : mutex_.acquire(me_, false, world_, deadline);
  due_ = world_.due_;
  return answer;
}

LockAnswer LockedWorld::Lock::release() noexcept {
  if (mutex_.release_quiet(me_)) return LockAnswer::released;
  return mutex_.release(me_);
}

LockAnswer LockedWorld::Lock::declare_consistent() noexcept {
  const LockAnswer answer = mutex_.declare_consistent(me_);
  world_.due_ = false;
  return answer;
}

LockedWorld::Lock LockedWorld::begin(std::uint32_t member) {
  return {*this, MutexWord::of(born(member), member)};
}

void LockedWorld::reap() {
  WaitsWorld::reap([this](std::uint64_t dead) { MutexCore(mutex_).heal(dead); });
}

void LockedWorld::died(std::size_t process) {
  if (process >= members_) return;
  const std::uint64_t word = mutex_.word.peek();
  const MemberId id = id_of(static_cast<std::uint32_t>(process));
  if (MutexWord::is_held(word) && internal::owner_of(word) == id) due_ = true;
  WaitsWorld::died(process);
}

void LockedWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  note(due_);
}

}  // namespace kith::explored
