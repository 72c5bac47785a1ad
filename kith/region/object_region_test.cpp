#include "kith/region/object_region.hpp"

#include <array>
#include <atomic>
#include <gtest/gtest.h>

#include "kith/base/error.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::ScratchDirectory;
using tests::Signal;

using Counter = std::atomic<std::uint64_t>;
struct Limits {
  std::atomic<int> low = -5;
  std::atomic<int> high = 5;
};

Errc code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.errc();
  }
  return Errc{};
}

const auto kSoon = [] { return Deadline::after(5s); };

TEST(ObjectRegion, HoldsSeveralObjectsByName) {
  const ScratchDirectory scratch;
  auto world = ObjectRegion::create(scratch.domain(), "world");
  auto& tick = world.find_or_create<Counter>("tick", kSoon());
  auto& limits = world.create_object<Limits>("limits", kSoon());
  tick.store(7, std::memory_order_relaxed);
  EXPECT_EQ(limits.high.load(std::memory_order_relaxed), 5);
  EXPECT_EQ(world.object_names(), (std::vector<std::string>{"tick", "limits"}));

  const auto other = ObjectRegion::open(scratch.domain(), "world");
  ASSERT_NE(other.find<Counter>("tick"), nullptr);
  EXPECT_EQ(other.find<Counter>("tick")->load(std::memory_order_relaxed), 7u);
  EXPECT_EQ(other.find<Counter>("tock"), nullptr);
}

TEST(ObjectRegion, RefusesTheWrongTypeATakenNameAndABadOne) {
  const ScratchDirectory scratch;
  auto world = ObjectRegion::create(scratch.domain(), "world");
  world.create_object<Counter>("tick", kSoon());
  EXPECT_EQ(code_of([&] { (void)world.find<Limits>("tick"); }), Errc::wrong_type);
  EXPECT_EQ(code_of([&] { world.create_object<Counter>("tick", kSoon()); }), Errc::already_exists);
  EXPECT_EQ(code_of([&] { world.create_object<Counter>("a b", kSoon()); }), Errc::invalid_name);
  EXPECT_EQ(code_of([&] { world.create_object<Counter>(std::string(64, 'x'), kSoon()); }),
            Errc::invalid_name);
}

TEST(ObjectRegion, SaysWhenNamesOrBytesRunOut) {
  const ScratchDirectory scratch;
  auto small = ObjectRegion::create(scratch.domain(), "small", {.bytes = 64, .objects_max = 2});
  small.create_object<Counter>("one", kSoon());
  EXPECT_EQ(code_of([&] { small.create_object<std::array<Counter, 8>>("big", kSoon()); }),
            Errc::no_space);
  small.create_object<Counter>("two", kSoon());
  EXPECT_EQ(code_of([&] { small.create_object<Counter>("three", kSoon()); }), Errc::table_full);
  EXPECT_EQ(small.object_names().size(), 2u);
}

TEST(ObjectRegion, OpensALargerOneAndRefusesASmallerOne) {
  const ScratchDirectory scratch;
  const auto world = ObjectRegion::create(scratch.domain(), "world", {.bytes = 1000});
  EXPECT_NO_THROW((void)ObjectRegion::open_or_create(scratch.domain(), "world", {.bytes = 999}));
  EXPECT_EQ(code_of([&] {
              (void)ObjectRegion::open_or_create(scratch.domain(), "world", {.bytes = 1001});
            }),
            Errc::wrong_type);
}

TEST(ObjectRegion, RacingCreatorsGetOneObject) {
  const ScratchDirectory scratch;
  constexpr int kProcesses = 6;
  auto world = ObjectRegion::create(scratch.domain(), "world");
  std::vector<std::unique_ptr<Child>> children;
  Signal go;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(std::make_unique<Child>([&] {
      if (!go.wait()) return 1;
      auto mine = ObjectRegion::open(scratch.domain(), "world");
      for (int round = 0; round < 20; ++round) {
        const std::string name = "count-" + std::to_string(round);
        mine.find_or_create<Counter>(name, kSoon()).fetch_add(1, std::memory_order_relaxed);
      }
      return 0;
    }));
  }
  for (int i = 0; i < kProcesses; ++i) go.tell();
  for (auto& child : children) ASSERT_EQ(child->wait(), 0);
  EXPECT_EQ(world.object_names().size(), 20u);
  for (const std::string& name : world.object_names()) {
    EXPECT_EQ(world.find<Counter>(name)->load(std::memory_order_relaxed), 6u);
  }
}

TEST(ObjectRegion, ThatLostItsNameStillFindsButCreatesNoMore) {
  const ScratchDirectory scratch;
  auto world = ObjectRegion::create(scratch.domain(), "world");
  world.create_object<Counter>("tick", kSoon());
  EXPECT_EQ(remove_object(scratch.domain(), "world", Force::yes), Removal::removed);
  EXPECT_NE(world.find<Counter>("tick"), nullptr);
  EXPECT_EQ(code_of([&] { world.create_object<Counter>("tock", kSoon()); }), Errc::orphaned);
}

}  // namespace
}  // namespace kith
