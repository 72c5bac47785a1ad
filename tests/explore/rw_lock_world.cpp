#include "tests/explore/rw_lock_world.hpp"

#include "tests/explore/subjects.hpp"

namespace kith::explored {

using internal::MutexWord;
using internal::RwLockCore;
using testkit::explore::require;

namespace {

constexpr std::uint64_t kKey = 7;

std::string written_gate(std::uint64_t gate) {
  if (gate == internal::kGateOpen) return "open";
  return gate == internal::kGateClosing ? "closing" : "closed";
}

}  // namespace

RwLockWorld::RwLockWorld(const RwLockSetting& setting)
    : WaitsWorld(setting.slices, setting.doubts), setting_(setting) {
  called(&words_.mutex.word, "mutex", mutex_text);
  called(&words_.gate, "gate", written_gate);
  called(&words_.drained, "drained");
  called(&words_.readers[0], "members that may read");
  called(&records_ready_, "records ready");
  called(&guarded_[0], "what it guards");
  called(&guarded_[1], "its other half");
  for (std::uint32_t i = 0; i < setting.members.size(); ++i) {
    const std::string name = "member " + std::to_string(i);
    called(&lines_.at(i).cells[0], "cell of " + name);
    called(&records_.at(i).state, "state of " + name);
    called(&records_.at(i).readers_ready, "lines of " + name);
    if (!setting.joins) {
      join(i, born_before(i));
      make_known(i);
    }
    const Work work = [this, i] { live(i); };
    process(name, work, setting.restarts ? work : nullptr);
  }
}

// ---- members

RwLockCore RwLockWorld::core() {
  return RwLockCore(words_, kKey, patience_for_mutex(100));
}

internal::ReaderTable RwLockWorld::table() {
  return internal::ReaderTable(records_.data(), records_ready_, kLines,
                               reinterpret_cast<std::byte*>(lines_.data()),
                               sizeof(internal::ReaderLine));
}

Deadline RwLockWorld::deadline_of(std::uint32_t member) const {
  return WaitsWorld::deadline_of(member, setting_.trying, setting_.hurried);
}

// As Membership does it.
void RwLockWorld::join(std::uint32_t member, std::uint64_t owner) {
  for (std::uint32_t i = records_ready_.load(std::memory_order_acquire); i <= member; ++i) {
    std::uint32_t expected = i;
    records_ready_.compare_exchange_strong(expected, i + 1, std::memory_order_release,
                                           std::memory_order_relaxed);
  }
  records_.at(member).readers_ready.store(0, std::memory_order_relaxed);
  records_.at(member).state.store(internal::state_word(internal::owner_of(owner).incarnation, true),
                                  std::memory_order_release);
}

// As a handle does it before it reads for the first time; the line comes last, where a thread that
// is not its process's first does it.
void RwLockWorld::make_known(std::uint32_t member) {
  core().mark_reader(member);
  table().announce(member, 0, 1);
}

void RwLockWorld::live(std::uint32_t member) {
  if (setting_.joins || testkit::explore::deaths_so_far() > 0) {
    join(member, born(member));
    make_known(member);
  }
  const std::uint64_t me = MutexWord::of(internal::owner_word(id_of(member)), 1);
  for (const char what : setting_.members.at(member)) step(member, me, what);
}

void RwLockWorld::step(std::uint32_t member, std::uint64_t me, char what) {
  if (what == 'r' || what == 'R') return read(member, me, what == 'R');
  if (what == 'u') return upgrade(member, me);
  waiting_ |= 1u << member;
  const LockAnswer answer = core().acquire(me, &line(member), table(), *this, deadline_of(member));
  waiting_ &= ~(1u << member);
  if (is_had(member, answer)) write(member, me, answer, what == 'd');
}

bool RwLockWorld::is_had(std::uint32_t member, LockAnswer answer) const {
  if (answer == LockAnswer::timed_out) {
    require(member < setting_.trying + setting_.hurried, "who waits for ever ran out of time");
    return false;
  }
  if (answer == LockAnswer::retired) {
    require(retired_, "it was retired by nobody");
    return false;
  }
  require(holds(answer), "an answer that nobody expects");
  require(!retired_, "a retired lock was taken");
  require((answer == LockAnswer::owner_died) == torn_,
          torn_ ? "not told that a writer died" : "told of a death that was none");
  return true;
}

LockAnswer RwLockWorld::acquire_shared(std::uint32_t member, std::uint64_t me) {
  if (core().enter_quick(line(member))) return LockAnswer::acquired;
  return core().acquire_shared(me, line(member), *this, deadline_of(member));
}

void RwLockWorld::read(std::uint32_t member, std::uint64_t me, bool twice) {
  const LockAnswer answer = acquire_shared(member, me);
  if (!is_had(member, answer)) return;
  if (answer == LockAnswer::owner_died) return write(member, me, answer, false);
  look(member);
  if (twice) {
    require(core().acquire_shared(me, line(member), *this, Deadline::now()) == LockAnswer::acquired,
            "not read again");
    require(!core().leave_quick(line(member)), "left too early");
    require(core().release_shared(line(member)) == LockAnswer::released, "not left again");
    look(member);
  }
  leave(member);
}

void RwLockWorld::look(std::uint32_t member) {
  require(!writer_, "a reader beside a writer");
  readers_ |= 1u << member;
  const std::uint64_t first = guarded_[0].read();
  const std::uint64_t second = guarded_[1].read();
  require(first == second, "what it guards is torn");
  require(!writer_, "a writer came to a reader");
}

void RwLockWorld::leave(std::uint32_t member) {
  readers_ &= ~(1u << member);
  if (core().leave_quick(line(member))) return;
  require(core().release_shared(line(member)) == LockAnswer::released, "not given back");
}

void RwLockWorld::upgrade(std::uint32_t member, std::uint64_t me) {
  const LockAnswer read = acquire_shared(member, me);
  if (!is_had(member, read)) return;
  if (read == LockAnswer::owner_died) return write(member, me, read, false);
  look(member);
  const std::uint64_t seen = guarded_[0].read();
  waiting_ |= 1u << member;
  const LockAnswer answer = core().upgrade(me, line(member), table(), *this, deadline_of(member));
  waiting_ &= ~(1u << member);
  if (answer == LockAnswer::would_deadlock || answer == LockAnswer::timed_out) {
    look(member);  // still
    return leave(member);
  }
  require(answer == LockAnswer::acquired, "an upgrade that was told of a death");
  readers_ &= ~(1u << member);
  require(guarded_[0].read() == seen, "somebody wrote in between");
  write(member, me, answer, false);
}

void RwLockWorld::write(std::uint32_t member, std::uint64_t me, LockAnswer answer,
                        bool downgrades) {
  require(!writer_, "two writers");
  require(readers_ == 0, "a writer beside a reader");
  writer_ = member;
  const bool told = answer == LockAnswer::owner_died;
  const std::uint64_t first = guarded_[0].read();
  const std::uint64_t second = guarded_[1].read();
  require(told || first == second, "what it guards is torn");
  if (told && setting_.retires) {
    retired_ = true;
    writer_.reset();
    require(core().retire(me) == LockAnswer::retired, "not retired");
    return;
  }
  if (!told || setting_.repairs) {
    guarded_[0].write(first + 1);
    guarded_[1].write(first + 1);
  }
  repair_or_not(me, told);
  require(readers_ == 0, "a reader came to a writer");
  // Before the others can know; its death from here on may or may not be one of a holder.
  writer_.reset();
  if (downgrades && !torn_) {
    require(core().downgrade(me, line(member)) == LockAnswer::acquired, "not downgraded");
    look(member);
    require(guarded_[0].read() == first + 1, "somebody wrote in between");
    return leave(member);
  }
  require(core().release(me) == LockAnswer::released, "not given back");
}

void RwLockWorld::repair_or_not(std::uint64_t me, bool told) {
  if (!told || !setting_.repairs) return;
  require(core().declare_consistent(me) == LockAnswer::owner_died, "not declared consistent");
  torn_ = false;
}

// ---- the books

void RwLockWorld::died(std::size_t process) {
  const auto member = static_cast<std::uint32_t>(process);
  const std::uint64_t word = words_.mutex.word.peek();
  const bool held = MutexWord::is_held(word) && internal::owner_of(word) == id_of(member);
  const bool closed = words_.gate.peek() == internal::kGateClosed;
  require(writer_ != member || (held && closed), "a writer died, and nobody will be told");
  if (held && closed) torn_ = true;
  if (writer_ == member) writer_.reset();
  readers_ &= ~(1u << member);
  waiting_ &= ~(1u << member);
  WaitsWorld::died(process);
}

void RwLockWorld::at_end() {
  const std::uint64_t word = words_.mutex.word.peek();
  if (retired_) {
    require(MutexWord::is_retired(word), "it is not retired any more");
    return;
  }
  const bool held = MutexWord::is_held(word);
  if (held) {
    const MemberId holder = internal::owner_of(word);
    // A run may end where all sleep who have not been killed, and the killed do not come back.
    if (setting_.restarts && (waiting_ >> holder.index & 1) != 0) return;
    require(!lives(holder), "it is held at the end");
  }
  const bool closed = words_.gate.peek() == internal::kGateClosed;
  const bool inconsistent = held || (word & MutexWord::kInconsistent) != 0;
  require((closed && inconsistent) == torn_, "a death is forgotten, or invented");
  require(inconsistent || words_.gate.peek() == internal::kGateOpen, "the gate stays closed");
  for (std::uint32_t i = 0; i < setting_.members.size(); ++i) {
    for (const auto& cell : lines_.at(i).cells) {
      require(id_of(i).incarnation == 0 || cell.peek() == 0, "it is read at the end");
    }
  }
  require(torn_ || guarded_[0].peek() == guarded_[1].peek(), "at the end what it guards is torn");
}

void RwLockWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  note(readers_);
  note(waiting_);
  note(writer_ ? *writer_ + 1 : 0);
  note(torn_);
  note(retired_);
}

