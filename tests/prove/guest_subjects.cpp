// Channels with guests, and domains of several users: the victim is a process of another user, who
// may write its seat and nothing else. Only root can make such victims.
#include <algorithm>
#include <array>
#include <grp.h>
#include <optional>
#include <stdexcept>
#include <unistd.h>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/region.hpp"

#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using testkit::Subject;

constexpr unsigned kGuest = 61341;
constexpr unsigned kGroup = 61340;

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

// Everybody may come in and look.
Domain open_to_guests(const World& world) {
  return Domain::at(world.path(), {.rights = {0755, ""}});
}
// The group does everything.
Domain of_a_group(const World& world) {
  return Domain::at(world.path(), {.rights = {0770, std::to_string(kGroup)}});
}

LatestOptions with_guests() {
  LatestOptions options;
  options.rights = {0644, ""};
  options.guests_max = 2;
  return options;
}

LatestOptions named(const std::string& role) {
  LatestOptions options;
  options.role = role;
  return options;
}

void become_another_user() {
  const gid_t group = kGroup;
  if (::setgroups(1, &group) != 0 || ::setresgid(kGuest, kGuest, kGuest) != 0 ||
      ::setresuid(kGuest, kGuest, kGuest) != 0) {
    throw std::runtime_error("becoming another user was refused");
  }
}

// The victim's handles.
struct Victim {
  std::optional<Writer> writer;
  std::optional<Reader> reader;
  std::optional<Pinned<Value>> pinned;
  std::optional<Member> member;
};
Victim& victim() {
  static Victim only;
  return only;
}

bool write(Writer& writer) {
  return writer.write(Value::of(writer.sequence() + 1)) == WriteAnswer::committed;
}

void write_values(const World& world, std::uint64_t count) {
  Writer writer(open_to_guests(world), "value", with_guests());
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!write(writer)) throw std::runtime_error("a value could not be written");
  }
}

// Members first: they write, read, and give back what dead guests held. Then as a guest: there are
// two seats, and both can be had and read.
std::string both_sides_work(const World& world, bool one_seat_is_kept) {
  std::uint64_t last = 0;
  {
    Writer writer(open_to_guests(world), "value", with_guests());
    if (writer.sequence() > 0 && !writer.last()->is(writer.sequence())) {
      return "the last value is not whole";
    }
    Reader reader(open_to_guests(world), "value");
    for (int i = 0; i < 8; ++i) {
      if (!write(writer)) return "a member cannot write";
      last = writer.sequence();
      const auto value = reader.acquire();
      if (!value || !value->is(last)) return "a member does not read what was written";
    }
  }
  become_another_user();
  Reader first(open_to_guests(world), "value");
  std::optional<Reader> second;
  if (!one_seat_is_kept) second.emplace(open_to_guests(world), "value");
  for (Reader* reader : {&first, second ? &*second : &first}) {
    const auto value = reader->acquire();
    if (!value || !value->is(last)) return "a guest does not read what was written";
  }
  return {};
}

// Nobody but the bystander, a guest, holds anything once a member has looked; and that is told.
std::string guests_books(const World& world, std::uint32_t held) {
  { const Reader heals(open_to_guests(world), "value"); }
  const auto facts = latest_facts(open_to_guests(world), "value");
  if (!facts) return "the channel is gone";
  if (facts->pinned_by_nobody != 0) return "leak: a message is pinned by nobody";
  if (facts->guests_held != held) {
    return "leak: " + std::to_string(facts->guests_held) + " seats are taken, not " +
           std::to_string(held);
  }
  if (facts->pinned_held > held) return "leak: a message is pinned for the dead";
  return demand(facts->guests_vacant <= 1 && facts->pinned_vacant <= facts->guests_vacant,
                "leak: vacant roles nobody left");
}

Subject guest_subject(const World& world, const std::string& name) {
  Subject subject = world.subject(name);
  subject.prepare = [world] { write_values(world, 2); };
  subject.survivor = [world] { return both_sides_work(world, false); };
  subject.restart = [world] { return both_sides_work(world, false); };
  subject.balance = [world] {
    std::string wrong = guests_books(world, 0);
    return wrong.empty() ? world.nothing_is_left() : wrong;
  };
  return subject;
}

