// The record of system calls, and with it a promise of the channel: no system call where nobody
// sleeps.
#include "bench/system_calls.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "tests/support/scratch_domain.hpp"

namespace kith::bench {
namespace {

using tests::ScratchDirectory;

TEST(SystemCalls, OfEachStepAreRecordedInOrder) {
  const auto calls = record_system_calls([] {
    return TwoSteps{[] { ::syscall(SYS_geteuid); },
                    [] {
                      ::syscall(SYS_close, -1);
                      ::syscall(SYS_geteuid);
                    }};
  });
  ASSERT_EQ(calls.first.size(), 1u);
  EXPECT_EQ(name_of(calls.first[0]), "geteuid");
  ASSERT_EQ(calls.second.size(), 2u);
  EXPECT_EQ(name_of(calls.second[0]), "close");
  EXPECT_EQ(calls.second[0].result, -EBADF);
}

TEST(SystemCalls, OfAStepThatThrowsAreAnError) {
  EXPECT_THROW((void)record_system_calls([] {
                 return TwoSteps{[] { throw std::runtime_error("no"); }, [] {}};
               }),
               std::runtime_error);
}

TEST(SystemCalls, ThatAreUnknownAreNotIssuedAgain) {
  SystemCall call;
  call.number = SYS_reboot;
  EXPECT_THROW(BareSequence({call}), std::runtime_error);
}

TEST(SystemCalls, OfAttachingCanBeIssuedBareAgainAndAgain) {
  const ScratchDirectory scratch;
  const auto owner = Region<>::create(scratch.domain(), "there", 64);
  auto calls = record_system_calls([&] {
    auto region = std::make_shared<std::optional<Region<>>>();
    return TwoSteps{
        [region, &scratch] { region->emplace(Region<>::open(scratch.domain(), "there")); },
        [region] { region->reset(); }};
  });
  EXPECT_GE(calls.first.size(), 5u);
  EXPECT_GE(calls.second.size(), 1u);
  BareSequence opening(std::move(calls.first));
  BareSequence closing(std::move(calls.second));
  for (int i = 0; i < 3; ++i) {
    opening.issue();
    EXPECT_TRUE(opening.same_results());
    ASSERT_NE(opening.mapped(), nullptr);
    EXPECT_EQ(opening.mapped_size(), 8192u);
    opening.mapped()[4096] = std::byte{1};
    closing.continue_after(opening);
    closing.issue();
    EXPECT_TRUE(closing.same_results());
  }
}

// A writer and a reader of a channel in one process, made where they are used.
struct Ends {
  explicit Ends(const Domain& domain) : writer(domain, "channel"), reader(domain, "channel") {}
  void write() {
    if (writer.write(++number) != WriteAnswer::committed) throw std::runtime_error("refused");
  }
  void read() {
    const auto value = reader.acquire();
    if (!value || *value != number) throw std::runtime_error("another value");
  }

  LatestWriter<std::uint64_t> writer;
  LatestReader<std::uint64_t> reader;
  std::uint64_t number = 0;
};

TEST(SystemCalls, AreNotMadeByAWriteOrAReadWhileNobodySleeps) {
  const ScratchDirectory scratch;
  const auto calls = record_system_calls([&] {
    auto ends = std::make_shared<Ends>(scratch.domain());
    return TwoSteps{[ends] { ends->write(); }, [ends] { ends->read(); }};
  });
  EXPECT_TRUE(calls.first.empty()) << name_of(calls.first.front());
  EXPECT_TRUE(calls.second.empty()) << name_of(calls.second.front());
}

TEST(SystemCalls, AreNotMadeByALookOrARefreshWithNothingNewer) {
  const ScratchDirectory scratch;
  const auto calls = record_system_calls([&] {
    auto ends = std::make_shared<Ends>(scratch.domain());
    ends->write();
    auto held = std::make_shared<Pinned<std::uint64_t>>(ends->reader.acquire());
    return TwoSteps{[ends] {
                      if (ends->reader.has_newer()) throw std::runtime_error("what is newer?");
                    },
                    [held, ends] {
                      if (held->refresh() != ReadAnswer::unchanged) throw std::runtime_error("new");
                    }};
  });
  EXPECT_TRUE(calls.first.empty());
  EXPECT_TRUE(calls.second.empty());
}

}  // namespace
}  // namespace kith::bench
