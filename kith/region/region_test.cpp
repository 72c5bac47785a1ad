#include "kith/region/region.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::ScratchDirectory;
using tests::Signal;

struct Robot {
  std::atomic<int> speed = 3;
  std::atomic<int> heading;
};
struct Ship {
  std::atomic<std::int64_t> knots;
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

TEST(Region, IsBornWithItsMembersInitialisers) {
  const ScratchDirectory scratch;
  const auto robot = Region<Robot>::create(scratch.domain(), "robot");
  EXPECT_TRUE(robot.created_here());
  EXPECT_EQ(robot->speed.load(std::memory_order_relaxed), 3);
  EXPECT_EQ(robot->heading.load(std::memory_order_relaxed), 0);
}

TEST(Region, OfBytesIsZeroedAndKeepsItsSize) {
  const ScratchDirectory scratch;
  const auto made = Region<>::create(scratch.domain(), "frame", 10'000);
  ASSERT_EQ(made.size(), 10'000u);
  for (const std::byte byte : made.bytes()) ASSERT_EQ(byte, std::byte{0});
  made.bytes()[9'999] = std::byte{5};
  const auto opened = Region<>::open(scratch.domain(), "frame");
  EXPECT_EQ(opened.size(), 10'000u);
  EXPECT_EQ(opened.bytes()[9'999], std::byte{5});
  EXPECT_NE(opened.bytes().data(), made.bytes().data());
}

TEST(Region, AtomicIntIsShared) {
  const ScratchDirectory scratch;
  const auto ours = Region<std::atomic<int>>::create(scratch.domain(), "count");
  Child child([&] {
    const auto theirs = Region<std::atomic<int>>::open(scratch.domain(), "count");
    theirs->fetch_add(42, std::memory_order_relaxed);
    return 0;
  });
  ASSERT_EQ(child.wait(), 0);
  EXPECT_EQ(ours->load(std::memory_order_relaxed), 42);
}

TEST(Region, MissingNameIsAnErrorThatNamesIt) {
  const ScratchDirectory scratch;
  std::string text;
  EXPECT_EQ(code_of([&] { (void)Region<Robot>::open(scratch.domain(), "robot"); }, &text),
            Errc::not_found);
  EXPECT_NE(text.find("'robot'"), std::string::npos) << text;
  EXPECT_NE(text.find(scratch.path()), std::string::npos) << text;
}

TEST(Region, OpeningWaitsForACreatorUntilTheDeadline) {
  const ScratchDirectory scratch;
  Signal opening;
  Child late([&] {
    if (!opening.wait()) return 1;
    static const auto robot = Region<Robot>::create(scratch.domain(), "robot");
    robot->speed.store(9, std::memory_order_relaxed);
    ::_exit(0);
  });
  opening.tell();
  const auto robot =
      Region<Robot>::open(scratch.domain(), "robot", {.deadline = Deadline::after(20s)});
  EXPECT_TRUE(robot);
  EXPECT_EQ(late.wait(), 0);
  EXPECT_EQ(robot->speed.load(std::memory_order_relaxed), 9);
  EXPECT_EQ(code_of([&] {
              (void)Region<Robot>::open(scratch.domain(), "never",
                                        {.deadline = Deadline::after(1ms)});
            }),
            Errc::timed_out);
}

TEST(Region, ExistingNameSaysWhetherItsOwnerLives) {
  const ScratchDirectory scratch;
  Signal made;
  Signal end;
  Child owner([&] {
    const auto robot = Region<Robot>::create(scratch.domain(), "robot");
    made.tell();
    return end.wait() ? 0 : 1;
  });
  ASSERT_TRUE(made.wait());
  std::string text;
  EXPECT_EQ(code_of([&] { (void)Region<Robot>::create(scratch.domain(), "robot"); }, &text),
            Errc::already_exists);
  EXPECT_NE(text.find("is alive"), std::string::npos) << text;
  EXPECT_NE(text.find(std::to_string(owner.pid())), std::string::npos) << text;
  owner.kill();
  EXPECT_EQ(code_of([&] { (void)Region<Robot>::create(scratch.domain(), "robot"); }, &text),
            Errc::already_exists);
  EXPECT_NE(text.find("is dead, and nobody uses it"), std::string::npos) << text;
}

TEST(Region, AnotherTypeIsRefusedAndBothAreNamed) {
  const ScratchDirectory scratch;
  const auto robot = Region<Robot>::create(scratch.domain(), "thing");
  std::string text;
  EXPECT_EQ(code_of([&] { (void)Region<Ship>::open(scratch.domain(), "thing"); }, &text),
            Errc::wrong_type);
  EXPECT_NE(text.find("Robot"), std::string::npos) << text;
  EXPECT_NE(text.find("Ship"), std::string::npos) << text;
  EXPECT_EQ(code_of([&] { (void)Region<>::open(scratch.domain(), "thing"); }), Errc::wrong_type);
  EXPECT_EQ(code_of([&] { (void)Region<>::open_or_create(scratch.domain(), "thing", 8); }),
            Errc::wrong_type);
}

TEST(Region, OpenOrCreateRacesEndInOneRegion) {
  const ScratchDirectory scratch;
  constexpr int kProcesses = 8;
  std::vector<std::unique_ptr<Child>> children;
  Signal go;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(std::make_unique<Child>([&] {
      if (!go.wait()) return 1;
      for (int round = 0; round < 20; ++round) {
        const auto count = Region<std::atomic<int>>::open_or_create(
            scratch.domain(), "count-" + std::to_string(round));
        count->fetch_add(1, std::memory_order_relaxed);
      }
      return 0;
    }));
  }
  for (int i = 0; i < kProcesses; ++i) go.tell();
  for (auto& child : children) ASSERT_EQ(child->wait(), 0);
  for (int round = 0; round < 20; ++round) {
    const auto count =
        Region<std::atomic<int>>::open(scratch.domain(), "count-" + std::to_string(round));
    EXPECT_EQ(count->load(std::memory_order_relaxed), kProcesses);
  }
}

TEST(Region, RemovalIsRefusedWhileInUseAndForcedRemovalOrphans) {
  const ScratchDirectory scratch;
  auto robot = Region<Robot>::create(scratch.domain(), "robot");
  EXPECT_EQ(remove_object(scratch.domain(), "robot"), Removal::in_use);
  EXPECT_FALSE(robot.is_orphaned());
  EXPECT_EQ(remove_object(scratch.domain(), "robot", Force::yes), Removal::removed);
  EXPECT_TRUE(robot.is_orphaned());
  robot->speed.store(5, std::memory_order_relaxed);  // the mapping stays
  EXPECT_EQ(remove_object(scratch.domain(), "robot"), Removal::not_found);

  const auto newer = Region<Robot>::create(scratch.domain(), "robot");
  EXPECT_TRUE(robot.is_orphaned());
  newer->speed.store(6, std::memory_order_relaxed);
  robot.reattach(Deadline::now());
  EXPECT_FALSE(robot.is_orphaned());
  EXPECT_EQ(robot->speed.load(std::memory_order_relaxed), 6);
}

TEST(Region, ClosedRegionIsRemovedWithoutForce) {
  const ScratchDirectory scratch;
  auto robot = Region<Robot>::create(scratch.domain(), "robot");
  robot.close();
  EXPECT_FALSE(robot);
  EXPECT_EQ(remove_object(scratch.domain(), "robot"), Removal::removed);
  EXPECT_TRUE(scratch.is_empty());
}

TEST(Region, OfLifetimeUntilLastMemberGoesWithTheLastHandle) {
  const ScratchDirectory scratch;
  const RegionOptions options{.lifetime = Lifetime::until_last_member};
  auto first = Region<Robot>::create(scratch.domain(), "robot", options);
  auto second = Region<Robot>::open(scratch.domain(), "robot");
  first.close();
  EXPECT_FALSE(scratch.is_empty());
  second.close();
  EXPECT_TRUE(scratch.is_empty());
}

TEST(Region, OfLifetimeUntilLastMemberWaitsWholeForTheNextAfterAKill) {
  const ScratchDirectory scratch;
  const RegionOptions options{.lifetime = Lifetime::until_last_member};
  Signal made;
  Signal never;
  Child victim([&] {
    const auto robot = Region<Robot>::create(scratch.domain(), "robot", options);
    robot->heading.store(17, std::memory_order_relaxed);
    made.tell();
    return never.wait() ? 1 : 2;
  });
  ASSERT_TRUE(made.wait());
  victim.kill();
  {
    const auto robot = Region<Robot>::open_or_create(scratch.domain(), "robot", options);
    EXPECT_FALSE(robot.created_here());
    EXPECT_EQ(robot->heading.load(std::memory_order_relaxed), 17);
  }
  EXPECT_TRUE(scratch.is_empty());
}

TEST(Region, OfLifetimeWhileCreatorLivesEndsWithItsCreator) {
  const ScratchDirectory scratch;
  const RegionOptions options{.lifetime = Lifetime::while_creator_lives};
  Signal made;
  Signal never;
  Child creator([&] {
    const auto robot = Region<Robot>::create(scratch.domain(), "robot", options);
    made.tell();
    return never.wait() ? 1 : 2;
  });
  ASSERT_TRUE(made.wait());
  const auto attached = Region<Robot>::open(scratch.domain(), "robot");
  EXPECT_FALSE(attached.is_orphaned());
  creator.kill();
  EXPECT_TRUE(attached.is_orphaned());
  EXPECT_EQ(code_of([&] { (void)Region<Robot>::open(scratch.domain(), "robot"); }),
            Errc::not_found);
  attached->speed.store(1, std::memory_order_relaxed);
  // The name is free again, for another type even.
  auto next = Region<Ship>::create(scratch.domain(), "robot", options);
  next.close();
  EXPECT_TRUE(scratch.is_empty());
}

TEST(Region, ForkedChildInheritsTheMemoryButNotTheCreatorsPlace) {
  const ScratchDirectory scratch;
  const RegionOptions options{.lifetime = Lifetime::while_creator_lives};
  auto robot = Region<Robot>::create(scratch.domain(), "robot", options);
  Child child([&] {
    robot->speed.store(11, std::memory_order_relaxed);
    robot.close();
    return 0;
  });
  ASSERT_EQ(child.wait(), 0);
  EXPECT_FALSE(robot.is_orphaned());
  EXPECT_EQ(robot->speed.load(std::memory_order_relaxed), 11);
}

TEST(Region, ForkedChildDoesNotKeepAKilledCreatorAlive) {
  const ScratchDirectory scratch;
  const RegionOptions options{.lifetime = Lifetime::while_creator_lives};
  Signal made;
  Signal end;
  Signal grandchild_ended;
  Child creator([&] {
    const auto robot = Region<Robot>::create(scratch.domain(), "robot", options);
    if (::fork() == 0) {
      made.tell();
      const bool told = end.wait();
      grandchild_ended.tell();
      ::_exit(told ? 0 : 1);
    }
    Signal never;
    return never.wait() ? 1 : 2;
  });
  ASSERT_TRUE(made.wait());
  const auto attached = Region<Robot>::open(scratch.domain(), "robot");
  creator.kill();
  EXPECT_TRUE(attached.is_orphaned());
  end.tell();
  EXPECT_TRUE(grandchild_ended.wait());
}

TEST(Region, HandsOutItsDescriptorOnDemand) {
  const ScratchDirectory scratch;
  const auto frame = Region<>::create(scratch.domain(), "frame", 100);
  const int descriptor = frame.open_descriptor();
  struct stat status {};
  ASSERT_EQ(::fstat(descriptor, &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  ::close(descriptor);
}

TEST(Region, KeepsNoDescriptor) {
  const ScratchDirectory scratch;
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto before = count();
  std::vector<Region<>> regions;
  for (int i = 0; i < 50; ++i) {
    regions.push_back(Region<>::create(scratch.domain(), "r" + std::to_string(i), 1));
  }
  EXPECT_EQ(count(), before);
}

TEST(Region, OutlivesThePlainRemovalOfItsFile) {
  const ScratchDirectory scratch;
  const auto robot = Region<Robot>::create(scratch.domain(), "robot");
  std::filesystem::remove(scratch.path() + "/robot");
  EXPECT_TRUE(robot.is_orphaned());
  EXPECT_EQ(code_of([&] { ::close(robot.open_descriptor()); }), Errc::orphaned);
  robot->speed.store(2, std::memory_order_relaxed);
}

TEST(Region, OutlivesTheRemovalOfItsWholeDomain) {
  // What systemd does with a user's shared memory at logout.
  const ScratchDirectory scratch;
  const Domain domain = Domain::at(scratch.path() + "/domain");
  const auto robot = Region<Robot>::create(domain, "robot");
  EXPECT_FALSE(domain.is_orphaned());
  std::filesystem::remove_all(domain.path());
  EXPECT_TRUE(robot.is_orphaned());
  EXPECT_TRUE(domain.is_orphaned());
  robot->speed.store(2, std::memory_order_relaxed);
  const auto anew = Region<Robot>::open_or_create(Domain::at(domain.path()), "robot");
  EXPECT_TRUE(anew.created_here());
}

}  // namespace
}  // namespace kith
