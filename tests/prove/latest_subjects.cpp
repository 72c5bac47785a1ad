#include <algorithm>
#include <array>
#include <optional>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"

#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

// Several cache lines, every word the same: a torn value cannot look whole.
struct Value {
  std::array<std::uint64_t, 40> words{};

  [[nodiscard]] static Value of(std::uint64_t number) {
    Value value;
    value.words.fill(number);
    return value;
  }
  [[nodiscard]] bool is(std::uint64_t number) const {
    return std::all_of(words.begin(), words.end(),
                       [&](std::uint64_t word) { return word == number; });
  }
};

using Writer = LatestWriter<Value>;
using Reader = LatestReader<Value>;

LatestOptions named(const std::string& role) {
  LatestOptions options;
  options.role = role;
  return options;
}

// The victim's handles, made by `before` or by the operation.
struct Victim {
  std::optional<Writer> writer;
  std::optional<Reader> reader;
  std::optional<Pinned<Value>> pinned;
};
Victim& victim() {
  static Victim only;
  return only;
}

bool write(Writer& writer) {
  return writer.write(Value::of(writer.sequence() + 1)) == WriteAnswer::committed;
}

void write_values(const World& world, std::uint64_t count) {
  Writer writer(world.domain(), "value");
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!write(writer)) throw std::runtime_error("a value could not be written");
  }
}

// After any death: the last value is whole and one of `least` .. `most`; the writer's role is free,
// counting goes on, and a reader gets every new value.
std::string channel_works(const World& world, std::uint64_t least, std::uint64_t most) {
  Writer writer(world.domain(), "value");
  const std::uint64_t last = writer.sequence();
  if (last < least || last > most) return "the last value is number " + std::to_string(last);
  if (last > 0 && !writer.last()->is(last)) return "the last value is not whole";
  Reader reader(world.domain(), "value");
  for (std::uint64_t number = last; number < last + 5; ++number) {
    const auto value = reader.acquire();
    if (number == 0 ? static_cast<bool>(value) : !value || !value->is(number)) {
      return "a reader did not get value " + std::to_string(number);
    }
    if (!write(writer)) return "a value could not be written";
  }
  return {};
}

std::string reaped_books(const World& world, std::uint32_t held, std::uint32_t pinned) {
  static_cast<void>(Member::join(world.domain()).reap_dead());
  return world.books_balance("value", held, pinned);
}

// A subject on a channel in which `values` values were written, with one process that holds a
// message all the while and lives on.
Subject channel_subject(const World& world, const std::string& name, std::uint64_t values) {
  Subject subject = world.subject(name);
  subject.prepare = [world, values] { write_values(world, values); };
  if (values > 0) {
    subject.bystander = [world] {
      auto* reader = new Reader(world.domain(), "value");
      new Pinned<Value>(reader->acquire());
    };
  }
  const std::uint32_t bystanders = values > 0 ? 1 : 0;
  subject.survivor = [world, values] { return channel_works(world, values, values + 3); };
  subject.restart = [world, values] { return channel_works(world, values, values + 8); };
  subject.balance = [world, bystanders] { return reaped_books(world, bystanders, bystanders); };
  return subject;
}

