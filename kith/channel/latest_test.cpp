#include "kith/channel/latest.hpp"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/region.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::ScratchDirectory;
using tests::Signal;

struct Pose {
  double x = 0;
  double y = 0;
  double heading = 0;
};
struct Twist {
  double linear = 0;
  float angular = 0;
};

Errc code_of(const std::function<void()>& action, std::string* text = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (text != nullptr) *text = error.what();
    return error.errc();
  }
  return Errc{};
}

bool commits(LatestWriter<Pose>& writer, double x) {
  return writer.write({x, x, x}) == WriteAnswer::committed;
}

TEST(Latest, EmptyBeforeTheFirstValue) {
  const ScratchDirectory scratch;
  LatestReader<Pose> reader(scratch.domain(), "pose");  // the reader may come first
  EXPECT_EQ(reader.acquire().answer(), ReadAnswer::empty);
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  EXPECT_EQ(writer.sequence(), 0u);
  EXPECT_EQ(writer.last(), nullptr);
  ASSERT_TRUE(commits(writer, 1));
  const auto pose = reader.acquire();
  ASSERT_TRUE(pose);
  EXPECT_EQ(pose->x, 1);
  EXPECT_EQ(pose.sequence(), 1u);
}

TEST(Latest, ReaderThatComesLaterGetsTheNewest) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(commits(writer, i));
  LatestReader<Pose> reader(scratch.domain(), "pose");
  const auto pose = reader.acquire();
  EXPECT_EQ(pose->x, 10);
  EXPECT_EQ(pose.sequence(), 10u);
}

TEST(Latest, HeldValueStaysAndRefreshMovesOn) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  LatestReader<Pose> reader(scratch.domain(), "pose");
  ASSERT_TRUE(commits(writer, 1));
  auto pose = reader.acquire();
  for (int i = 2; i <= 30; ++i) ASSERT_TRUE(commits(writer, i));
  EXPECT_EQ(pose->x, 1);
  EXPECT_EQ(reader.acquire().answer(), ReadAnswer::held);
  EXPECT_EQ(pose->x, 1) << "a refused acquisition changes nothing";
  EXPECT_EQ(pose.refresh(), ReadAnswer::value);
  EXPECT_EQ(pose->x, 30);
  EXPECT_EQ(pose.refresh(), ReadAnswer::unchanged);
  EXPECT_EQ(pose->x, 30);
  pose.release();
  EXPECT_FALSE(pose);
  EXPECT_EQ(reader.acquire()->x, 30);
}

TEST(Latest, GuardMayOutliveItsReader) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  ASSERT_TRUE(commits(writer, 1));
  Pinned<Pose> pose;
  {
    LatestReader<Pose> reader(scratch.domain(), "pose");
    pose = reader.acquire();
  }
  for (int i = 2; i <= 5; ++i) ASSERT_TRUE(commits(writer, i));
  EXPECT_EQ(pose->x, 1);
  EXPECT_EQ(latest_facts(scratch.domain(), "pose")->readers_held, 1u);
  pose.release();
  EXPECT_EQ(latest_facts(scratch.domain(), "pose")->readers_held, 0u);
}

TEST(Latest, DraftIsInvisibleUntilCommitted) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  LatestReader<Pose> reader(scratch.domain(), "pose");
  {
    auto draft = writer.draft();
    ASSERT_TRUE(draft);
    draft->x = 4;
    EXPECT_EQ(reader.acquire().answer(), ReadAnswer::empty);
    EXPECT_EQ(writer.write({}), WriteAnswer::drafting);
    EXPECT_EQ(writer.draft().answer(), WriteAnswer::drafting);
  }
  EXPECT_EQ(reader.acquire().answer(), ReadAnswer::empty) << "an abandoned draft is nothing";
  auto draft = writer.draft();
  (*draft).x = 5;
  EXPECT_EQ(draft.commit(), WriteAnswer::committed);
  EXPECT_EQ(reader.acquire()->x, 5);
}

