#include "kith/region/memfd_region.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::code_of;
using tests::error_of;
using tests::Mouth;
using tests::patience;
using tests::soon;

struct Robot {
  std::atomic<std::int64_t> speed = 3;
  std::atomic<std::int64_t> heading = 4;
};
struct Car {
  std::atomic<std::int64_t> speed;
};

// relaxed: what is tested is where the bytes lie, and processes meet by words, sockets and ends.
std::int64_t get(const std::atomic<std::int64_t>& number) {
  return number.load(std::memory_order_relaxed);
}
void set(std::atomic<std::int64_t>& number, std::int64_t value) {
  number.store(value, std::memory_order_relaxed);
}

template <class T>
std::string why_not_opened(const os::Descriptor& descriptor, Errc code,
                           std::initializer_list<std::string> words) {
  return tests::why_not_refused(
      [&] { static_cast<void>(MemfdRegion<T>::open(descriptor.number())); }, code, words);
}

TEST(MemfdRegion, IsWholeSealedAndOpenedByItsDescriptor) {
  const auto robot = MemfdRegion<Robot>::create("robot");
  EXPECT_TRUE(robot.is_size_sealed());
  EXPECT_EQ(get(robot->speed), 3);
  const auto again = MemfdRegion<Robot>::open(robot.descriptor().number());
  set(again->heading, 5);
  EXPECT_EQ(get(robot->heading), 5);
  EXPECT_EQ(again.creator_pid(), static_cast<std::uint32_t>(::getpid()));
  EXPECT_FALSE(os::set_size(robot.descriptor(), 0));
  EXPECT_FALSE(os::set_size(robot.descriptor(), 1 << 20));
}

