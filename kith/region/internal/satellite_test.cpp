// Satellites: opened by name, checked where guests cannot write, and known as garbage.
// Method: files made by hand in a scratch domain, with locks as creators and guests hold them.
#include "kith/region/internal/satellite.hpp"

#include <gtest/gtest.h>

#include "kith/channel/latest.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::internal {
namespace {

using tests::put_bytes;
using tests::ScratchDirectory;

// A channel with guests, whose satellites are as a creator leaves them.
class SatelliteTest : public ::testing::Test {
 protected:
  SatelliteTest() {
    LatestOptions options;
    options.rights = {0644, ""};
    LatestWriter<int> writer(scratch_.domain(), "value", options);
    object_ = os::facts_of_path(scratch_.in("value")).value.identity;
  }
  [[nodiscard]] std::string path(const char* what) const {
    return scratch_.in(satellite_name(object_, what));
  }
  [[nodiscard]] auto open_data() const {
    return open_satellite(scratch_.domain(), object_, kDataSatellite, os::Access::read_only, "it");
  }

  ScratchDirectory scratch_;
  os::FileIdentity object_;
};

TEST_F(SatelliteTest, BearTheNumberOfTheirObject) {
  EXPECT_EQ(satellite_name(object_, kSeatsSatellite),
            "." + std::to_string(object_.inode) + ".seats");
  const auto data = open_data();
  ASSERT_TRUE(data);
  EXPECT_EQ(data->facts.geometry[kObjectInodeWord], object_.inode);
  EXPECT_EQ(data->facts.kind, "latest.data");
}

TEST_F(SatelliteTest, OfAnotherObjectOrCutShortAreRefused) {
  std::string bytes = tests::bytes_of(path(kDataSatellite));
  bytes[offsetof(RegionHeader, geometry) + kObjectInodeWord * 8] ^= 1;
  put_bytes(path(kDataSatellite), bytes);
  EXPECT_EQ(tests::why_not_refused([&] { (void)open_data(); }, Errc::damaged, {"it"}), "");
  put_bytes(path(kDataSatellite), bytes.substr(0, 100));
  EXPECT_EQ(tests::why_not_refused([&] { (void)open_data(); }, Errc::damaged, {"it"}), "");
  std::filesystem::remove(path(kDataSatellite));
  EXPECT_FALSE(open_data());
}

TEST_F(SatelliteTest, OfGuestsAreOpenedWhateverTheirBytes) {
  for (const std::string& bytes : {std::string(), std::string("xyz"), std::string(1 << 20, 'x')}) {
    put_bytes(path(kSeatsSatellite), bytes);
    EXPECT_TRUE(open_seats(scratch_.domain(), object_, os::Access::read_write, "it"));
  }
  std::filesystem::remove(path(kSeatsSatellite));
  std::filesystem::create_symlink("/etc/passwd", path(kSeatsSatellite));
  EXPECT_NE(tests::why_refused([&] {
              (void)open_seats(scratch_.domain(), object_, os::Access::read_write, "it");
            }),
            "");
}

TEST_F(SatelliteTest, OfNobodyAreGarbageAndOthersAreNot) {
  for (const char* name : {".4242.data", ".4242.seats", ".4343.seats", ".data", ".4242x.data",
                           ".4242.other", ".-1.data", ".99999999999999999999999.data"}) {
    put_bytes(scratch_.in(name), "");
  }
  EXPECT_EQ(remove_lost_satellites(scratch_.open()), 3);
  EXPECT_FALSE(std::filesystem::exists(scratch_.in(".4242.data")));
  EXPECT_FALSE(std::filesystem::exists(scratch_.in(".4343.seats")));
  EXPECT_TRUE(std::filesystem::exists(scratch_.in(".4242x.data")));
  EXPECT_TRUE(std::filesystem::exists(path(kDataSatellite)));
  EXPECT_TRUE(std::filesystem::exists(path(kSeatsSatellite)));
  EXPECT_EQ(remove_lost_satellites(scratch_.open()), 0);
}

TEST_F(SatelliteTest, OfOneBeingBornStayAsLongAsItsCreatorHoldsItsLock) {
  put_bytes(scratch_.in(".4242.data"), "");
  put_bytes(scratch_.in(".4242.seats"), "");
  auto data = os::open_path(scratch_.in(".4242.data"), os::Access::read_write).value;
  ASSERT_TRUE(os::try_lock(data, RegionLock::kCreator, os::LockKind::exclusive));
  EXPECT_EQ(remove_lost_satellites(scratch_.open()), 0);
  // What a guest can take in its place: a lock for reading.
  ASSERT_TRUE(os::try_lock(data, RegionLock::kCreator, os::LockKind::shared));
  EXPECT_EQ(remove_lost_satellites(scratch_.open()), 2);
}

}  // namespace
}  // namespace kith::internal
