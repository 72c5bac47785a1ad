// Peers in odd states, and limits of this process: stopped, forked without exec, a vfork child
// pending, no descriptors left, no address space left.
#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/internal/region_file.hpp"
#include "kith/region/region.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Findings;
using tests::in_own_process;
using tests::ScratchDirectory;
using tests::Signal;
using tests::Verdict;
using tests::why_not_refused;
using tests::why_refused;
using Number = std::atomic<std::uint64_t>;

struct Pose {
  double x;
  double y;
};

// The one member of the domain that runs as `pid`.
std::optional<MemberId> id_of(const Member& me, pid_t pid) {
  for (const MemberFacts& member : me.members()) {
    if (member.pid == static_cast<std::uint32_t>(pid)) return member.id;
  }
  return std::nullopt;
}

TEST(StoppedWriter, IsAliveAndItsRoleIsRefusedByName) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Signal up;
  Signal go;
  Child stopped([&] {
    LatestWriter<Pose> writer(domain, "pose", {.role = "pilot"});
    if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
    up.tell();
    if (!go.wait()) return 2;
    return writer.write({2, 2}) == WriteAnswer::committed ? 0 : 3;
  });
  ASSERT_TRUE(up.wait());
  LatestReader<Pose> reader(domain, "pose");
  stopped.stop();
  EXPECT_EQ(reader.acquire()->x, 1);
  EXPECT_EQ(reader.writer_liveness(), Liveness::alive);
  LatestReader<Pose> joins_meanwhile(domain, "pose");
  EXPECT_EQ(joins_meanwhile.acquire()->x, 1);
  const Member me = Member::join(domain);
  EXPECT_EQ(me.reap_dead().reaped, 0u);
  const auto id = id_of(me, stopped.pid());
  ASSERT_TRUE(id);
  EXPECT_EQ(me.liveness(*id), Liveness::alive);
  EXPECT_EQ(why_not_refused(
                [&] {
                  LatestWriter<Pose> second(domain, "pose",
                                            {.role = "pilot", .deadline = Deadline::after(5ms)});
                },
                Errc::role_taken, {"writer of latest 'pose'", std::to_string(stopped.pid())}),
            "");
  EXPECT_EQ(reader.wait_newer(Deadline::after(1ms)), WaitAnswer::timed_out);
  go.tell();
  stopped.signal(SIGCONT);
  EXPECT_EQ(stopped.wait(), 0);
  EXPECT_EQ(reader.acquire()->x, 2);
}

TEST(StoppedReader, ThatHoldsAValueKeepsItWhileTheWriterGoesOn) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestWriter<Pose> writer(domain, "pose", {.readers_max = 2});
  ASSERT_EQ(writer.write({1, 1}), WriteAnswer::committed);
  Signal up;
  Signal go;
  Child stopped([&] {
    LatestReader<Pose> reader(domain, "pose", {.role = "logger"});
    const auto held = reader.acquire();
    up.tell();
    if (!go.wait()) return 1;
    return held->x == 1 && held->y == 1 ? 0 : 2;
  });
  ASSERT_TRUE(up.wait());
  stopped.stop();
  LatestReader<Pose> other(domain, "pose");
  for (int i = 2; i < 1000; ++i) {
    ASSERT_EQ(writer.write({double(i), double(i)}), WriteAnswer::committed);
    ASSERT_EQ(other.acquire()->x, i);
  }
  EXPECT_EQ(why_not_refused([&] { LatestReader<Pose> logger(domain, "pose", {.role = "logger"}); },
                            Errc::role_taken, {"'logger'", std::to_string(stopped.pid())}),
            "");
  go.tell();
  stopped.signal(SIGCONT);
  EXPECT_EQ(stopped.wait(), 0);
}

TEST(StoppedPeer, ThatHoldsTheAdministrativeLockDelaysOnlyNewcomers) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestWriter<Pose> writer(domain, "pose");
  LatestReader<Pose> reader(domain, "pose");
  ASSERT_EQ(writer.write({1, 1}), WriteAnswer::committed);
  const auto channel = internal::MappedRegion::observe(domain, "pose");
  ASSERT_TRUE(channel);
  Signal up;
  Signal go;
  Child stopped([&] {
    const internal::AdminLock lock(domain, "pose", channel->identity(), Deadline::after(5s));
    if (lock.answer() != internal::AdminLock::Answer::held) return 1;
    up.tell();
    return go.wait() ? 0 : 2;
  });
  ASSERT_TRUE(up.wait());
  stopped.stop();
  EXPECT_EQ(why_not_refused([&] { LatestReader<Pose> late(domain, "pose"); }, Errc::timed_out,
                            {"'pose'", "administrative lock", "stopped process"}),
            "");
  ASSERT_EQ(writer.write({2, 2}), WriteAnswer::committed);
  EXPECT_EQ(reader.acquire()->x, 2);
  stopped.kill();
  EXPECT_EQ(why_refused([&] { LatestReader<Pose> late(domain, "pose"); }), "");
}