TEST(Latest, BytesHaveTheirSizeAndItsLimit) {
  const ScratchDirectory scratch;
  LatestBytesWriter writer(scratch.domain(), "log", 100);
  LatestBytesReader reader(scratch.domain(), "log");
  EXPECT_EQ(reader.payload_max(), 100u);
  const std::vector<std::byte> value(101, std::byte{7});
  EXPECT_EQ(writer.write(value), WriteAnswer::too_large);
  EXPECT_EQ(writer.write({value.data(), 0}), WriteAnswer::committed);
  {
    const auto none = reader.acquire();
    EXPECT_TRUE(none) << "a value of no bytes is a value";
    EXPECT_EQ(none.bytes().size(), 0u);
  }
  EXPECT_EQ(writer.write({value.data(), 100}), WriteAnswer::committed);
  EXPECT_EQ(reader.acquire().bytes().size(), 100u);
  EXPECT_EQ(writer.last().size(), 100u);
}

TEST(Latest, ReadCopyAsksTheValidatorAboutTheCopy) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  LatestReader<Pose> reader(scratch.domain(), "pose");
  Pose copy;
  EXPECT_EQ(reader.read_copy(copy), ReadAnswer::empty);
  ASSERT_TRUE(commits(writer, 3));
  EXPECT_EQ(reader.read_copy(copy), ReadAnswer::value);
  EXPECT_EQ(copy.y, 3);
  EXPECT_EQ(reader.read_copy(copy, [](const Pose& pose) { return pose.x > 3; }),
            ReadAnswer::rejected);
  LatestBytesWriter bytes(scratch.domain(), "log", 10);
  ASSERT_EQ(bytes.write(std::vector<std::byte>(10)), WriteAnswer::committed);
  LatestBytesReader log(scratch.domain(), "log");
  std::vector<std::byte> small(9);
  std::uint64_t size = 0;
  EXPECT_EQ(log.read_copy(small, size), ReadAnswer::too_small);
  EXPECT_EQ(size, 10u);
}

TEST(Latest, CommitTimeIsKeptIfAskedFor) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose", {.commit_time = true});
  LatestReader<Pose> reader(scratch.domain(), "pose");
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(commits(writer, 1));
  const auto after = std::chrono::steady_clock::now();
  const auto pose = reader.acquire();
  ASSERT_TRUE(pose.commit_time().has_value());
  EXPECT_GE(*pose.commit_time(), before);
  EXPECT_LE(*pose.commit_time(), after);
  LatestWriter<Pose> plain(scratch.domain(), "plain");
  LatestReader<Pose> plain_reader(scratch.domain(), "plain");
  ASSERT_TRUE(commits(plain, 1));
  EXPECT_FALSE(plain_reader.acquire().commit_time().has_value());
}

TEST(Latest, SecondWriterIsRefusedByTheNameOfTheFirst) {
  const ScratchDirectory scratch;
  Signal joined;
  Signal end;
  Child first([&] {
    LatestWriter<Pose> writer(scratch.domain(), "pose");
    if (!commits(writer, 8)) return 1;
    joined.tell();
    return end.wait() ? 0 : 1;
  });
  ASSERT_TRUE(joined.wait());
  std::string text;
  EXPECT_EQ(code_of([&] { LatestWriter<Pose> second(scratch.domain(), "pose"); }, &text),
            Errc::role_taken);
  EXPECT_NE(text.find(std::to_string(first.pid())), std::string::npos) << text;
  EXPECT_NE(text.find("'pose'"), std::string::npos) << text;
  first.kill();
  LatestWriter<Pose> second(scratch.domain(), "pose");
  EXPECT_EQ(second.sequence(), 1u) << "counting goes on where the dead one stopped";
  ASSERT_NE(second.last(), nullptr);
  EXPECT_EQ(second.last()->x, 8);
}

TEST(Latest, ClaimWaitsForTheHolderUntilTheDeadline) {
  const ScratchDirectory scratch;
  Signal joined;
  Signal end;
  Child first([&] {
    LatestWriter<Pose> writer(scratch.domain(), "pose");
    joined.tell();
    return end.wait() ? 0 : 1;
  });
  ASSERT_TRUE(joined.wait());
  end.tell();
  EXPECT_NO_THROW(LatestWriter<Pose>(scratch.domain(), "pose", {.deadline = Deadline::after(20s)}));
  EXPECT_EQ(first.wait(), 0);
}