Subject create_channel_subject(const World& world) {
  Subject subject = channel_subject(world, "latest create", 0);
  subject.prepare = nullptr;
  subject.operation = [world] { victim().writer.emplace(world.domain(), "value"); };
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

Subject claim_writer_subject(const World& world) {
  Subject subject = channel_subject(world, "latest claim writer", 2);
  subject.operation = [world] { victim().writer.emplace(world.domain(), "value"); };
  return subject;
}

Subject release_writer_subject(const World& world) {
  Subject subject = channel_subject(world, "latest release writer", 2);
  subject.before = [world] { victim().writer.emplace(world.domain(), "value"); };
  subject.operation = [] { victim().writer.reset(); };
  return subject;
}

Subject write_subject(const World& world, const std::string& name, std::uint64_t values) {
  Subject subject = channel_subject(world, name, values);
  subject.before = [world] { victim().writer.emplace(world.domain(), "value"); };
  subject.operation = [] { static_cast<void>(write(*victim().writer)); };
  return subject;
}

Subject draft_subject(const World& world) {
  Subject subject = channel_subject(world, "latest draft and commit", 3);
  subject.before = [world] { victim().writer.emplace(world.domain(), "value"); };
  subject.operation = [] {
    auto draft = victim().writer->draft();
    if (!draft) return;
    *draft = Value::of(victim().writer->sequence() + 1);
    static_cast<void>(draft.commit());
  };
  return subject;
}

// A write that has somebody to wake: the sleeper must hear of it or of the next one.
Subject waking_write_subject(const World& world) {
  Subject subject = write_subject(world, "latest write (waking a sleeper)", 3);
  subject.before = [world] {
    victim().writer.emplace(world.domain(), "value");
    victim().reader.emplace(world.domain(), "value");
    { const auto seen = victim().reader->acquire(); }
    // Leaves the sleepers' bit set, as a reader does that was killed asleep.
    static_cast<void>(victim().reader->wait_newer(Deadline::after(1ms)));
  };
  return subject;
}

Subject claim_reader_subject(const World& world, const std::string& role) {
  Subject subject =
      channel_subject(world, role.empty() ? "latest claim reader" : "latest claim named reader", 2);
  subject.operation = [world, role] {
    victim().reader.emplace(world.domain(), "value", named(role));
  };
  return subject;
}

Subject release_reader_subject(const World& world, const std::string& role) {
  Subject subject = channel_subject(
      world, role.empty() ? "latest release reader" : "latest release named reader", 2);
  subject.before = [world, role] {
    victim().reader.emplace(world.domain(), "value", named(role));
    const auto seen = victim().reader->acquire();
  };
  subject.operation = [] { victim().reader.reset(); };
  return subject;
}

// The named reader comes back: what it holds, if anything, is whole and one of the values it can
// have held; then it reads on.
std::string reader_returns(const World& world, std::uint64_t least, std::uint64_t most) {
  Reader reader(world.domain(), "value", named("logger"), Inherited::resume);
  auto value = reader.resume();
  if (value) {
    const std::uint64_t number = value.sequence();
    if (number < least || number > most || !value->is(number)) {
      return "the message that was held is not what it was: " + std::to_string(number);
    }
    if (value.refresh() != ReadAnswer::value) return "the reader cannot go on from what it held";
  } else {
    value = reader.acquire();
  }
  if (!value || !value->is(value.sequence())) return "the reader cannot read";
  return {};
}

Subject read_subject(const World& world, const std::string& name, std::uint64_t values) {
  Subject subject = channel_subject(world, name, values);
  // The survivor writes on first; the pin must not mind.
  subject.survivor = [world, values] { return channel_works(world, values, values + 1); };
  subject.restart = [world, values] { return reader_returns(world, values, values + 1); };
  return subject;
}

Subject acquire_subject(const World& world) {
  Subject subject = read_subject(world, "latest acquire", 2);
  subject.before = [world] { victim().reader.emplace(world.domain(), "value", named("logger")); };
  subject.operation = [] { victim().pinned = victim().reader->acquire(); };
  return subject;
}

// A newer value than the one held: the pin moves from one to the other.
Subject reacquire_subject(const World& world) {
  Subject subject = read_subject(world, "latest re-acquire", 2);
  subject.before = [world] {
    victim().reader.emplace(world.domain(), "value", named("logger"));
    victim().pinned = victim().reader->acquire();
    write_values(world, 1);
  };
  subject.operation = [] { static_cast<void>(victim().pinned->refresh()); };
  subject.survivor = [world] { return channel_works(world, 3, 3); };
  return subject;
}

Subject release_subject(const World& world) {
  Subject subject = read_subject(world, "latest release", 2);
  subject.before = [world] {
    victim().reader.emplace(world.domain(), "value", named("logger"));
    victim().pinned = victim().reader->acquire();
  };
  subject.operation = [] { victim().pinned->release(); };
  return subject;
}

Subject resume_subject(const World& world) {
  Subject subject = read_subject(world, "latest claim and resume", 2);
  subject.prepare = [world] {
    write_values(world, 2);
    die_after([&] {
      auto* reader = new Reader(world.domain(), "value", named("logger"));
      new Pinned<Value>(reader->acquire());
    });
  };
  subject.operation = [world] {
    victim().reader.emplace(world.domain(), "value", named("logger"), Inherited::resume);
    victim().pinned = victim().reader->resume();
  };
  subject.restart = [world] {
    Reader reader(world.domain(), "value", named("logger"), Inherited::resume);
    const auto value = reader.resume();
    return demand(value && value.sequence() == 2 && value->is(2),
                  "the message that was held is lost: answer " +
                      std::to_string(static_cast<int>(value.answer())) + ", number " +
                      std::to_string(value.sequence()));
  };
  return subject;
}

Subject wait_subject(const World& world) {
  Subject subject = read_subject(world, "latest wait (killed asleep)", 2);
  subject.before = [world] {
    victim().reader.emplace(world.domain(), "value", named("logger"));
    const auto seen = victim().reader->acquire();
  };
  subject.operation = [] { static_cast<void>(victim().reader->wait_newer(Deadline::after(80ms))); };
  return subject;
}

}  // namespace

std::vector<Subject> latest_write_subjects(const World& world) {
  return {create_channel_subject(world),
          claim_writer_subject(world),
          write_subject(world, "latest write (first)", 0),
          write_subject(world, "latest write (later)", 3),
          draft_subject(world),
          waking_write_subject(world),
          release_writer_subject(world)};
}

std::vector<Subject> latest_read_subjects(const World& world) {
  return {claim_reader_subject(world, ""),
          claim_reader_subject(world, "logger"),
          acquire_subject(world),
          reacquire_subject(world),
          release_subject(world),
          resume_subject(world),
          wait_subject(world),
          release_reader_subject(world, ""),
          release_reader_subject(world, "logger")};
}

}  // namespace kith::prove