// A process with every kind of handle that forks; `grandchild` lives on as its heir.
int hold_everything_and_fork(const Domain& domain, const std::function<void()>& grandchild) {
  const auto region =
      Region<Number>::create(domain, "mortal", {.lifetime = Lifetime::while_creator_lives});
  LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
  LatestReader<Pose> reader(domain, "pose", {.role = "logger"});
  if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
  const auto held = reader.acquire();
  if (writer.write({2, 2}) != WriteAnswer::committed) return 1;
  if (::fork() == 0) {
    grandchild();
    ::_exit(0);
  }
  Signal never;
  return never.wait() ? 2 : 3;
}

TEST(ForkedChild, ThatLivesOnDoesNotKeepItsKilledParentAlive) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Signal up;
  Signal end;
  Signal ended;
  Child parent([&] {
    return hold_everything_and_fork(domain, [&] {
      up.tell();
      (void)end.wait();
      ended.tell();
    });
  });
  ASSERT_TRUE(up.wait());
  const Member me = Member::join(domain);
  const auto id = id_of(me, parent.pid());
  ASSERT_TRUE(id);
  EXPECT_EQ(me.liveness(*id), Liveness::alive);
  parent.kill();
  EXPECT_TRUE(me.wait_for_death(*id, Deadline::after(20s)));
  LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
  EXPECT_EQ(writer.sequence(), 2u);
  {
    LatestReader<Pose> reader(domain, "pose", {.role = "logger"}, Inherited::resume);
    EXPECT_EQ(reader.resume()->x, 1);
  }
  EXPECT_EQ(why_not_refused([&] { (void)Region<Number>::open(domain, "mortal"); }, Errc::not_found,
                            {"'mortal'"}),
            "");
  ASSERT_EQ(writer.write({3, 3}), WriteAnswer::committed);
  EXPECT_EQ(latest_facts(domain, "pose")->pinned_by_nobody, 0u);
  end.tell();
  EXPECT_TRUE(ended.wait());
}

TEST(ForkedChild, IsRefusedTheHandlesOfItsParentAndJoinsByItself) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
  LatestReader<Pose> reader(domain, "pose", {.role = "logger"});
  ASSERT_EQ(writer.write({1, 1}), WriteAnswer::committed);
  auto held = reader.acquire();
  const Member me = Member::join(domain);
  const MemberId parent = me.id();
  const Verdict verdict = in_own_process([&](Findings& find) {
    find.that(writer.write({9, 9}) == WriteAnswer::forked, "writing is refused as forked");
    find.that(reader.acquire().answer() != ReadAnswer::value, "reading gives no value");
    find.that(reader.wait_newer(Deadline::now()) == WaitAnswer::forked, "nor does waiting");
    find.that(me.id() != parent, "the child is a member of its own");
    find.nothing(why_not_refused([&] { LatestWriter<Pose> w(domain, "pose", {.role = "writer"}); },
                                 Errc::role_taken, {"'pose'", std::to_string(::getppid())}),
                 "taking the parent's role");
    LatestReader<Pose> own(domain, "pose");
    find.that(own.acquire()->x == 1, "a reader of its own reads");
    held.release();
  });
  EXPECT_EQ(verdict.failures, "");
  // The child's end of the guard released nothing: no write comes near the value.
  for (int i = 0; i < 50; ++i) ASSERT_EQ(writer.write({2, 2}), WriteAnswer::committed);
  EXPECT_EQ(held->x, 1);
  held.release();
  EXPECT_EQ(reader.acquire()->x, 2);
  EXPECT_EQ(latest_facts(domain, "pose")->readers_held, 1u);
}

