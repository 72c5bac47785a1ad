#include "tests/explore/locked_world.hpp"

namespace kith::explored {

using internal::MutexCore;
using internal::MutexWord;

LockedWorld::LockedWorld(std::uint32_t members) : members_(members) {
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

Liveness LockedWorld::liveness(MemberId id) const noexcept {
  // A call of the kernel, which orders what the dead did before what follows: as a life lock.
  static_cast<void>(testkit::explore::Kernel::current().facts_of_path("/life"));
  return incarnations_.at(id.index) == id.incarnation ? Liveness::alive : Liveness::dead;
}

LockedWorld::Lock LockedWorld::begin(std::uint32_t member) {
  const std::uint32_t incarnation = testkit::explore::deaths_so_far() + 1;
  incarnations_.at(member) = incarnation;
  return {*this, MutexWord::of(internal::owner_word({member, incarnation}), member)};
}

void LockedWorld::reap() {
  for (const std::uint64_t dead : dead_) {
    // As a reaper does, which asks the kernel first.
    if (dead == 0 || liveness(internal::owner_of(dead)) != Liveness::dead) continue;
    MutexCore(mutex_).heal(dead);
  }
}

void LockedWorld::died(std::size_t process) {
  if (process >= members_) return;
  const auto member = static_cast<std::uint32_t>(process);
  const MemberId id{member, incarnations_.at(member)};
  dead_.at(member) = internal::owner_word(id);
  const std::uint64_t word = mutex_.word.peek();
  if (MutexWord::is_held(word) && internal::owner_of(word) == id) due_ = true;
  incarnations_.at(member) = 0;
}

void LockedWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  for (const std::uint32_t incarnation : incarnations_) note(incarnation);
  for (const std::uint64_t dead : dead_) note(dead);
  note(due_);
}

}  // namespace kith::explored