// ---- subjects

constexpr SubjectOf<RwLockWorld, RwLockSetting> subject;

std::vector<Subject> rw_lock_subjects() {
  using explore::Memory;
  return {
      subject("rw lock: a reader and a writer x 2", {.members = {"rr", "ww"}}, bounds(4, 0)),
      subject("rw lock: 2 readers, a writer", {.members = {"r", "r", "w"}}, bounds(3, 0)),
      subject("rw lock: a reader, 2 writers", {.members = {"r", "w", "w"}}, bounds(3, 0)),
      subject("rw lock: a reader and a writer, deaths", {.members = {"rr", "ww"}, .slices = true},
              bounds(3, 1)),
      subject("rw lock: 2 readers, a writer, deaths", {.members = {"r", "r", "w"}, .slices = true},
              bounds(2, 1)),
      subject("rw lock: a reader, 2 writers, deaths", {.members = {"r", "w", "w"}, .slices = true},
              bounds(2, 1)),
      subject("rw lock: left torn, deaths",
              {.members = {"r", "r", "w"}, .repairs = false, .slices = true}, bounds(2, 1)),
      subject("rw lock: retired, deaths",
              {.members = {"r", "r", "w"}, .retires = true, .slices = true}, bounds(2, 1)),
      subject("rw lock: 2 who upgrade", {.members = {"u", "u"}}, bounds(4, 0)),
      subject("rw lock: one upgrades, deaths", {.members = {"u", "r", "w"}, .slices = true},
              bounds(2, 1)),
      subject("rw lock: one downgrades, deaths", {.members = {"d", "r", "w"}, .slices = true},
              bounds(2, 1)),
      subject("rw lock: read again inside", {.members = {"R", "w"}}, bounds(4, 0)),
      subject("rw lock: one in a hurry, deaths",
              {.members = {"w", "r", "r"}, .hurried = 1, .slices = true}, bounds(2, 1)),
      subject("rw lock: one only tries, deaths",
              {.members = {"wr", "r", "w"}, .trying = 1, .slices = true}, bounds(2, 1)),
      subject("rw lock: weak memory", {.members = {"rr", "ww"}}, bounds(2, 0, Memory::weak)),
      subject("rw lock: weak memory, they join", {.members = {"r", "w"}, .joins = true},
              bounds(2, 0, Memory::weak)),
      subject("rw lock: weak memory, deaths", {.members = {"r", "w"}, .slices = true},
              bounds(2, 1, Memory::weak)),
      subject("rw lock: the dead come back",
              {.members = {"r", "rw"}, .restarts = true, .slices = true}, bounds(2, 1)),
      subject("rw lock: weak memory, the dead come back",
              {.members = {"r", "w"}, .restarts = true, .slices = true},
              bounds(2, 1, Memory::weak)),
      subject("rw lock: weak memory, they join while it is written",
              {.members = {"ww", "r"}, .joins = true}, bounds(2, 0, Memory::weak)),
      subject("rw lock: weak memory, a writer out of time",
              {.members = {"w", "wr", "r"}, .trying = 1}, bounds(1, 0, Memory::weak)),
      subject("rw lock: weak memory, a draining writer dies",
              {.members = {"r", "r", "ww"}, .slices = true}, bounds(1, 1, Memory::weak)),
      subject("rw lock: read again inside, the dead come back",
              {.members = {"R", "ww"}, .restarts = true, .slices = true}, bounds(2, 1)),
      subject("rw lock: weak memory, upgrade and downgrade", {.members = {"u", "d"}},
              bounds(2, 0, Memory::weak)),
      subject("rw lock: 2 readers, a writer, two deaths",
              {.members = {"r", "r", "w"}, .slices = true}, bounds(2, 2), false),
  };
}