// The thread sanitizer makes it a plain fork.
bool vfork_shares_memory() {
  std::atomic<bool> seen = false;
  const pid_t child = ::vfork();
  if (child == 0) {
    seen.store(true, std::memory_order_relaxed);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  return seen.load(std::memory_order_relaxed);
}

TEST(VforkChild, ThatIsPendingKeepsItsKilledParentAliveUntilItExecsOrExits) {
  if (!vfork_shares_memory()) GTEST_SKIP() << "vfork is a plain fork here";
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const Member me = Member::join(domain);
  for (const bool execs : {true, false}) {
    Signal pending;
    Signal go;
    Child parent([&] {
      LatestWriter<Pose> writer(domain, "pose", {.role = "writer"});
      if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
      if (::vfork() == 0) {
        pending.tell();
        (void)go.wait();
        if (execs) ::execl("/bin/true", "true", nullptr);
        ::_exit(0);
      }
      return 2;  // not reached: killed while vfork waits
    });
    ASSERT_TRUE(pending.wait());
    const auto id = id_of(me, parent.pid());
    ASSERT_TRUE(id);
    const pid_t pid = parent.pid();
    parent.kill();
    EXPECT_EQ(me.liveness(*id), Liveness::alive);
    EXPECT_EQ(me.reap_dead().reaped, 0u);
    EXPECT_EQ(why_not_refused([&] { LatestWriter<Pose> w(domain, "pose", {.role = "writer"}); },
                              Errc::role_taken, {"'pose'", std::to_string(pid)}),
              "");
    go.tell();
    EXPECT_TRUE(me.wait_for_death(*id, Deadline::after(20s)));
    EXPECT_EQ(why_refused([&] { LatestWriter<Pose> w(domain, "pose", {.role = "writer"}); }), "");
  }
}

std::uint64_t address_space_used() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Its shadow fills the address space, and it opens descriptors of its own to look at objects.
bool a_sanitizer_is_at_work() {
  return address_space_used() > std::uint64_t{1} << 40;
}

// Opens descriptors until the process may have no more.
std::vector<int> use_up_descriptors() {
  const rlimit few{200, 200};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::vector<int> taken;
  for (int next = 0; (next = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
    taken.push_back(next);
  }
  return taken;
}

void expect_newcomers_refused(Findings& find, const Domain& domain) {
  const auto refused = [&](const char* what, const std::function<void()>& ask,
                           const std::string& object) {
    find.nothing(why_not_refused(ask, Errc::limit_reached, {object, "ulimit -n"}), what);
  };
  const std::string where = domain.path();
  refused(
      "create", [&] { (void)Region<Number>::create(domain, "new"); }, where);
  refused(
      "open", [&] { (void)Region<Number>::open(domain, "number"); }, where);
  refused(
      "open or create", [&] { (void)Region<Number>::open_or_create(domain, "new"); }, where);
  refused(
      "a writer", [&] { LatestWriter<Pose> w(domain, "other"); }, where);
  refused(
      "a reader", [&] { LatestReader<Pose> r(domain, "pose"); }, where);
  refused(
      "removing", [&] { (void)remove_object(domain, "number"); }, where);
  refused(
      "listing", [&] { (void)list_objects(domain); }, where);
}

TEST(FileLimit, RefusesNewcomersByNameWhileWhatIsHeldGoesOn) {
  if (a_sanitizer_is_at_work()) GTEST_SKIP() << "a sanitizer needs what is used up here";
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Signal up;
  Signal end;
  Child peer([&] {
    LatestWriter<Pose> writer(domain, "theirs");
    if (writer.write({5, 5}) != WriteAnswer::committed) return 1;
    up.tell();
    return end.wait() ? 0 : 2;
  });
  ASSERT_TRUE(up.wait());
  const Verdict verdict = in_own_process([&](Findings& find) {
    const auto number = Region<Number>::create(domain, "number");
    LatestWriter<Pose> writer(domain, "pose");
    auto reader = std::make_unique<LatestReader<Pose>>(domain, "pose");
    LatestReader<Pose> theirs(domain, "theirs");
    const Member me = Member::join(domain);
    const auto peer_id = id_of(me, peer.pid());
    const auto taken = use_up_descriptors();
    expect_newcomers_refused(find, domain);
    find.that(writer.write({1, 2}) == WriteAnswer::committed, "the writer writes");
    find.that(reader->acquire()->y == 2, "the reader reads");
    find.that(reader->wait_newer(Deadline::now()) == WaitAnswer::timed_out, "and waits");
    find.that(!number.is_orphaned() && !writer.is_orphaned(), "nothing counts as orphaned");
    find.that(theirs.writer_liveness() == Liveness::unknown, "the peer's life is unknown");
    find.that(peer_id && me.liveness(*peer_id) == Liveness::unknown, "for the member too");
    find.that(theirs.acquire()->x == 5, "what the peer wrote is there");
    reader.reset();
    for (const int descriptor : taken) ::close(descriptor);
    find.that(theirs.writer_liveness() == Liveness::alive, "with descriptors it is known again");
    find.that(latest_facts(domain, "pose")->readers_held == 0, "the closed reader let go");
    find.nothing(why_refused([&] { LatestReader<Pose> again(domain, "pose"); }), "reading anew");
    find.that(number->load(std::memory_order_relaxed) == 0, "the region is untouched");
  });
  EXPECT_EQ(verdict.failures, "");
  end.tell();
  EXPECT_EQ(peer.wait(), 0);
  EXPECT_EQ(latest_facts(domain, "theirs")->sequence, 1u);
}

// Method: one descriptor more at each try, until joining succeeds.
TEST(FileLimit, ReachedAtEveryStepOfAJoiningLeavesNothingHalfDone) {
  if (a_sanitizer_is_at_work()) GTEST_SKIP() << "a sanitizer needs what is used up here";
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestWriter<Pose> writer(domain, "pose");
  const Verdict verdict = in_own_process([&](Findings& find) {
    auto taken = use_up_descriptors();
    int refusals = 0;
    for (; !taken.empty(); ++refusals) {
      if (why_refused([&] { LatestReader<Pose> reader(domain, "pose"); }).empty()) break;
      find.nothing(why_not_refused([&] { LatestReader<Pose> reader(domain, "pose"); },
                                   Errc::limit_reached, {domain.path(), "ulimit -n"}),
                   "joining with " + std::to_string(refusals) + " descriptors");
      ::close(taken.back());
      taken.pop_back();
    }
    find.that(refusals >= 2, "more than one descriptor is needed on the way");
    for (const int descriptor : taken) ::close(descriptor);
    find.that(Member::join(domain).members().size() == 2, "two members, nobody half-joined");
  });
  EXPECT_EQ(verdict.failures, "");
  EXPECT_EQ(writer.readers_joined(), 0u);
  EXPECT_EQ(Member::join(domain).members().size(), 1u);
}

TEST(AddressSpaceLimit, RefusesWhatDoesNotFitAndLeavesNothingBehind) {
  if (a_sanitizer_is_at_work()) GTEST_SKIP() << "a sanitizer needs what is used up here";
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  { (void)Region<>::create(domain, "large", 16 << 20); }
  const Verdict verdict = in_own_process([&](Findings& find) {
    LatestWriter<Pose> writer(domain, "pose");
    LatestReader<Pose> reader(domain, "pose");
    const auto small = Region<>::create(domain, "small", 4096);
    const rlim_t limit = address_space_used() + (8 << 20);
    const rlimit little{limit, limit};
    ::setrlimit(RLIMIT_AS, &little);
    find.nothing(why_not_refused([&] { (void)Region<>::create(domain, "larger", 32 << 20); },
                                 Errc::limit_reached, {"'larger'", "mapping", "ulimit -v"}),
                 "creating");
    find.nothing(why_not_refused([&] { (void)Region<>::open(domain, "large"); },
                                 Errc::limit_reached, {"'large'", "mapping", "ulimit -v"}),
                 "opening");
    find.nothing(why_not_refused([&] { LatestBytesWriter w(domain, "film", 1 << 20); },
                                 Errc::limit_reached, {"'film'", "mapping"}),
                 "a channel");
    find.that(writer.write({1, 1}) == WriteAnswer::committed, "the writer writes");
    find.that(reader.acquire()->x == 1, "the reader reads");
    find.that(!small.is_orphaned(), "the region is there");
  });
  EXPECT_EQ(verdict.failures, "");
  std::vector<std::string> left;
  for (const ObjectFacts& object : list_objects(domain)) {
    left.push_back(object.name);
    EXPECT_FALSE(object.in_use) << object.name;
  }
  EXPECT_EQ(left, (std::vector<std::string>{"large", "pose", "small"}));
  EXPECT_EQ(Region<>::open(domain, "large").size(), std::uint64_t{16} << 20);
}

}  // namespace
}  // namespace kith