TEST(Latest, KilledReaderOfANamedRoleComesBackToWhatItHeld) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  ASSERT_TRUE(commits(writer, 1));
  Signal holding;
  Child victim([&] {
    LatestReader<Pose> reader(scratch.domain(), "pose", {.role = "logger"});
    const auto pose = reader.acquire();
    holding.tell();
    Signal never;
    return never.wait() ? 1 : 2;
  });
  ASSERT_TRUE(holding.wait());
  victim.kill();
  for (int i = 2; i <= 9; ++i) ASSERT_TRUE(commits(writer, i));
  EXPECT_EQ(Member::join(scratch.domain()).reap_dead().reaped, 1u);
  const auto vacant = latest_facts(scratch.domain(), "pose");
  EXPECT_EQ(vacant->readers_vacant, 1u);
  EXPECT_EQ(vacant->pinned_vacant, 1u);
  {
    LatestReader<Pose> again(scratch.domain(), "pose", {.role = "logger"}, Inherited::resume);
    auto pose = again.resume();
    ASSERT_TRUE(pose);
    EXPECT_EQ(pose->x, 1);
    EXPECT_EQ(pose.sequence(), 1u);
    EXPECT_EQ(pose.refresh(), ReadAnswer::value);
    EXPECT_EQ(pose->x, 9);
    pose.release();
    EXPECT_EQ(again.resume().answer(), ReadAnswer::empty) << "once";
  }
  LatestReader<Pose> third(scratch.domain(), "pose", {.role = "logger"}, Inherited::resume);
  EXPECT_EQ(third.resume().answer(), ReadAnswer::empty) << "an orderly end held nothing";
}

TEST(Latest, NamedRoleLetsGoIfItsNextHolderWishes) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  ASSERT_TRUE(commits(writer, 1));
  Signal holding;
  Child victim([&] {
    LatestReader<Pose> reader(scratch.domain(), "pose", {.role = "logger"});
    const auto pose = reader.acquire();
    holding.tell();
    Signal never;
    return never.wait() ? 1 : 2;
  });
  ASSERT_TRUE(holding.wait());
  victim.kill();
  LatestReader<Pose> again(scratch.domain(), "pose", {.role = "logger"});
  EXPECT_EQ(again.resume().answer(), ReadAnswer::empty);
  const auto facts = latest_facts(scratch.domain(), "pose");
  EXPECT_EQ(facts->pinned_held + facts->pinned_vacant + facts->pinned_by_nobody, 0u);
}

TEST(Latest, UnnamedRoleOfAKilledReaderIsGivenBack) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose", {.readers_max = 1});
  ASSERT_TRUE(commits(writer, 1));
  Signal holding;
  Child victim([&] {
    LatestReader<Pose> reader(scratch.domain(), "pose");
    const auto pose = reader.acquire();
    holding.tell();
    Signal never;
    return never.wait() ? 1 : 2;
  });
  ASSERT_TRUE(holding.wait());
  EXPECT_EQ(code_of([&] { LatestReader<Pose> second(scratch.domain(), "pose"); }),
            Errc::role_taken);
  victim.kill();
  LatestReader<Pose> next(scratch.domain(), "pose");
  EXPECT_EQ(next.acquire()->x, 1);
  EXPECT_EQ(latest_facts(scratch.domain(), "pose")->readers_held, 1u);
}

TEST(Latest, FullTableGivesUpVacantRolesBeforeItRefuses) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose", {.readers_max = 2});
  { LatestReader<Pose> logger(scratch.domain(), "pose", {.role = "logger"}); }
  LatestReader<Pose> one(scratch.domain(), "pose");
  LatestReader<Pose> two(scratch.domain(), "pose");
  std::string text;
  EXPECT_EQ(code_of([&] { LatestReader<Pose> three(scratch.domain(), "pose"); }, &text),
            Errc::table_full);
  EXPECT_NE(text.find("'pose'"), std::string::npos) << text;
}

TEST(Latest, RetiredRoleLeavesNoName) {
  const ScratchDirectory scratch;
  {
    LatestReader<Pose> reader(scratch.domain(), "pose", {.role = "logger"});
    reader.retire_role();
  }
  EXPECT_EQ(latest_facts(scratch.domain(), "pose")->readers_vacant, 0u);
  { LatestReader<Pose> reader(scratch.domain(), "pose", {.role = "logger"}); }
  EXPECT_EQ(latest_facts(scratch.domain(), "pose")->readers_vacant, 1u);
  EXPECT_EQ(clean_domain(scratch.domain(), Roles::keep).roles_dropped, 0u);
  EXPECT_EQ(clean_domain(scratch.domain(), Roles::drop_vacant).roles_dropped, 1u);
  EXPECT_EQ(latest_facts(scratch.domain(), "pose")->readers_vacant, 0u);
}

