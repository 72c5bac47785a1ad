#include "tests/explore/guarded_world.hpp"

#include <cstring>
#include <string>

#include "tests/explore/subjects.hpp"

namespace kith::explored {

using internal::GuardedCore;
using testkit::explore::require;

GuardedWorld::GuardedWorld(const GuardedSetting& setting)
    : LockedWorld(setting.writers + setting.readers), setting_(setting) {
  called(&version_, "version");
  for (std::size_t slot = 0; slot < 2; ++slot) {
    called(&slots_[slot][0], "slot " + std::to_string(slot));
    called(&slots_[slot][1], "slot " + std::to_string(slot) + "'s other half");
  }
  for (std::uint32_t i = 0; i < setting.writers; ++i) {
    const Work work = [this, i] { write(i); };
    process("writer " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.readers; ++i) {
    const std::uint32_t member = setting.writers + i;
    const Work work = [this, member] { read(member); };
    process("reader " + std::to_string(i), work, work);
  }
  for (std::uint32_t i = 0; i < setting.reapers; ++i) {
    const Work work = [this] { reap(); };
    process("reaper " + std::to_string(i), work, work);
  }
}

GuardedCore GuardedWorld::core() {
  return GuardedCore(version_, slots_[0].data(), slots_[1].data());
}

void GuardedWorld::write(std::uint32_t writer) {
  Lock lock = begin(writer);
  for (std::uint32_t i = 1; i <= setting_.times; ++i) {
    if (i == setting_.times && setting_.sets) {
      set(lock);
    } else {
      change(lock, writer < setting_.refuses && i % 2 == 1);
    }
  }
}

void GuardedWorld::change(Lock& lock, bool refuses) {
  std::array<std::byte, sizeof(Value)> shadow;
  const auto add = [&](std::byte* bytes) {
    Value value{};
    std::memcpy(&value, bytes, sizeof value);
    require(value.first == value.second, "who changes it finds it torn");
    require(value.first >= committed_, "what was committed is lost");
    require(value.first <= begun_, "committed twice");
    ++value.first;
    ++value.second;
    std::memcpy(bytes, &value, sizeof value);
    begun_ += refuses ? 0 : 1;
    return !refuses;
  };
  const GuardedAnswer answer =
      core().change(lock, shadow.data(), shadow.size(), Deadline::never(), add);
  if (refuses) {
    require(answer == GuardedAnswer::unchanged, "not left as it was");
  } else {
    told(answer, lock.due());
  }
}

// By the one writer, who knows what stands there.
void GuardedWorld::set(Lock& lock) {
  const std::uint64_t next = version_.peek() + 1;
  const Value value{next, next};
  std::array<std::byte, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  ++begun_;
  const GuardedAnswer answer = core().set(lock, bytes.data(), bytes.size(), Deadline::never());
  told(answer, lock.due());
}

void GuardedWorld::told(GuardedAnswer answer, bool due) {
  require(is_committed(answer), "not committed");
  require((answer == GuardedAnswer::committed_after_death) == due,
          due ? "not told that its holder died" : "told of a death that was none");
  ++committed_;
}

void GuardedWorld::read(std::uint32_t member) {
  Lock lock = begin(member);
  std::uint64_t before = 0;
  for (std::uint32_t i = 0; i < setting_.reads; ++i) {
    // Under weak memory to be committed and to be known to be are two things.
    const std::uint64_t known = testkit::explore::is_weak() ? 0 : committed_;
    std::array<std::byte, sizeof(Value)> bytes;
    const GuardedAnswer answer = core().read(lock, bytes.data(), bytes.size(), Deadline::never());
    require(answer == GuardedAnswer::value, "not read");
    Value value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    require(value.first == value.second, "a torn value was read");
    require(value.first >= before, "a reader went back");
    require(value.first >= known, "a reader missed what was committed");
    static_cast<void>(pause_.load(std::memory_order_relaxed));
    const std::uint64_t least = testkit::explore::is_weak() ? 0 : committed_;
    before = core().version();
    require(before >= least, "a version older than what was committed");
    require(before >= value.first, "a version older than its value");
  }
}

// ---- the books

void GuardedWorld::at_end() {
  const std::uint64_t version = version_.peek();
  const auto& slot = slots_.at(version & 1);
  require(slot[0].peek() == slot[1].peek(), "at the end it is torn");
  require(slot[0].peek() == version, "not as many changes as commits");
  require(version >= committed_ && version <= begun_, "a commit lost, or doubled");
}

void GuardedWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  LockedWorld::ghost(note);
  note(committed_);
  note(begun_);
}

// ---- subjects

constexpr SubjectOf<GuardedWorld, GuardedSetting> subject;

std::vector<Subject> guarded_subjects() {
  using explore::kUnbounded;
  using explore::Memory;
  const GuardedSetting two{.writers = 2};
  const GuardedSetting busy{.writers = 1, .times = 4};
  return {
      subject("guarded: 1 writer, 1 reader", {.reads = 2}, bounds(kUnbounded, 0)),
      subject("guarded: 2 writers, 1 reader", two, bounds(3, 0)),
      subject("guarded: a reader that takes the lock", busy, bounds(6, 0)),
      subject("guarded: a reader that takes the lock, deaths", busy, bounds(4, 1)),
      subject("guarded: 1 writer, 2 readers, deaths", {.readers = 2, .reads = 2}, bounds(2, 1)),
      subject("guarded: 2 writers, 1 reader, deaths", two, bounds(2, 1)),
      subject("guarded: 2 writers, two deaths", {.writers = 2, .readers = 0}, bounds(2, 2)),
      subject("guarded: 2 writers, one refuses, deaths", {.writers = 2, .refuses = 1},
              bounds(2, 1)),
      subject("guarded: set, deaths", {.times = 2, .sets = true}, bounds(3, 1)),
      subject("guarded: 2 writers, one reaps", {.writers = 2, .readers = 0, .reapers = 1},
              bounds(2, 1)),
      subject("guarded: weak memory", {.reads = 2}, bounds(2, 0, Memory::weak)),
      subject("guarded: weak memory, 2 writers, deaths", {.writers = 2, .times = 1},
              bounds(2, 1, Memory::weak)),
      subject("guarded: weak memory, 2 readers, deaths", {.readers = 2},
              bounds(1, 1, Memory::weak)),
  };
}

MutationTarget guarded_target() {
  using explore::Memory;
  return {
      "guarded_core.hpp",
      "sync/internal/guarded_core.hpp",
      {
          subject("1 writer", {.reads = 2}, bounds(2, 0)),
          subject("set", {.times = 2, .sets = true}, bounds(2, 0)),
          subject("2 writers, deaths", {.writers = 2, .times = 1}, bounds(2, 1)),
          subject("weak", {.reads = 2}, bounds(2, 0, Memory::weak)),
          subject("takes the lock", {.times = 4}, bounds(6, 0), false),
          subject("weak, 2 writers", {.writers = 2, .times = 1}, bounds(2, 1, Memory::weak), false),
      }};
}

}  // namespace kith::explored