Subject create_subject(const World& world) {
  Subject subject = guest_subject(world, "guests create channel");
  subject.prepare = nullptr;
  subject.operation = [world] {
    victim().writer.emplace(open_to_guests(world), "value", with_guests());
  };
  return subject;
}

Subject remove_subject(const World& world) {
  Subject subject = guest_subject(world, "guests remove channel");
  subject.operation = [world] { static_cast<void>(remove_object(open_to_guests(world), "value")); };
  return subject;
}

Subject open_subject(const World& world, const std::string& role) {
  Subject subject =
      guest_subject(world, role.empty() ? "guest open" : "guest open with a named role");
  subject.before = [] { become_another_user(); };
  subject.operation = [world, role] {
    victim().reader.emplace(open_to_guests(world), "value", named(role));
  };
  return subject;
}

// Dies with a seat, of which the survivors must hear, or dies while it gives the seat back.
Subject sitting_subject(const World& world, const std::string& name, const std::string& role) {
  Subject subject = guest_subject(world, name);
  subject.before = [world, role] {
    become_another_user();
    victim().reader.emplace(open_to_guests(world), "value", named(role));
  };
  return subject;
}

Subject acquire_subject(const World& world) {
  Subject subject = sitting_subject(world, "guest acquire", "");
  subject.operation = [] { victim().pinned = victim().reader->acquire(); };
  return subject;
}

Subject release_subject(const World& world) {
  Subject subject = sitting_subject(world, "guest release", "");
  subject.before = [before = subject.before] {
    before();
    victim().pinned = victim().reader->acquire();
  };
  subject.operation = [] { victim().pinned->release(); };
  return subject;
}

Subject leave_subject(const World& world, const std::string& role) {
  Subject subject =
      sitting_subject(world, role.empty() ? "guest leave" : "guest leave a named role", role);
  subject.before = [before = subject.before] {
    before();
    const auto seen = victim().reader->acquire();
  };
  subject.operation = [] { victim().reader.reset(); };
  return subject;
}

// A guest that died with a message, and what it held is there for the one that returns.
void die_as_guest(const World& world, const std::string& role) {
  die_after([&] {
    become_another_user();
    auto* reader = new Reader(open_to_guests(world), "value", named(role));
    new Pinned<Value>(reader->acquire());
  });
}

Subject resume_subject(const World& world) {
  Subject subject = guest_subject(world, "guest claim and resume");
  subject.prepare = [world] {
    write_values(world, 2);
    die_as_guest(world, "logger");
  };
  subject.before = [] { become_another_user(); };
  subject.operation = [world] {
    victim().reader.emplace(open_to_guests(world), "value", named("logger"), Inherited::resume);
    victim().pinned = victim().reader->resume();
  };
  subject.survivor = [world] { return both_sides_work(world, true); };
  subject.restart = [world]() -> std::string {
    become_another_user();
    Reader reader(open_to_guests(world), "value", named("logger"), Inherited::resume);
    const auto value = reader.resume();
    return demand(value && value.sequence() == 2 && value->is(2), "what it held is lost");
  };
  return subject;
}

// A member comes and gives back what a dead guest held.
Subject heal_subject(const World& world) {
  Subject subject = guest_subject(world, "guests healed by a member");
  subject.prepare = [world] {
    write_values(world, 2);
    die_as_guest(world, "");
  };
  subject.operation = [world] { victim().reader.emplace(open_to_guests(world), "value"); };
  return subject;
}

Subject join_subject(const World& world) {
  Subject subject = world.subject("member join (another user of the group)");
  subject.prepare = [world] { static_cast<void>(of_a_group(world).open_or_create()); };
  subject.before = [] { become_another_user(); };
  subject.operation = [world] { victim().member.emplace(Member::join(of_a_group(world))); };
  subject.survivor = [world] {
    become_another_user();
    const Member self = Member::join(of_a_group(world));
    const bool alone = self.members().size() == 1;
    return demand(alone && self.liveness(self.id()) == Liveness::alive, "leak: a dead one is left");
  };
  subject.restart = subject.survivor;
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

}  // namespace

std::vector<Subject> guest_subjects(const World& world) {
  return {create_subject(world),    remove_subject(world),
          open_subject(world, ""),  open_subject(world, "logger"),
          acquire_subject(world),   release_subject(world),
          leave_subject(world, ""), leave_subject(world, "logger"),
          resume_subject(world),    heal_subject(world),
          join_subject(world)};
}

}  // namespace kith::prove
