// Guarded values, guarded bytes and what is run once, under the step killer.
#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "kith/member/member.hpp"
#include "kith/sync/guarded.hpp"
#include "kith/sync/guarded_bytes.hpp"
#include "kith/sync/once.hpp"

#include "tests/prove/lock_trial.hpp"
#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

// More than one word: a change that is half there is seen.
struct Count {
  std::array<std::uint64_t, 8> same{};
};
void add(Count& count) {
  for (std::uint64_t& number : count.same) ++number;
}
bool is_whole(const Count& count) {
  for (const std::uint64_t number : count.same) {
    if (number != count.same[0]) return false;
  }
  return true;
}

// The victim's handles, made by `before` or by the operation.
struct Victim {
  std::optional<Guarded<Count>> guarded;
  std::optional<GuardedBytes> bytes;
  std::optional<HeldBytes> held;
  std::optional<Once> once;
  std::optional<Member> member;
};
Victim& victim() {
  static Victim only;
  return only;
}

// Whether somebody died holding the mutex inside.
bool died_holding(const World& world, const std::string& object) {
  return due(word_in_file(world, object)) == LockAnswer::owner_died;
}

void commit(Guarded<Count>& value, GuardedAnswer expected) {
  const GuardedAnswer answer = value.change(add, patience());
  if (answer != expected) {
    throw std::runtime_error("the change was answered by " + std::string(to_string(answer)));
  }
}

// ---- guarded values

// After any death: a value that was committed, whole; the first to commit is told if and only if
// somebody died holding the lock; then as new. `first` and the next are what may stand there.
std::string guarded_works(const World& world, std::uint64_t first) {
  const bool due = died_holding(world, "value");
  Guarded<Count> value(world.domain(), "value");
  const auto found = value.read(Deadline::now());
  if (!found) return "nobody changes it, and it cannot be read";
  if (!is_whole(*found)) return "a torn value";
  const std::uint64_t number = found->same[0];
  if (number != first && number != first + 1) return "neither the old value nor the new one";
  if (value.version() != number) return "not as many commits as changes";
  const GuardedAnswer must_be =
      due ? GuardedAnswer::committed_after_death : GuardedAnswer::committed;
  for (const GuardedAnswer expected : {must_be, GuardedAnswer::committed}) {
    const GuardedAnswer answer = value.change(add, patience());
    if (answer != expected) return "a change was answered by " + std::string(to_string(answer));
  }
  const auto now = value.read(Deadline::now());
  return demand(now && is_whole(*now) && now->same[0] == number + 2, "a change is lost");
}

