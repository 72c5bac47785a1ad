// Handles that outlive one another, roles that outlive their holders, and who may give them back.
#include <array>
#include <chrono>
#include <cstddef>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>

#include "kith/channel/internal/latest_channel.hpp"
#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/member/member.hpp"
#include "kith/region/internal/mapped_region.hpp"
#include "kith/sync/barrier.hpp"
#include "kith/sync/condition.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/semaphore.hpp"

#include "testkit/process.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using testkit::Mouth;
using testkit::Process;
using testkit::within;
using tests::ScratchDirectory;
using tests::why_not_refused;
using tests::why_refused;

struct Pose {
  double x;
  double y;
};

double x_of(LatestReader<Pose>& reader) {
  Pose pose{-1, -1};
  return reader.read_copy(pose) == ReadAnswer::value ? pose.x : -1;
}

// What used to happen, here and below: the draft committed through a writer that was freed.
TEST(Draft, MayBeCommittedAfterItsWriterObjectIsGoneAndKeepsItsRole) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestReader<Pose> reader(domain, "pose");
  std::optional<LatestWriter<Pose>> writer(std::in_place, domain, "pose");
  auto draft = writer->draft();
  writer.reset();
  EXPECT_EQ(why_not_refused([&] { LatestWriter<Pose> second(domain, "pose"); }, Errc::role_taken,
                            {"'pose'"}),
            "");
  ASSERT_TRUE(draft);
  draft->x = 5;
  EXPECT_EQ(draft.commit(), WriteAnswer::committed);
  EXPECT_EQ(x_of(reader), 5);
  EXPECT_EQ(why_refused([&] { LatestWriter<Pose> second(domain, "pose"); }), "")
      << "the role ended with the draft";
}

TEST(Draft, MayOutliveAWriterThatWasAssignedAnother) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  LatestReader<Pose> reader(domain, "pose");
  LatestWriter<Pose> writer(domain, "pose");
  auto draft = writer.draft();
  writer = LatestWriter<Pose>(domain, "another");
  ASSERT_TRUE(draft);
  draft->x = 6;
  EXPECT_EQ(draft.commit(), WriteAnswer::committed);
  EXPECT_EQ(x_of(reader), 6);
  EXPECT_EQ(writer.write({1, 1}), WriteAnswer::committed);
}

TEST(Draft, AbandonedAfterItsWriterObjectIsGoneEndsTheRole) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  {
    DraftBytes draft;
    {
      LatestBytesWriter writer(domain, "pose", 64);
      draft = writer.draft();
    }
    ASSERT_TRUE(draft);
  }
  LatestBytesReader reader(domain, "pose");
  EXPECT_EQ(reader.acquire().answer(), ReadAnswer::empty);
  EXPECT_EQ(why_refused([&] { LatestBytesWriter second(domain, "pose", 64); }), "");
}

// The bytes of the name of the reader's role at place 0.
std::array<char, 64>& name_of_role_0(const internal::MappedRegion& region) {
  using Cell = internal::LatestReaderCell<RealAtomics>;
  auto* cells = reinterpret_cast<Cell*>(region.content() + internal::LatestShape::kCellsOffset);
  return cells[0].role.name;
}

// A vacant role is found by its name. What used to happen: its taker wrote that name anew; killed
// in the middle, it left a role without a name, which nobody could claim with what it held.
// Method: a mark behind the name's end, which writing the name would wipe out.
TEST(VacantRole, IsTakenWithoutItsNameBeingWrittenAnew) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  { LatestReader<Pose> logger(domain, "pose", {.role = "logger"}); }
  const auto region = internal::MappedRegion::observe(domain, "pose");
  ASSERT_TRUE(region);
  ASSERT_STREQ(name_of_role_0(*region).data(), "logger");
  name_of_role_0(*region).back() = 'm';
  LatestReader<Pose> heir(domain, "pose", {.role = "logger"});
  EXPECT_STREQ(name_of_role_0(*region).data(), "logger");
  EXPECT_EQ(name_of_role_0(*region).back(), 'm');
}

// Method: a program that names no channel and is linked to the library as users link it. What used
// to happen: the linker left out what it did not name, and with it the code that heals channels.
TEST(ProgramThatOnlyJoins, ReapsWhatDiedInAChannelAndInLocks) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Process holder = Process::fork("holder", [&](Mouth& mouth) -> std::string {
    LatestWriter<Pose> writer(domain, "pose");
    LatestReader<Pose> reader(domain, "pose");
    (void)writer.write({1, 1});
    const auto pinned = reader.acquire();
    // What used to happen to these: a program without their code could not reap who had them open.
    const Event event(domain, "event");
    const Condition condition(domain, "condition");
    const CountingSemaphore signals(domain, "signals");
    const Barrier barrier(domain, "barrier", 2);
    Semaphore semaphore(domain, "semaphore", 1);
    (void)semaphore.try_acquire();
    mouth.say("holds");
    mouth.await("never", within(60s));
    return "";
  });
  ASSERT_EQ(holder.expect("holds", within(20s)), "");
  (void)holder.kill();
  Process joiner = Process::start("joiner", {KITH_ONLY_JOINS, {scratch.path()}, {}});
  EXPECT_EQ(joiner.expect("reaped 1, unreaped 0", within(20s)), "");
  EXPECT_EQ(joiner.finish(within(20s)).text(), "");
  const auto facts = latest_facts(domain, "pose");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->readers_held, 0u);
  EXPECT_EQ(facts->pinned_by_nobody, 0u);
  EXPECT_FALSE(facts->has_writer);
}

// The table of the member that holds all it may, as its file has it.
void fill_attach_list(const ScratchDirectory& scratch, std::uint32_t members_max) {
  const std::string table = scratch.in(internal::kMembersName);
  const std::uint32_t all = internal::kAttachMax;
  tests::patch(table,
               internal::kRegionHeaderSize + internal::kRecordsOffset +
                   offsetof(internal::MemberRecord, attached_ready),
               std::string(reinterpret_cast<const char*>(&all), sizeof all));
  tests::patch(table, internal::kRegionHeaderSize + internal::lists_offset(members_max),
               std::string(internal::kWaitNotesOffset, '\x01'));
}

// What used to happen: the region and the membership of a mutex that could not be opened stayed
// for as long as the process did.
TEST(Mutex, ThatCannotBeOpenedLeavesNothingBehind) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain({.members_max = 4});
  // By another process: what its watching thread maps until it has ended, a child would inherit.
  const auto made =
      tests::in_own_process([&](tests::Findings&) { const Mutex lock(domain, "lock"); });
  ASSERT_EQ(made.failures, "");
  const auto verdict = tests::in_own_process([&](tests::Findings& find) {
    {
      const Member member = Member::join(domain);
      fill_attach_list(scratch, 4);
      find.nothing(why_not_refused([&] { Mutex(domain, "lock"); }, Errc::limit_reached, {}),
                   "open");
    }
    find.that(tests::bytes_of("/proc/self/maps").find(scratch.path()) == std::string::npos,
              "nothing of the domain is mapped");
  });
  EXPECT_EQ(verdict.failures, "");
}

}  // namespace
}  // namespace kith
