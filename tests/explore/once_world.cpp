#include "tests/explore/once_world.hpp"

#include <string>

#include "tests/explore/subjects.hpp"

namespace kith::explored {

using internal::OnceCore;
using testkit::explore::require;

OnceWorld::OnceWorld(const OnceSetting& setting) : LockedWorld(setting.members), setting_(setting) {
  called(&done_, "done");
  called(&made_[0], "what it makes");
  called(&made_[1], "its other half");
  for (std::uint32_t i = 0; i < setting.members; ++i) {
    const Work work = [this, i] { live(i); };
    process("member " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.reapers; ++i) {
    const Work work = [this] { reap(); };
    process("reaper " + std::to_string(i), work, work);
  }
}

void OnceWorld::live(std::uint32_t member) {
  Lock lock = begin(member);
  for (std::uint32_t i = 0; i < setting_.calls; ++i) call(member, lock);
}

void OnceWorld::call(std::uint32_t member, Lock& lock) {
  OnceCore once(done_);
  // As the handle does.
  OnceAnswer answer = OnceAnswer::done_before;
  bool ran = false;
  if (!once.is_done()) {
    answer = once.run(lock, Deadline::never(), [&](bool again) {
      run(member, again, lock.due());
      ran = true;
    });
  }
  require(is_done(answer), "neither run nor done");
  require(ran == (answer != OnceAnswer::done_before), "the answer does not say who ran it");
  require(made_[0].read() == 1 && made_[1].read() == 1, "done, and what it made is not there");
  known_done_ = true;
}

void OnceWorld::run(std::uint32_t member, bool again, bool due) {
  require(!runs_, "two run it");
  require(!known_done_, "run again after it was done");
  require(again == due, due ? "not told that it was begun" : "told of a death that was none");
  runs_ = member;
  made_[0].write(1);
  made_[1].write(1);
  runs_.reset();
}

// ---- the books

void OnceWorld::died(std::size_t process) {
  LockedWorld::died(process);
  if (runs_ == process) runs_.reset();
}

void OnceWorld::at_end() {
  require(!known_done_ || done_.peek() != 0, "it is not done any more");
}

void OnceWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  LockedWorld::ghost(note);
  note(runs_ ? *runs_ + 1 : 0);
  note(known_done_);
}

// ---- subjects

constexpr SubjectOf<OnceWorld, OnceSetting> subject;

std::vector<Subject> once_subjects() {
  using explore::kUnbounded;
  using explore::Memory;
  return {
      subject("once: 2 members", {.calls = 2}, bounds(kUnbounded, 0)),
      subject("once: 3 members", {.members = 3}, bounds(4, 0)),
      subject("once: 2 members, two deaths", {.calls = 2}, bounds(3, 2)),
      subject("once: 3 members, deaths", {.members = 3}, bounds(2, 1)),
      subject("once: 2 members, one reaps, deaths", {.reapers = 1}, bounds(3, 1)),
      subject("once: weak memory", {.calls = 2}, bounds(3, 0, Memory::weak)),
      subject("once: weak memory, deaths", {.reapers = 1}, bounds(2, 1, Memory::weak)),
  };
}

MutationTarget once_target() {
  using explore::Memory;
  return {"once_core.hpp",
          "sync/internal/once_core.hpp",
          {
              subject("2 members", {.calls = 2}, bounds(3, 0)),
              subject("deaths", {}, bounds(2, 1)),
              subject("weak", {}, bounds(3, 0, Memory::weak)),
          }};
}

}  // namespace kith::explored
