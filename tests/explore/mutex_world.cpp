#include "tests/explore/mutex_world.hpp"

#include <string>

#include "tests/explore/subjects.hpp"

namespace kith::explored {

using internal::MutexCore;
using internal::MutexWord;
using testkit::explore::fail;
using testkit::explore::require;

MutexWorld::MutexWorld(const MutexSetting& setting)
    : WaitsWorld(setting.slices, setting.doubts), setting_(setting) {
  called(&words_.word, "mutex", mutex_text);
  called(&words_.depth, "depth");
  called(&guarded_[0], "what it guards");
  called(&guarded_[1], "its other half");
  for (std::uint32_t i = 0; i < setting.members; ++i) {
    const Work work = [this, i] { live(i); };
    process("member " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.reapers; ++i) {
    const Work work = [this] { reap(); };
    process("reaper " + std::to_string(i), work, work);
  }
}

// ---- members

MutexCore MutexWorld::core() {
  return MutexCore(words_, patience_for_mutex(setting_.losses));
}

void MutexWorld::live(std::uint32_t member) {
  const std::uint64_t me = MutexWord::of(born(member), member);
  const bool once = setting_.accesses != 0 && member == 0;
  for (std::uint32_t i = 0; i < (once ? 1 : setting_.times); ++i) take(member, me);
}

LockAnswer MutexWorld::acquire(std::uint32_t member, std::uint64_t me) {
  MutexCore mutex = core();
  if (mutex.acquire_free(me)) return LockAnswer::acquired;
  if (setting_.accesses == 0 || member != 0) {
    const Deadline deadline = deadline_of(member, setting_.trying, setting_.hurried);
    return mutex.acquire(me, setting_.depth > 0, *this, deadline);
  }
  // However often the others take it again: who waits long enough is let by.
  const testkit::explore::AccessLimit limit("waiting", setting_.accesses);
  return mutex.acquire(me, false, *this, Deadline::never());
}

void MutexWorld::take(std::uint32_t member, std::uint64_t me) {
  const LockAnswer answer = acquire(member, me);
  if (answer == LockAnswer::timed_out) {
    require(member < setting_.trying + setting_.hurried, "who waits for ever ran out of time");
    return;
  }
  if (answer == LockAnswer::retired) {
    require(retired_, "it was retired by nobody");
    return;
  }
  require(holds(answer), "an answer that nobody expects");
  use(member, me, answer);
}

void MutexWorld::use(std::uint32_t member, std::uint64_t me, LockAnswer answer) {
  require(!retired_, "a retired mutex was taken");
  require(!holder_, "two hold it");
  holder_ = member;
  const bool told = answer == LockAnswer::owner_died;
  require(told == torn_, told ? "told of a death that was none" : "not told that its holder died");
  MutexCore mutex = core();
  for (std::uint32_t i = 0; i < setting_.depth; ++i) {
    require(mutex.acquire(me, true, *this, Deadline::now()) == answer, "not taken again");
  }
  const std::uint64_t first = guarded_[0].read();
  const std::uint64_t second = guarded_[1].read();
  require(told || first == second, "what it guards is torn");
  if (told && setting_.retires) {
    retired_ = true;
    holder_.reset();
    require(mutex.retire(me) == LockAnswer::retired, "not retired");
    return;
  }
  if (!told || setting_.repairs) {
    guarded_[0].write(first + 1);
    guarded_[1].write(first + 1);
  }
  if (told && setting_.repairs) {
    require(mutex.declare_consistent(me) == LockAnswer::owner_died, "not declared consistent");
    torn_ = false;
  }
  give_back(me);
}

void MutexWorld::give_back(std::uint64_t me) {
  MutexCore mutex = core();
  for (std::uint32_t left = setting_.depth + 1; left > 0; --left) {
    require(holds(mutex.check(me)), "given back too early");
    // Before the others can know; its death from here on may or may not be one of a holder.
    if (left == 1) holder_.reset();
    if (mutex.release_quiet(me)) continue;
    require(mutex.release(me) == LockAnswer::released, "not given back");
  }
}

void MutexWorld::reap() {
  WaitsWorld::reap([this](std::uint64_t dead) {
    core().heal(dead);
    const std::uint64_t word = words_.word.peek();
    require(!MutexWord::is_held(word) || MutexWord::member(word) != dead,
            "reaped, and still held by the dead");
  });
}

// ---- the books

void MutexWorld::died(std::size_t process) {
  if (process >= setting_.members) return;
  const auto member = static_cast<std::uint32_t>(process);
  const std::uint64_t word = words_.word.peek();
  if (MutexWord::is_held(word) && internal::owner_of(word) == id_of(member)) torn_ = true;
  if (holder_ == member) holder_.reset();
  WaitsWorld::died(process);
}

void MutexWorld::at_end() {
  const std::uint64_t word = words_.word.peek();
  if (retired_) {
    require(MutexWord::is_retired(word), "it is not retired any more");
    return;
  }
  if (MutexWord::is_held(word)) {
    require(!lives(internal::owner_of(word)), "it is held at the end");
  } else {
    require(((word & MutexWord::kInconsistent) != 0) == torn_, "a death is forgotten, or invented");
  }
  if (!torn_) {
    require(guarded_[0].peek() == guarded_[1].peek(), "at the end what it guards is torn");
  }
}

void MutexWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  note(holder_ ? *holder_ + 1 : 0);
  note(torn_);
  note(retired_);
}

// ---- subjects

constexpr SubjectOf<MutexWorld, MutexSetting> subject;

std::vector<Subject> mutex_subjects() {
  using explore::kUnbounded;
  using explore::Memory;
  const MutexSetting greedy{.members = 2, .times = 8, .losses = 2, .accesses = 32};
  const MutexSetting starving{.members = 3, .losses = 1, .slices = true};
  return {
      subject("mutex: 2 members x 2", {.times = 2}, bounds(kUnbounded, 0)),
      subject("mutex: 3 members, nobody sleeps for good", {.members = 3}, bounds(4, 0)),
      subject("mutex: 3 members x 2, one in a hurry", {.members = 3, .times = 2, .hurried = 1},
              bounds(3, 0)),
      subject("mutex: 2 members x 2, deaths", {.times = 2, .slices = true}, bounds(3, 1)),
      subject("mutex: 3 members, deaths", {.members = 3, .slices = true}, bounds(2, 1)),
      subject("mutex: 3 members, two deaths", {.members = 3, .slices = true}, bounds(1, 2)),
      subject("mutex: 3 members who leave it torn",
              {.members = 3, .repairs = false, .slices = true}, bounds(2, 1)),
      subject("mutex: 3 members, one retires it", {.members = 3, .retires = true, .slices = true},
              bounds(2, 1)),
      subject("mutex: recursive, deaths", {.depth = 2, .slices = true}, bounds(3, 1)),
      subject("mutex: one only tries, deaths", {.members = 3, .trying = 1, .slices = true},
              bounds(2, 1)),
      subject("mutex: 3 members x 2, the starving",
              {.members = 3, .times = 2, .losses = 1, .slices = true}, bounds(3, 0)),
      subject("mutex: the starving, deaths", starving, bounds(2, 1)),
      subject("mutex: 2 members, one reaps", {.reapers = 1, .slices = true}, bounds(3, 1)),
      subject("mutex: weak memory, one reaps", {.reapers = 1, .slices = true},
              bounds(2, 1, Memory::weak)),
      subject("mutex: nobody starves", greedy, bounds(5, 0)),
      subject("mutex: weak memory", {.times = 2}, bounds(3, 0, Memory::weak)),
      subject("mutex: weak memory, deaths", {.times = 2, .slices = true},
              bounds(2, 1, Memory::weak)),
      subject("mutex: weak memory, recursive, deaths", {.depth = 1, .slices = true},
              bounds(2, 1, Memory::weak)),
      subject("mutex: 2 members x 2, two deaths", {.times = 2, .slices = true}, bounds(3, 2),
              false),
      subject("mutex: 3 members, two deaths, 2 preemptions", {.members = 3, .slices = true},
              bounds(2, 2), false),
  };
}

MutationTarget mutex_target() {
  using explore::Memory;
  return {"mutex_core.hpp",
          "sync/internal/mutex_core.hpp",
          {
              subject("2 members", {.times = 2}, bounds(3, 0)),
              subject("3 members", {.members = 3}, bounds(3, 0)),
              subject("weak", {.times = 2}, bounds(2, 0, Memory::weak)),
              subject("deaths", {.members = 2, .slices = true}, bounds(2, 1)),
              subject("reaper", {.reapers = 1, .slices = true}, bounds(2, 1)),
              subject("weak, reaper", {.reapers = 1, .slices = true}, bounds(2, 1, Memory::weak)),
              subject("recursive", {.depth = 2, .slices = true}, bounds(2, 1)),
              subject("torn", {.members = 3, .repairs = false, .slices = true}, bounds(1, 1)),
              subject("retires", {.members = 3, .retires = true, .slices = true}, bounds(1, 1)),
              subject("hurried", {.members = 3, .times = 2, .hurried = 1}, bounds(3, 0)),
              subject("starving", {.members = 3, .times = 2, .losses = 1}, bounds(3, 0)),
              subject("nobody starves", {.members = 2, .times = 5, .losses = 1, .accesses = 20},
                      bounds(4, 0)),
              subject("weak, deaths", {.times = 2, .slices = true}, bounds(2, 1, Memory::weak)),
          }};
}

}  // namespace kith::explored