std::vector<MutationTarget> rw_lock_targets() {
  using explore::Memory;
  const std::vector<Subject> subjects = {
      subject("pair", {.members = {"rr", "ww"}}, bounds(2, 0)),
      subject("weak", {.members = {"rr", "ww"}}, bounds(2, 0, Memory::weak)),
      subject("weak, they join", {.members = {"r", "w"}, .joins = true},
              bounds(2, 0, Memory::weak)),
      subject("deaths", {.members = {"r", "w"}, .slices = true}, bounds(2, 1)),
      subject("upgrades", {.members = {"u", "u"}}, bounds(3, 0)),
      subject("upgrade, deaths", {.members = {"u", "r"}, .slices = true}, bounds(2, 1)),
      subject("downgrade", {.members = {"d", "w"}}, bounds(2, 0)),
      subject("again", {.members = {"R", "w"}}, bounds(2, 0)),
      subject("hurried", {.members = {"w", "r"}, .hurried = 1}, bounds(2, 0)),
      subject("retired", {.members = {"r", "r", "w"}, .retires = true, .slices = true},
              bounds(1, 1)),
      subject("torn", {.members = {"r", "r", "w"}, .repairs = false, .slices = true}, bounds(1, 1)),
      subject("three", {.members = {"r", "w", "w"}}, bounds(2, 0)),
      subject("three, deaths", {.members = {"r", "r", "w"}, .slices = true}, bounds(2, 1), false),
      subject("weak, they join later", {.members = {"ww", "r"}, .joins = true},
              bounds(2, 0, Memory::weak)),
      subject("weak, out of time", {.members = {"w", "wr", "r"}, .trying = 1},
              bounds(1, 0, Memory::weak)),
      subject("weak, a draining writer dies", {.members = {"r", "r", "ww"}, .slices = true},
              bounds(0, 1, Memory::weak)),
      subject("again, the dead come back",
              {.members = {"R", "w"}, .restarts = true, .slices = true}, bounds(1, 1)),
      subject("twice, the dead come back",
              {.members = {"r", "ww"}, .restarts = true, .slices = true}, bounds(2, 1)),
      subject("weak, upgrade", {.members = {"u", "d"}}, bounds(2, 0, Memory::weak)),
      subject("weak, deaths", {.members = {"r", "w"}, .slices = true}, bounds(2, 1, Memory::weak)),
      subject("weak, the dead come back", {.members = {"r", "w"}, .restarts = true, .slices = true},
              bounds(2, 1, Memory::weak), false),
  };
  return {{"rw_lock_core", "sync/internal/rw_lock_core", subjects},
          {"reader_table.hpp", "member/internal/reader_table.hpp", subjects}};
}

}  // namespace kith::explored