Subject guarded_subject(const World& world, const std::string& name) {
  Subject subject = world.subject("guarded: " + name);
  subject.prepare = [world] {
    Guarded<Count> value(world.domain(), "value");
    commit(value, GuardedAnswer::committed);
  };
  subject.before = [world] { victim().guarded.emplace(world.domain(), "value"); };
  subject.survivor = [world] { return guarded_works(world, 1); };
  subject.restart = [world] { return guarded_works(world, 1 + 2); };
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

Subject change_subject(const World& world) {
  Subject subject = guarded_subject(world, "change");
  subject.operation = [] { commit(*victim().guarded, GuardedAnswer::committed); };
  return subject;
}

Subject set_subject(const World& world) {
  Subject subject = guarded_subject(world, "set");
  subject.operation = [] {
    Count two;
    two.same.fill(2);
    static_cast<void>(victim().guarded->set(two, patience()));
  };
  return subject;
}

Subject read_subject(const World& world) {
  Subject subject = guarded_subject(world, "read");
  subject.operation = [] { static_cast<void>(victim().guarded->read(patience())); };
  return subject;
}

// Somebody who died in the middle of a change.
void die_changing(const World& world) {
  die_after([&] {
    auto* value = new Guarded<Count>(world.domain(), "value");
    static_cast<void>(value->change(
        [](Count& count) {
          ++count.same[0];
          std::ignore = ::raise(SIGKILL);
        },
        patience()));
  });
}

Subject change_after_death_subject(const World& world) {
  Subject subject = guarded_subject(world, "change after a death");
  subject.before = [world] {
    victim().guarded.emplace(world.domain(), "value");
    die_changing(world);
  };
  subject.operation = [] { commit(*victim().guarded, GuardedAnswer::committed_after_death); };
  return subject;
}

Subject reap_subject(const World& world) {
  Subject subject = guarded_subject(world, "reap one who died in a change");
  subject.before = [world] {
    victim().member = Member::join(world.domain());
    die_changing(world);
  };
  subject.operation = [] { static_cast<void>(victim().member->reap_dead()); };
  return subject;
}

Subject open_subject(const World& world) {
  Subject subject = guarded_subject(world, "open or create");
  subject.prepare = nullptr;
  subject.before = nullptr;
  subject.operation = [world] { victim().guarded.emplace(world.domain(), "value"); };
  subject.survivor = [world] { return guarded_works(world, 0); };
  subject.restart = [world] { return guarded_works(world, 2); };
  return subject;
}

// ---- guarded bytes

// What must be told, and what is whole unless it is.
std::string bytes_work(const World& world) {
  const bool due = died_holding(world, "bytes");
  GuardedBytes bytes(world.domain(), "bytes", sizeof(Count));
  for (const bool told : {due, false}) {
    HeldBytes held = bytes.acquire(patience());
    if (!held) return "not to be had: " + std::string(to_string(held.answer()));
    if (held.owner_died() != told) return told ? "nobody was told" : "told of no death";
    auto* count = held.as<Count>();
    if (!told && !is_whole(*count)) return "not whole, and nobody was told";
    *count = {};
    if (told && held.declare_consistent() != LockAnswer::owner_died) return "not declared";
  }
  return demand(!bytes.facts().held, "held by nobody");
}

Subject bytes_subject(const World& world, const std::string& name) {
  Subject subject = world.subject("guarded bytes: " + name);
  subject.prepare = [world] { GuardedBytes(world.domain(), "bytes", sizeof(Count)); };
  subject.before = [world] { victim().bytes.emplace(world.domain(), "bytes", sizeof(Count)); };
  subject.survivor = [world] { return bytes_work(world); };
  subject.restart = subject.survivor;
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

Subject bytes_change_subject(const World& world) {
  Subject subject = bytes_subject(world, "acquire, change, release");
  subject.operation = [] {
    const HeldBytes held = victim().bytes->acquire(patience());
    if (!held) throw std::runtime_error("the bytes are not to be had");
    add(*held.as<Count>());
  };
  return subject;
}

Subject bytes_open_subject(const World& world) {
  Subject subject = bytes_subject(world, "open or create");
  subject.prepare = nullptr;
  subject.before = nullptr;
  subject.operation = [world] { victim().bytes.emplace(world.domain(), "bytes", sizeof(Count)); };
  return subject;
}

Subject bytes_close_subject(const World& world) {
  Subject subject = bytes_subject(world, "close while holding them");
  subject.before = [world] {
    victim().bytes.emplace(world.domain(), "bytes", sizeof(Count));
    victim().held.emplace(victim().bytes->acquire(patience()));
    add(*victim().held->as<Count>());
  };
  subject.operation = [] {
    victim().bytes.reset();
    victim().held.reset();
  };
  return subject;
}

// ---- once

// It was done, and what it made is there; or it is not, and who runs it now is told of a death if
// somebody died in there.
std::string once_works(const World& world) {
  const bool due = died_holding(world, "once");
  Guarded<Count> made(world.domain(), "value");
  Once once(world.domain(), "once");
  const bool was_done = once.is_done();
  if (was_done && made.version() == 0) return "done, and what it made is not there";
  bool told = false;
  const auto run = [&](bool again) {
    told = again;
    static_cast<void>(made.change(add, patience()));
  };
  const OnceAnswer answer = once.call(run, patience());
  const OnceAnswer must_be = was_done ? OnceAnswer::done_before
                             : due    ? OnceAnswer::ran_after_death
                                      : OnceAnswer::ran;
  if (answer != must_be) return "it was answered by " + std::string(to_string(answer));
  if (told != (must_be == OnceAnswer::ran_after_death)) return "the function was told otherwise";
  return demand(once.call(run, patience()) == OnceAnswer::done_before, "it runs again");
}

Subject once_subject(const World& world, const std::string& name) {
  Subject subject = world.subject("once: " + name);
  subject.prepare = [world] {
    const Guarded<Count> made(world.domain(), "value");
    const Once once(world.domain(), "once");
  };
  subject.before = [world] {
    victim().guarded.emplace(world.domain(), "value");
    victim().once.emplace(world.domain(), "once");
  };
  subject.survivor = [world] { return once_works(world); };
  subject.restart = subject.survivor;
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

void call_once() {
  const auto run = [] { static_cast<void>(victim().guarded->change(add, patience())); };
  if (!is_done(victim().once->call(run, patience()))) throw std::runtime_error("it is not done");
}

Subject once_call_subject(const World& world) {
  Subject subject = once_subject(world, "call");
  subject.operation = call_once;
  return subject;
}

Subject once_call_again_subject(const World& world) {
  Subject subject = once_subject(world, "call after a death");
  subject.before = [world] {
    victim().guarded.emplace(world.domain(), "value");
    victim().once.emplace(world.domain(), "once");
    die_after([&] {
      auto* once = new Once(world.domain(), "once");
      static_cast<void>(once->call([] { std::ignore = ::raise(SIGKILL); }, patience()));
    });
  };
  subject.operation = call_once;
  return subject;
}

}  // namespace

std::vector<Subject> guarded_subjects(const World& world) {
  return {
      open_subject(world),
      change_subject(world),
      set_subject(world),
      read_subject(world),
      change_after_death_subject(world),
      reap_subject(world),
      bytes_open_subject(world),
      bytes_change_subject(world),
      bytes_close_subject(world),
      once_call_subject(world),
      once_call_again_subject(world),
  };
}

}  // namespace kith::prove
