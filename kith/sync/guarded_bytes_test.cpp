#include "kith/sync/guarded_bytes.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <optional>
#include <thread>

#include "kith/base/error.hpp"
#include "kith/region/region.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::patience;
using tests::ScratchDirectory;
using tests::soon;

struct Pair {
  std::uint64_t first;
  std::uint64_t second;
};

std::string refusal_of(const std::function<void()>& deed, Errc expected) {
  try {
    deed();
  } catch (const Error& error) {
    return error.errc() == expected ? error.what() : "another error: " + std::string(error.what());
  }
  return "no error";
}

TEST(GuardedBytes, BeginAsZeroAndKeepWhatIsWritten) {
  const ScratchDirectory scratch;
  GuardedBytes buffer(scratch.domain(), "buffer", 100);
  EXPECT_TRUE(buffer.created_here());
  EXPECT_EQ(buffer.size(), 100u);
  {
    const HeldBytes held = buffer.acquire(Deadline::now());
    ASSERT_TRUE(held);
    EXPECT_EQ(held.answer(), LockAnswer::acquired);
    EXPECT_TRUE(std::all_of(held.bytes().begin(), held.bytes().end(),
                            [](std::byte byte) { return byte == std::byte{0}; }));
    EXPECT_EQ(held.bytes().size(), 100u);
    held.bytes().back() = std::byte{7};
  }
  GuardedBytes same(scratch.domain(), "buffer", 100);
  EXPECT_FALSE(same.created_here());
  EXPECT_EQ(same.acquire(Deadline::now()).bytes().back(), std::byte{7});
  EXPECT_FALSE(same.facts().held) << "the guard's end gives them back";
}

