// A domain on a mount of huge pages: regions, members and channels as anywhere
// else, sized in whole pages of the mount. Method: a pool and a mount of this
// test's own, given back at its end.
#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/mount.h>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"

#include "tests/support/child.hpp"
#include "tests/support/huge_pool.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::HugePool;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;
using tests::why_not_refused;
using Number = std::atomic<std::uint64_t>;

struct Pose {
  double x;
  double y;
};

struct HugeDomain : testing::Test {
  HugePool pool{16};
  ScratchDirectory directory;
  std::string mounted = tests::mount_huge_pages(directory.path(), "mode=0700");

  void SetUp() override {
    if (!pool.refusal().empty()) GTEST_SKIP() << pool.refusal();
    if (!mounted.empty()) GTEST_SKIP() << mounted;
  }
  void TearDown() override { ::umount2(directory.path().c_str(), MNT_DETACH); }
  [[nodiscard]] Domain domain() const { return directory.domain(); }
};

TEST_F(HugeDomain, HoldsRegionsOfEveryKindAndGivesTheirPagesBack) {
  const std::uint64_t before = pool.free_pages();
  {
    const auto number = Region<Number>::create(domain(), "number");
    number->store(4, std::memory_order_relaxed);
    // relaxed: one thread.
    EXPECT_EQ(Region<Number>::open(domain(), "number")->load(std::memory_order_relaxed), 4U);
    const auto bytes = Region<>::create(domain(), "bytes", 3 << 20);
    bytes.bytes()[(3 << 20) - 1] = std::byte{1};
    EXPECT_EQ(bytes.size(), 3U << 20);
    auto objects = ObjectRegion::create(domain(), "objects");
    EXPECT_EQ(
        objects.create_object<Number>("a", Deadline::after(1s)).load(std::memory_order_relaxed),
        0U);
    EXPECT_EQ(remove_object(domain(), "number", Force::yes), Removal::removed);
    EXPECT_TRUE(number.is_orphaned());
  }
  EXPECT_EQ(remove_object(domain(), "bytes"), Removal::removed);
  EXPECT_EQ(remove_object(domain(), "objects"), Removal::removed);
  EXPECT_EQ(pool.free_pages(), before);
}

TEST_F(HugeDomain, KnowsTheDeadAndTheirLastValue) {
  Child victim([&](Mouth& parent) {
    LatestWriter<Pose> writer(domain(), "pose", {.role = "pilot"});
    if (writer.write({7, 7}) != WriteAnswer::committed) return 1;
    parent.say("written");
    return parent.hear(soon()) == "never" ? 0 : 2;
  });
  ASSERT_EQ(victim.hear(), "written");
  LatestReader<Pose> reader(domain(), "pose");
  EXPECT_EQ(reader.acquire()->x, 7);
  EXPECT_EQ(reader.writer_liveness(), Liveness::alive);
  victim.kill();
  EXPECT_EQ(reader.writer_liveness(), Liveness::dead);
  LatestWriter<Pose> writer(domain(), "pose", {.role = "pilot"});
  EXPECT_EQ(writer.last()->x, 7);
  EXPECT_EQ(writer.write({8, 8}), WriteAnswer::committed);
  EXPECT_EQ(reader.acquire()->x, 8);
}

TEST_F(HugeDomain, WithoutPagesRefusesAndNamesThePool) {
  pool.set(1);
  const auto first = Region<Number>::create(domain(), "first");
  EXPECT_EQ(why_not_refused([&] { (void)Region<Number>::create(domain(), "second"); },
                            Errc::no_space, {"'second'", "nr_hugepages"}),
            "");
  EXPECT_EQ(
      why_not_refused([&] { (void)Member::join(domain()); }, Errc::no_space, {"nr_hugepages"}), "");
}

}  // namespace
}  // namespace kith