TEST(MemfdRegion, OfPlainBytesTellsItsSize) {
  const auto frame = MemfdRegion<>::create("frame", 10'000);
  ASSERT_EQ(frame.bytes().size(), 10'000U);
  frame.bytes()[9'999] = std::byte{1};
  const auto writing = MemfdRegion<>::open(frame.descriptor().number());
  const auto reading = MemfdRegion<const Bytes>::open(frame.descriptor().number());
  EXPECT_EQ(writing.size(), 10'000U);
  EXPECT_EQ(reading.bytes()[9'999], std::byte{1});
  EXPECT_EQ(code_of([] { (void)MemfdRegion<>::create("empty", 0); }),
            static_cast<int>(Errc::invalid_argument));
  EXPECT_EQ(code_of([] { (void)MemfdRegion<>::create("huge", std::uint64_t{1} << 60); }),
            static_cast<int>(Errc::invalid_argument));
}

TEST(MemfdRegion, IsHandedToAnotherProcess) {
  auto [mine, other] = MemorySocket::pair();
  const auto robot = MemfdRegion<Robot>::create("robot", Writers::creator);
  const auto frame = MemfdRegion<>::create("frame", 10'000);
  Child viewer([&, &own = other] {
    const auto seen = MemfdRegion<const Robot>::receive(own, patience());
    const auto bytes = MemfdRegion<>::receive(own, patience());
    bytes.bytes()[0] = static_cast<std::byte>(get(seen->speed));
    return 0;
  });
  set(robot->speed, 42);
  mine.send(robot, patience());
  mine.send(frame, patience());
  EXPECT_EQ(viewer.wait(), 0);
  EXPECT_EQ(frame.bytes()[0], std::byte{42});
}

TEST(MemfdRegion, OfItsCreatorAloneIsReadByAllOthersAndWrittenByNone) {
  const auto robot = MemfdRegion<Robot>::create("robot", Writers::creator);
  const os::Descriptor descriptor = robot.descriptor();
  EXPECT_EQ(why_not_opened<Robot>(descriptor, Errc::permission_denied, {"future writing"}), "");
  const auto reader = MemfdRegion<const Robot>::open(descriptor.number());
  set(robot->speed, 8);
  EXPECT_EQ(get(reader->speed), 8);
  const auto anew = os::open_again(descriptor, Access::read_write);
  EXPECT_FALSE(os::write_at(anew.value, "x", 1, 0));
}

TEST(MemfdRegion, OfAnotherTypeIsRefusedWithBothNamed) {
  const auto robot = MemfdRegion<Robot>::create("robot");
  EXPECT_EQ(why_not_opened<Car>(robot.descriptor(), Errc::wrong_type, {"Robot", "Car"}), "");
  EXPECT_EQ(why_not_opened<Bytes>(robot.descriptor(), Errc::wrong_type, {"Robot", "bytes"}), "");
  const auto frame = MemfdRegion<>::create("frame", sizeof(Robot));
  EXPECT_EQ(why_not_opened<Robot>(frame.descriptor(), Errc::wrong_type, {"Robot", "bytes"}), "");
}

TEST(MemfdRegion, WithoutASealIsRefusedUnlessNoneIsNeeded) {
  const auto robot = MemfdRegion<Robot>::create("robot");
  const auto copy = os::create_memfd("copy");
  std::array<std::byte, 8192> bytes{};
  ASSERT_TRUE(os::read_at(robot.descriptor(), bytes.data(), bytes.size(), 0));
  ASSERT_TRUE(os::write_at(copy.value, bytes.data(), bytes.size(), 0));
  EXPECT_EQ(why_not_opened<Robot>(copy.value, Errc::wrong_type, {"shrinking", "without seals"}),
            "");
  const auto opened = MemfdRegion<Robot>::open(copy.value.number(), Sealing::not_needed);
  EXPECT_EQ(get(opened->heading), 4);
  EXPECT_FALSE(opened.is_size_sealed());
}

TEST(MemfdRegion, OfNoKindIsRefused) {
  const auto plain = Memfd::create("plain", 8192);
  auto sealed = Memfd::create("sealed", 8192);
  sealed.seal_size();
  EXPECT_EQ(why_not_opened<Robot>(plain.descriptor(), Errc::wrong_type, {"without seals"}), "");
  EXPECT_EQ(why_not_opened<Robot>(sealed.descriptor(), Errc::not_ours, {"8192 bytes"}), "");
  EXPECT_EQ(why_not_opened<Robot>(os::Descriptor(), Errc::invalid_argument, {"descriptor -1"}), "");
}

TEST(MemfdRegion, AMovedFromHandleHasNoContent) {
  auto robot = MemfdRegion<Robot>::create("robot");
  const auto moved = std::move(robot);
  EXPECT_TRUE(moved);
  EXPECT_FALSE(robot);  // NOLINT: looking at a moved-from handle is what is tested
  EXPECT_DEATH(static_cast<void>(robot.get()), "broken contract.*moved-from");
}

TEST(MemfdRegion, EndsWithItsLastUserHoweverThatEnds) {
  auto [mine, other] = MemorySocket::pair();
  Child creator([&, &own = mine](Mouth& parent) {
    const auto robot = MemfdRegion<Robot>::create("robot");
    set(robot->speed, 9);
    own.send(robot, patience());
    parent.say("sent");
    return parent.hear(soon()) == "never" ? 0 : 1;
  });
  ASSERT_EQ(creator.hear(), "sent");
  creator.kill();
  const auto left = MemfdRegion<Robot>::receive(other, patience());
  EXPECT_EQ(get(left->speed), 9);
  EXPECT_EQ(os::facts_of(left.descriptor()).value.links, 0U);
}

// Method: random bytes over the header and the size of a sealed copy; each is opened as a type and
// as bytes, to read and to write, and what opens is touched to its last byte.
TEST(MemfdRegion, OfHostileBytesIsAnErrorOrARegionThatCanBeTouched) {
  const auto robot = MemfdRegion<Robot>::create("robot");
  const auto frame = MemfdRegion<>::create("frame", 5'000);
  std::array<std::array<char, 12'288>, 2> good{};
  ASSERT_TRUE(os::read_at(robot.descriptor(), good[0].data(), good[0].size(), 0));
  ASSERT_TRUE(os::read_at(frame.descriptor(), good[1].data(), good[1].size(), 0));
  std::mt19937_64 random(20'261'121);
  int opened = 0;
  int refused = 0;
  const auto sum_of = [](std::span<const std::byte> bytes) {
    std::uint64_t sum = 0;
    for (const std::byte byte : bytes) sum += static_cast<std::uint64_t>(byte);
    return sum;
  };
  std::uint64_t total = 0;
  const auto count = [&](int code) { ++(code == 0 ? opened : refused); };
  for (int round = 0; round < 3000; ++round) {
    auto bytes = good[random() % 2];
    const std::uint64_t changes = random() % 4;
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::size_t place = random() % 8 == 0 ? random() % bytes.size() : random() % 128;
      const std::array<char, 4> likely{'\0', '\xff', '\x01', static_cast<char>(random())};
      bytes[place] = likely[random() % 4];
    }
    const std::array<std::uint64_t, 6> sizes{8192, 12'288, 4096, 100, 1, random() % 12'288 + 1};
    const std::uint64_t size = sizes[random() % 6];
    const auto memory = os::create_memfd("hostile");
    ASSERT_TRUE(os::write_at(memory.value, bytes.data(), size, 0));
    ASSERT_TRUE(os::add_seals(memory.value, {.shrink = true, .grow = true}));
    const int number = memory.value.number();
    count(code_of([&] {
      const auto region = MemfdRegion<>::open(number);
      total += sum_of(region.bytes());
    }));
    count(code_of([&] {
      const auto region = MemfdRegion<const Bytes>::open(number);
      total += sum_of(region.bytes());
    }));
    count(code_of([&] {
      const auto region = MemfdRegion<Robot>::open(number);
      total += static_cast<std::uint64_t>(get(region->speed) + get(region->heading));
    }));
  }
  EXPECT_GT(total, 0U);
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace kith
