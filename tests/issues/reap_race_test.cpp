// Reaping meets those who come, leave and are stopped just then. Method: the reaper is stopped at a
// chosen lock of its pass, while other processes obey orders.
#include <chrono>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/member/member.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/region/layout.hpp"

#include "testkit/process.hpp"
#include "tests/issues/system_call_hooks.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using testkit::Mouth;
using testkit::Process;
using testkit::within;
using tests::ScratchDirectory;
using tests::SystemCallHooks;
using tests::why_not_refused;

constexpr std::uint64_t kFirstLife = internal::kLifeLocks;  // of the member at place 0
constexpr std::uint64_t kFirstReap = internal::kReapLocks;

struct Pose {
  double x;
  double y;
};

std::uint64_t begin_of(const struct flock& lock) {
  return static_cast<std::uint64_t>(lock.l_start);
}

// A process that does as it is told: join, leave, be the writer of "pose" and write.
Process actor(const std::string& name, const Domain& domain) {
  return Process::fork(name, [domain](Mouth& mouth) -> std::string {
    std::optional<Member> member;
    std::optional<LatestWriter<Pose>> writer;
    while (const auto order = mouth.hear(within(60s))) {
      if (*order == "join") member.emplace(Member::join(domain));
      if (*order == "leave") member.reset();
      if (*order == "hold the writer's role") writer.emplace(domain, "pose");
      if (*order == "write" && writer->write({7, 7}) != WriteAnswer::committed) return "refused";
      mouth.say("done");
    }
    return "";
  });
}

// "" if it was done.
std::string order(Process& process, const std::string& what) {
  if (!process.tell(what)) return process.name() + " does not listen";
  return process.expect("done", within(20s));
}

bool lives_at_place_0(const Member& observer, const Process& process) {
  for (const MemberFacts& facts : observer.members()) {
    if (facts.id.index != 0) continue;
    return facts.pid == static_cast<std::uint32_t>(process.pid()) &&
           facts.liveness == Liveness::alive;
  }
  return false;
}

// What used to happen: the reaper looked at the record, then at the life lock, which was free since
// the newcomer had left in between; by the time it freed the place, another newcomer sat there.
// Its place was given away and its role with it, while it lived.
TEST(ReapRace, APlaceThatChangesHandsDuringTheLookIsLeftAlone) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Process dying = actor("dying", domain);
  Process leaving = actor("leaving", domain);
  Process staying = actor("staying", domain);
  ASSERT_EQ(order(dying, "join"), "");
  const Member reaper = Member::join(domain);
  (void)dying.kill();

  std::string said;
  bool holds_reap_lock = false;
  bool looked = false;
  {
    SystemCallHooks hooks;
    hooks.before_lock = [&](int, int command, const struct flock& lock) {
      if (command == F_OFD_SETLK && begin_of(lock) == kFirstReap && lock.l_type == F_WRLCK) {
        said += order(leaving, "join");  // reaps the dead itself and takes the place
        holds_reap_lock = true;
      } else if (holds_reap_lock && !looked && begin_of(lock) == kFirstLife) {
        said += order(leaving, "leave");
      }
    };
    hooks.after_lock = [&](int, const struct flock& lock, bool) {
      if (!holds_reap_lock || looked || begin_of(lock) != kFirstLife) return;
      looked = true;
      said += order(staying, "hold the writer's role");
    };
    EXPECT_EQ(reaper.reap_dead().reaped, 0u);
  }
  ASSERT_TRUE(looked) << "the reaper no longer looks twice; find another way to race it";
  EXPECT_EQ(said, "");
  EXPECT_TRUE(lives_at_place_0(reaper, staying));
  EXPECT_EQ(why_not_refused([&] { LatestWriter<Pose> second(domain, "pose"); }, Errc::role_taken,
                            {"'pose'"}),
            "");
  EXPECT_EQ(order(staying, "write"), "");
}

// The same with a newcomer that stays: it took the place between the first look and the reap lock.
TEST(ReapRace, ANewcomerOnThePlaceOfTheDeadIsNotTakenForTheDead) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Process dying = actor("dying", domain);
  Process staying = actor("staying", domain);
  ASSERT_EQ(order(dying, "join"), "");
  const Member reaper = Member::join(domain);
  (void)dying.kill();

  std::string said = "the reaper never took the reap lock";
  {
    SystemCallHooks hooks;
    hooks.before_lock = [&](int, int command, const struct flock& lock) {
      if (command != F_OFD_SETLK || begin_of(lock) != kFirstReap) return;
      said = order(staying, "hold the writer's role");
    };
    EXPECT_EQ(reaper.reap_dead().reaped, 0u);
  }
  EXPECT_EQ(said, "");
  EXPECT_TRUE(lives_at_place_0(reaper, staying));
  EXPECT_EQ(order(staying, "write"), "");
}

// Method: somebody stays in the administrative work of a channel in which several readers died,
// while another channel is joined. Counted are the attempts at that channel's lock, by the dead
// member for whose sake each was made. What used to happen: a second of attempts for every one.
TEST(ReapPatience, IsOneForAllTheDeadOfAPass) {
  constexpr std::uint32_t kDead = 4;
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  std::vector<Process> readers;
  for (std::uint32_t i = 0; i < kDead; ++i) {
    readers.push_back(Process::fork("reader", [domain](Mouth& mouth) -> std::string {
      LatestReader<Pose> reader(domain, "busy");
      mouth.say("reads");
      mouth.await("never", within(60s));
      return "";
    }));
    ASSERT_EQ(readers.back().expect("reads", within(20s)), "");
  }
  for (Process& reader : readers) (void)reader.kill();
  const auto busy = os::open_path(scratch.path() + "/busy", os::Access::read_write);
  ASSERT_EQ(os::try_lock(busy.value, internal::RegionLock::kAdmin, os::LockKind::exclusive).value,
            os::Locked::yes);

  std::map<std::uint64_t, int> attempts;  // by place of the dead
  {
    std::uint64_t place = kDead;
    const auto identity = os::facts_of(busy.value).value.identity;
    SystemCallHooks hooks;
    hooks.before_lock = [&](int file, int command, const struct flock& lock) {
      if (command != F_OFD_SETLK || lock.l_type != F_WRLCK) return;
      const std::uint64_t byte = begin_of(lock);
      if (byte >= kFirstReap && byte < kFirstReap + kDead) place = byte - kFirstReap;
      struct stat status {};
      ::fstat(file, &status);
      if (byte == internal::RegionLock::kAdmin && status.st_ino == identity.inode)
        ++attempts[place];
    };
    LatestReader<Pose> other(domain, "other");
  }
  // They wait for the next pass, beside the one who asks.
  EXPECT_EQ(Member::join(domain).members().size(), kDead + 1u);
  ASSERT_EQ(attempts.size(), kDead);
  for (std::uint64_t place = 1; place < kDead; ++place) {
    EXPECT_EQ(attempts[place], 1) << "the patience was spent on the first one";
  }
}

}  // namespace
}  // namespace kith