TEST(GuardedBytes, AnotherSizeIsRefusedWithBoth) {
  const ScratchDirectory scratch;
  const GuardedBytes buffer(scratch.domain(), "buffer", 100);
  const std::string text =
      refusal_of([&] { GuardedBytes(scratch.domain(), "buffer", 101); }, Errc::wrong_type);
  EXPECT_NE(text.find("101 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("100 bytes"), std::string::npos) << text;
  EXPECT_EQ(GuardedBytes::open(scratch.domain(), "buffer").size(), 100u);
}

TEST(GuardedBytes, OfNoSizeOrAnImpossibleOneAreRefused) {
  const ScratchDirectory scratch;
  const auto refused = [&](std::uint64_t size) {
    return refusal_of([&] { GuardedBytes(scratch.domain(), "buffer", size); }, Errc::limit_reached);
  };
  EXPECT_NE(refused(0), "no error");
  EXPECT_NE(refused(~std::uint64_t{0}), "no error");
  EXPECT_NE(refused(~std::uint64_t{0} - 64), "no error");
  EXPECT_NE(refused(std::uint64_t{1} << 60), "no error");
}

TEST(GuardedBytes, ThatAreNotThereAreNotOpened) {
  const ScratchDirectory scratch;
  EXPECT_NE(refusal_of([&] { static_cast<void>(GuardedBytes::open(scratch.domain(), "none")); },
                       Errc::not_found)
                .find("none"),
            std::string::npos);
  const auto region = Region<>::create(scratch.domain(), "plain", 200);
  EXPECT_NE(refusal_of([&] { static_cast<void>(GuardedBytes::open(scratch.domain(), "plain")); },
                       Errc::wrong_type)
                .find("guarded_bytes"),
            std::string::npos);
}

TEST(GuardedBytes, ShowWhatFitsInThem) {
  const ScratchDirectory scratch;
  GuardedBytes buffer(scratch.domain(), "buffer", 40);
  HeldBytes held = buffer.acquire(Deadline::now());
  ASSERT_NE(held.as<Pair>(), nullptr);
  held.as<Pair>(24)->second = 5;
  EXPECT_EQ(held.bytes()[32], std::byte{5});
  EXPECT_EQ(held.as<Pair>(32), nullptr) << "too large";
  EXPECT_EQ(held.as<Pair>(4), nullptr) << "not aligned";
  EXPECT_EQ(held.as<Pair>(~std::size_t{7}), nullptr);
  EXPECT_EQ(held.release(), LockAnswer::released);
  EXPECT_EQ(held.as<Pair>(), nullptr) << "not held any more";
  EXPECT_TRUE(held.bytes().empty());
  EXPECT_EQ(held.release(), LockAnswer::not_owner);
  EXPECT_EQ(held.declare_consistent(), LockAnswer::not_owner);
  EXPECT_EQ(held.retire(), LockAnswer::not_owner);
}

TEST(GuardedBytes, AreOnesAtATime) {
  const ScratchDirectory scratch;
  GuardedBytes buffer(scratch.domain(), "buffer", 8);
  HeldBytes held = buffer.acquire(Deadline::now());
  EXPECT_EQ(buffer.acquire(Deadline::never()).answer(), LockAnswer::would_deadlock);
  LockAnswer other{};
  std::thread([&] { other = buffer.acquire(Deadline::after(2ms)).answer(); }).join();
  EXPECT_EQ(other, LockAnswer::timed_out);
  HeldBytes moved = std::move(held);
  EXPECT_FALSE(held);
  EXPECT_TRUE(moved);
  EXPECT_TRUE(buffer.facts().held);
  moved = buffer.try_acquire();
  EXPECT_EQ(moved.answer(), LockAnswer::would_deadlock) << "it was held when the other asked";
  EXPECT_FALSE(buffer.facts().held) << "and given back when it was replaced";
}

TEST(GuardedBytes, StayMappedWhileTheyAreHeld) {
  const ScratchDirectory scratch;
  std::optional<HeldBytes> held;
  {
    GuardedBytes buffer(scratch.domain(), "buffer", 8);
    held.emplace(buffer.acquire(Deadline::now()));
  }
  held->bytes()[0] = std::byte{3};
  GuardedBytes other(scratch.domain(), "buffer", 8);
  EXPECT_TRUE(other.facts().held);
  held.reset();
  EXPECT_EQ(other.acquire(Deadline::now()).answer(), LockAnswer::acquired);
}

TEST(GuardedBytes, LoseNoChangeOfManyProcesses) {
  const ScratchDirectory scratch;
  constexpr std::uint64_t kTimes = 5'000;
  const auto add = [domain = scratch.domain()] {
    GuardedBytes buffer(domain, "buffer", sizeof(Pair));
    for (std::uint64_t i = 0; i < kTimes; ++i) {
      const HeldBytes held = buffer.acquire(patience());
      if (held.answer() != LockAnswer::acquired) return 1;
      auto* pair = held.as<Pair>();
      if (pair->first != pair->second) return 2;
      ++pair->first;
      ++pair->second;
    }
    return 0;
  };
  Child first(add);
  Child second(add);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  auto buffer = GuardedBytes::open(scratch.domain(), "buffer");
  EXPECT_EQ(buffer.acquire(Deadline::now()).as<Pair>()->second, 2 * kTimes);
}

// A child that has changed half of it.
struct HalfWay {
  explicit HalfWay(const Domain& domain)
      : child([domain](Mouth& parent) {
          GuardedBytes buffer(domain, "buffer", sizeof(Pair));
          const HeldBytes held = buffer.acquire(patience());
          held.as<Pair>()->first = 1;
          parent.say("half");
          static_cast<void>(parent.hear(soon()));
          return 0;
        }) {}
  Child child;
};

TEST(GuardedBytes, TellTheNextHolderOfADeath) {
  const ScratchDirectory scratch;
  HalfWay other(scratch.domain());
  ASSERT_EQ(other.child.hear(), "half");
  other.child.kill();
  GuardedBytes buffer(scratch.domain(), "buffer", sizeof(Pair));
  {
    const HeldBytes held = buffer.acquire(patience());
    EXPECT_TRUE(held && held.owner_died());
    EXPECT_EQ(held.as<Pair>()->first, 1u);
    EXPECT_EQ(held.as<Pair>()->second, 0u);
  }
  HeldBytes held = buffer.acquire(patience());
  EXPECT_TRUE(held.owner_died()) << "nobody has repaired it";
  held.as<Pair>()->second = 1;
  EXPECT_EQ(held.declare_consistent(), LockAnswer::owner_died);
  EXPECT_FALSE(held.owner_died());
  EXPECT_TRUE(held);
  EXPECT_EQ(held.release(), LockAnswer::released);
  EXPECT_EQ(buffer.acquire(patience()).answer(), LockAnswer::acquired);
}

TEST(GuardedBytes, ThatCannotBeMadeWholeAreRetired) {
  const ScratchDirectory scratch;
  HalfWay other(scratch.domain());
  ASSERT_EQ(other.child.hear(), "half");
  other.child.kill();
  GuardedBytes buffer(scratch.domain(), "buffer", sizeof(Pair));
  HeldBytes held = buffer.acquire(patience());
  EXPECT_EQ(held.retire(), LockAnswer::retired);
  EXPECT_FALSE(held);
  EXPECT_EQ(buffer.acquire(Deadline::never()).answer(), LockAnswer::retired);
}

TEST(GuardedBytes, GoWithTheirLastUserIfSaid) {
  const ScratchDirectory scratch;
  {
    const GuardedBytes buffer(scratch.domain(), "buffer", 8,
                              {.lifetime = Lifetime::until_last_member});
    EXPECT_EQ(buffer.attached(), 1u);
  }
  EXPECT_EQ(remove_object(scratch.domain(), "buffer"), Removal::not_found);
}

}  // namespace
}  // namespace kith
