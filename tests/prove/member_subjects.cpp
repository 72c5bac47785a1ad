#include <optional>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"

#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

struct Value {
  std::uint64_t number = 0;
};

// Joining reaps; then everybody in the table lives, and the survivor is one of them.
std::string table_is_clean(const World& world, std::size_t living) {
  const Member me = Member::join(world.domain());
  static_cast<void>(me.reap_dead());
  const auto members = me.members();
  for (const MemberFacts& member : members) {
    if (member.liveness != Liveness::alive) return "leak: a dead member stays in the table";
  }
  return demand(members.size() == living, "leak: " + std::to_string(members.size()) +
                                              " members in the table, not " +
                                              std::to_string(living));
}

Subject member_subject(const World& world, const std::string& name, std::size_t living) {
  Subject subject = world.subject(name);
  subject.survivor = [world, living] { return table_is_clean(world, living); };
  subject.restart = subject.survivor;
  return subject;
}

std::optional<Member>& victim() {
  static std::optional<Member> member;
  return member;
}

Subject join_subject(const World& world) {
  Subject subject = member_subject(world, "join (first of the domain)", 1);
  subject.operation = [world] { victim() = Member::join(world.domain()); };
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

Subject join_second_subject(const World& world) {
  Subject subject = member_subject(world, "join (beside others)", 2);
  subject.bystander = [world] { new Member(Member::join(world.domain())); };
  subject.operation = [world] { victim() = Member::join(world.domain()); };
  return subject;
}

Subject leave_subject(const World& world) {
  Subject subject = member_subject(world, "leave (last of the domain)", 1);
  subject.before = [world] { victim() = Member::join(world.domain()); };
  subject.operation = [] { victim().reset(); };
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

// Somebody who died holding all that can be held: a writer's role, a named reader's and an unnamed
// one's, each with a message.
void die_holding_everything(const World& world) {
  die_after([&] {
    auto* writer = new LatestWriter<Value>(world.domain(), "value");
    auto* unnamed = new LatestReader<Value>(world.domain(), "value");
    auto* named = new LatestReader<Value>(world.domain(), "value", {.role = "logger"});
    static_cast<void>(writer->write({1}));
    new Pinned<Value>(unnamed->acquire());
    new Pinned<Value>(named->acquire());
  });
}

// Which the survivor, reaping after the reaper's death, must find given back exactly once.
std::string given_back(const World& world) {
  const std::string table = table_is_clean(world, 1);
  if (!table.empty()) return table;
  const auto facts = latest_facts(world.domain(), "value");
  if (!facts) return "the channel is gone";
  if (facts->has_writer) return "leak: the dead writer's role";
  if (facts->readers_held != 0) return "leak: a dead reader's role";
  if (facts->pinned_by_nobody != 0) return "leak: a dead reader's message";
  if (facts->readers_vacant != 1 || facts->pinned_vacant != 1) {
    return "the named role lost what it held";
  }
  LatestReader<Value> again(world.domain(), "value", {.role = "logger"}, Inherited::resume);
  const auto value = again.resume();
  return demand(value && value->number == 1, "the named role's message is not intact");
}

Subject reap_subject(const World& world) {
  Subject subject = world.subject("reap");
  subject.before = [world] {
    victim() = Member::join(world.domain());
    die_holding_everything(world);
  };
  subject.operation = [] { static_cast<void>(victim()->reap_dead()); };
  subject.survivor = [world] { return given_back(world); };
  subject.balance = [world] { return world.nothing_is_left(); };
  return subject;
}

}  // namespace

std::vector<Subject> member_subjects(const World& world) {
  return {join_subject(world), join_second_subject(world), leave_subject(world),
          reap_subject(world)};
}

}  // namespace kith::prove
