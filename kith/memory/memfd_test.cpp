#include "kith/memory/memfd.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "kith/region/truncation.hpp"

#include "tests/support/refusal.hpp"

namespace kith {
namespace {

using tests::error_of;

constexpr std::uint64_t kSize = 10'000;

TEST(Memfd, WithASealedSizeIsSafeFromEverybody) {
  auto memory = Memfd::create("sealed", kSize);
  EXPECT_FALSE(memory.is_size_sealed());
  memory.seal_size();
  memory.seal_size();
  EXPECT_TRUE(memory.is_size_sealed());
  const auto received = Memfd::open(memory.descriptor().number(), Access::read_write);
  EXPECT_TRUE(received.is_size_sealed());
  EXPECT_FALSE(os::set_size(received.descriptor(), 1));
  received.writable_bytes()[0] = std::byte{1};
  EXPECT_EQ(memory.bytes()[0], std::byte{1});
}

TEST(Memfd, SealedOnlyAfterItWasMadeSmallerIsNotSafe) {
  auto memory = Memfd::create("shrunk", 2 * kSize);
  ASSERT_TRUE(os::set_size(memory.descriptor(), 1));
  memory.seal_size();
  EXPECT_FALSE(memory.is_size_sealed());
}

// Every kind of memory: what guards it is in their common base.
TEST(Memfd, MadeSmallerReadsAsZerosUnderTheGuardAlsoOnceItWasMoved) {
  const auto verdict = tests::in_own_process([](tests::Findings& find) {
    guard_truncation();
    auto made = Memfd::create("shrunk", kSize);
    made.writable_bytes()[kSize - 1] = std::byte{1};
    auto memory = Memfd::create("another", kSize);
    memory = std::move(made);
    find.that(memory.bytes()[kSize - 1] == std::byte{1}, "the byte is there");
    find.that(!memory.has_lost_pages(), "nothing is lost");
    find.that(static_cast<bool>(os::set_size(memory.descriptor(), 1)), "it is made smaller");
    find.that(memory.bytes()[kSize - 1] == std::byte{0}, "zeros are there");
    find.that(memory.has_lost_pages(), "the loss is told");
    const Memfd last = std::move(memory);
    find.that(last.has_lost_pages(), "it stays told");
  });
  EXPECT_EQ(verdict.failures, "");
}

TEST(Memfd, TellsItsSealsAndTakesMoreUntilItIsSealedAgainstThem) {
  auto memory = Memfd::create("sealed", kSize);
  EXPECT_EQ(memory.seals(), Seals{});
  memory.seal({.grow = true});
  memory.seal({.future_write = true});
  EXPECT_EQ(memory.seals(), (Seals{.grow = true, .future_write = true}));
  EXPECT_FALSE(memory.is_size_sealed());
  memory.seal_size();
  EXPECT_EQ(memory.seals(),
            (Seals{.shrink = true, .grow = true, .future_write = true, .seal = true}));
  EXPECT_EQ(error_of([&] { memory.seal({.write = true}); }).errc(), Errc::permission_denied);
}

TEST(Memfd, CannotBeSealedAgainstAnyWritingByWhoMapsIt) {
  auto memory = Memfd::create("sealed", kSize);
  EXPECT_EQ(error_of([&] { memory.seal({.write = true}); }).errc(), Errc::in_use);
}

TEST(Memfd, SealedAgainstAnyWritingByItsMakerIsSealedAgainstFutureWritingToo) {
  const auto made = os::create_memfd("foreign");
  ASSERT_TRUE(os::set_size(made.value, kSize));
  ASSERT_TRUE(os::add_seals(made.value, {.write = true}));
  // Kernels before 6.7 map it through a read-only descriptor alone.
  const auto file = os::open_again(made.value, Access::read_only);
  const auto memory = Memfd::open(file.value.number(), Access::read_only, {.future_write = true});
  EXPECT_TRUE(memory.seals().write);
  EXPECT_EQ(error_of([&] {
              static_cast<void>(Memfd::open(made.value.number(), Access::read_write));
            }).errc(),
            Errc::permission_denied);
}

TEST(Memfd, LackingADemandedSealIsRefusedWithThoseThatAreThere) {
  auto memory = Memfd::create("unsealed", kSize);
  const os::Descriptor descriptor = memory.descriptor();
  const auto open = [&] {
    static_cast<void>(Memfd::open(descriptor.number(), Access::read_only, {.shrink = true}));
  };
  EXPECT_EQ(error_of(open).errc(), Errc::wrong_type);
  EXPECT_EQ(error_of(open).text().found, "a memory without seals");
  memory.seal_size();
  open();
}

TEST(Memfd, OpeningLeavesTheCallersDescriptorAlone) {
  const auto memory = Memfd::create("mine", kSize);
  const os::Descriptor number = memory.descriptor();
  { const auto opened = Memfd::open(number.number(), Access::read_only); }
  EXPECT_TRUE(os::facts_of(number));
}

TEST(Memfd, ANumberThatIsNoMemoryIsRefusedByNumber) {
  const Error closed = error_of([] { static_cast<void>(Memfd::open(-1, Access::read_only)); });
  EXPECT_EQ(closed.errc(), Errc::invalid_argument);
  EXPECT_NE(closed.text().object.find("descriptor -1"), std::string::npos);
  const os::Descriptor directory = std::move(os::open_directory("/").value);
  const Error folder =
      error_of([&] { static_cast<void>(Memfd::open(directory.number(), Access::read_only)); });
  EXPECT_EQ(folder.errc(), Errc::not_ours);
  EXPECT_EQ(folder.text().found, "a directory");
  const auto empty = os::create_memfd("empty");
  EXPECT_EQ(error_of([&] {
              static_cast<void>(Memfd::open(empty.value.number(), Access::read_only));
            }).errc(),
            Errc::damaged);
}

TEST(Memfd, ADescriptorOpenedToReadCannotBeWrittenThroughNorSealed) {
  const auto memory = Memfd::create("read", kSize);
  const auto reading = os::open_again(memory.descriptor(), Access::read_only);
  ASSERT_TRUE(reading);
  EXPECT_EQ(error_of([&] {
              static_cast<void>(Memfd::open(reading.value.number(), Access::read_write));
            }).errc(),
            Errc::permission_denied);
  auto reader = Memfd::open(reading.value.number(), Access::read_only);
  EXPECT_EQ(error_of([&] { reader.seal_size(); }).errc(), Errc::permission_denied);
}

TEST(Memfd, LabelsHaveTheKernelsLimit) {
  EXPECT_TRUE(Memfd::create(std::string(249, 'a'), 1));
  EXPECT_TRUE(Memfd::create("", 1));
  EXPECT_EQ(error_of([] { static_cast<void>(Memfd::create(std::string(250, 'a'), 1)); }).errc(),
            Errc::invalid_name);
  EXPECT_EQ(error_of([] { static_cast<void>(Memfd::create(std::string("a\0b", 3), 1)); }).errc(),
            Errc::invalid_name);
}

}  // namespace
}  // namespace kith