TEST(Latest, OtherTypeOrGeometryIsRefusedAndBothAreNamed) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose", {.readers_max = 4});
  std::string text;
  EXPECT_EQ(code_of([&] { LatestReader<Twist> reader(scratch.domain(), "pose"); }, &text),
            Errc::wrong_type);
  EXPECT_NE(text.find("Pose"), std::string::npos) << text;
  EXPECT_NE(text.find("Twist"), std::string::npos) << text;
  EXPECT_EQ(code_of([&] { LatestBytesReader reader(scratch.domain(), "pose"); }), Errc::wrong_type);
  EXPECT_EQ(code_of([&] { LatestReader<Pose> r(scratch.domain(), "pose", {.readers_max = 5}); }),
            Errc::wrong_type);
  EXPECT_NO_THROW(LatestReader<Pose>(scratch.domain(), "pose", {.readers_max = 4}));
}

TEST(Latest, HandlesOfTheParentAreRefusedInAForkedChild) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  LatestReader<Pose> reader(scratch.domain(), "pose");
  ASSERT_TRUE(commits(writer, 1));
  auto pose = std::make_unique<Pinned<Pose>>(reader.acquire());
  Child child([&] {
    if (writer.write({}) != WriteAnswer::forked) return 1;
    if (writer.draft().answer() != WriteAnswer::forked) return 2;
    if (reader.wait_newer(Deadline::now()) != WaitAnswer::forked) return 3;
    pose.reset();  // gives up nothing of the parent's
    if (reader.acquire().answer() != ReadAnswer::forked) return 4;
    LatestReader<Pose> own(scratch.domain(), "pose");
    if (own.acquire()->x != 1) return 5;
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  ASSERT_TRUE(commits(writer, 2));
  ASSERT_TRUE(commits(writer, 3));
  EXPECT_EQ((*pose)->x, 1);
}

TEST(Latest, WaitingReaderIsWokenByAWrite) {
  const ScratchDirectory scratch;
  LatestWriter<Pose> writer(scratch.domain(), "pose");
  Signal waiting;
  Child reader([&] {
    LatestReader<Pose> mine(scratch.domain(), "pose");
    waiting.tell();
    for (int last = 0; last < 200;) {
      if (mine.wait_newer(Deadline::after(20s)) != WaitAnswer::newer) return 1;
      const auto pose = mine.acquire();
      if (pose->x < last) return 2;
      last = static_cast<int>(pose->x);
    }
    return 0;
  });
  ASSERT_TRUE(waiting.wait());
  for (int i = 1; i <= 200; ++i) ASSERT_TRUE(commits(writer, i));
  EXPECT_EQ(reader.wait(), 0);
}

TEST(Latest, WaitingEndsAtTheDeadlineAndWhenTheChannelIsRemoved) {
  const ScratchDirectory scratch;
  LatestReader<Pose> reader(scratch.domain(), "pose");
  EXPECT_EQ(reader.wait_newer(Deadline::now()), WaitAnswer::timed_out);
  EXPECT_EQ(reader.wait_newer(Deadline::after(1ms)), WaitAnswer::timed_out);
  EXPECT_EQ(remove_object(scratch.domain(), "pose", Force::yes), Removal::removed);
  EXPECT_EQ(reader.wait_newer(Deadline::after(20s)), WaitAnswer::orphaned);
}

TEST(Latest, PossibleReadersCostAddressSpaceOnly) {
  const ScratchDirectory scratch;
  LatestBytesWriter writer(scratch.domain(), "frame", 1 << 20, {.readers_max = 1000});
  const auto allocated = [&] { return list_objects(scratch.domain())[0].allocated_bytes; };
  EXPECT_LT(allocated(), 3u << 20);
  LatestBytesReader reader(scratch.domain(), "frame");
  EXPECT_LT(allocated(), 4u << 20);
  EXPECT_EQ(latest_facts(scratch.domain(), "frame")->slots_ready, 3u);
}

TEST(Latest, AllSlotsCanBeAllocatedAtOnce) {
  const ScratchDirectory scratch;
  LatestBytesWriter writer(scratch.domain(), "frame", 100'000,
                           {.readers_max = 4, .all_slots_now = true});
  EXPECT_EQ(latest_facts(scratch.domain(), "frame")->slots_ready, 6u);
  EXPECT_GT(list_objects(scratch.domain())[0].allocated_bytes, 600'000u);
}

TEST(Latest, ManyReadersMayHoldDifferentValues) {
  const ScratchDirectory scratch;
  constexpr std::uint32_t kReaders = 100;
  LatestWriter<Pose> writer(scratch.domain(), "pose", {.readers_max = kReaders});
  std::vector<LatestReader<Pose>> readers;
  std::vector<Pinned<Pose>> held;
  for (std::uint32_t i = 0; i < kReaders; ++i) {
    ASSERT_TRUE(commits(writer, i));
    readers.emplace_back(scratch.domain(), "pose");
    held.push_back(readers.back().acquire());
  }
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(commits(writer, 1000 + i));
  for (std::uint32_t i = 0; i < kReaders; ++i) EXPECT_EQ(held[i]->x, i);
  EXPECT_EQ(writer.readers_joined(), kReaders);
  held.clear();
  readers.clear();
  EXPECT_EQ(writer.readers_joined(), 0u) << "who left costs the writer nothing";
}

// Whole values only, across real processes: the reader checks every byte while it holds them.
TEST(Latest, NoValueIsTornAcrossProcesses) {
  const ScratchDirectory scratch;
  constexpr std::size_t kSize = 4096;
  LatestBytesWriter writer(scratch.domain(), "block", kSize);
  Signal joined;
  Child reader([&] {
    LatestBytesReader mine(scratch.domain(), "block");
    joined.tell();
    std::uint64_t last = 0;
    for (int reads = 0; reads < 20'000;) {
      const auto block = mine.acquire();
      if (!block) continue;
      ++reads;
      for (const std::byte byte : block.bytes()) {
        if (byte != block.bytes()[0]) return 1;
      }
      if (block.sequence() < last) return 2;
      last = block.sequence();
    }
    return 0;
  });
  ASSERT_TRUE(joined.wait());
  std::vector<std::byte> value(kSize);
  for (unsigned i = 1; latest_facts(scratch.domain(), "block")->readers_held == 1; ++i) {
    for (int burst = 0; burst < 100; ++burst) {
      std::memset(value.data(), static_cast<int>((i + static_cast<unsigned>(burst)) % 251), kSize);
      ASSERT_EQ(writer.write(value), WriteAnswer::committed);
    }
  }
  EXPECT_EQ(reader.wait(), 0);
}

TEST(Latest, HandlesMayBeMovedAndAssigned) {
  const ScratchDirectory scratch;
  LatestBytesWriter writer(scratch.domain(), "one", 8);
  LatestBytesWriter moved(std::move(writer));
  const std::array<std::byte, 8> value{std::byte{7}};
  EXPECT_EQ(moved.write(value), WriteAnswer::committed);
  EXPECT_DEATH((void)writer.sequence(), "moved-from writer");

  LatestBytesReader reader(scratch.domain(), "one");
  LatestBytesWriter other_writer(scratch.domain(), "two", 8);
  LatestBytesReader other(scratch.domain(), "two");
  other = std::move(reader);
  EXPECT_EQ(other.acquire().bytes()[0], std::byte{7});
  EXPECT_EQ(latest_facts(scratch.domain(), "two")->readers_held, 0u) << "its role did not end";
  EXPECT_DEATH((void)reader.has_newer(), "moved-from reader");
}

TEST(Latest, RoomForGuestsAndRightsMustFit) {
  const ScratchDirectory scratch;
  LatestOptions options;
  options.rights = {0600, ""};
  options.guests_max = 2;
  std::string text;
  EXPECT_EQ(code_of([&] { LatestWriter<Pose> writer(scratch.domain(), "pose", options); }, &text),
            Errc::invalid_argument);
  EXPECT_NE(text.find("2 guests, mode 0600"), std::string::npos) << text;
  options.rights = {0644, ""};
  options.guests_max = 0;
  EXPECT_EQ(code_of([&] { LatestWriter<Pose> writer(scratch.domain(), "pose", options); }, &text),
            Errc::invalid_argument);
  EXPECT_NE(text.find("room for guests"), std::string::npos) << text;
  EXPECT_TRUE(scratch.domain().names().empty());
}

}  // namespace
}  // namespace kith
