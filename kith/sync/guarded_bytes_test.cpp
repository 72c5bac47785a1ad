#include "kith/sync/guarded_bytes.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <optional>
#include <span>
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

// ---- inside a region

struct Camera {
  MutexCell lock;
  std::uint64_t before;
  std::array<std::byte, 100> frame;
  std::uint64_t behind;
};

TEST(GuardedBytes, InsideARegionAreThoseThatLieThere) {
  const ScratchDirectory scratch;
  auto camera = Region<Camera>::create(scratch.domain(), "camera");
  GuardedBytes buffer(camera, camera->lock, camera->frame);
  EXPECT_EQ(buffer.size(), 100u);
  EXPECT_FALSE(buffer.created_here());
  EXPECT_EQ(buffer.attached(), 0u);
  Mutex lock(camera, camera->lock);
  {
    const HeldBytes held = buffer.acquire(Deadline::now());
    ASSERT_TRUE(held);
    EXPECT_EQ(lock.check(), LockAnswer::acquired) << "it is the same lock";
    std::fill(held.bytes().begin(), held.bytes().end(), std::byte{7});
  }
  EXPECT_EQ(lock.check(), LockAnswer::not_owner);
  EXPECT_EQ(camera->frame.front(), std::byte{7});
  EXPECT_EQ(camera->frame.back(), std::byte{7});
  EXPECT_EQ(camera->before, 0u);
  EXPECT_EQ(camera->behind, 0u);
  camera.close();
  EXPECT_EQ(buffer.try_acquire().bytes().back(), std::byte{7}) << "its mapping is its own";
}

TEST(GuardedBytes, InsideARegionTellOfADeath) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const auto camera = Region<Camera>::create(domain, "camera");
  Child holder([&](Mouth& parent) {
    GuardedBytes buffer(camera, camera->lock, camera->frame);
    const HeldBytes held = buffer.acquire(patience());
    held.bytes()[0] = std::byte{1};
    parent.say("held");
    return parent.hear(soon()) ? 0 : 1;
  });
  ASSERT_EQ(holder.hear(), "held");
  GuardedBytes buffer(camera, camera->lock, camera->frame);
  EXPECT_EQ(buffer.try_acquire().answer(), LockAnswer::timed_out);
  holder.kill();
  HeldBytes held = buffer.acquire(patience());
  EXPECT_TRUE(held.owner_died());
  EXPECT_EQ(held.bytes()[0], std::byte{1});
  EXPECT_EQ(held.declare_consistent(), LockAnswer::owner_died);
}

TEST(GuardedBytes, InsideARegionShowWhatFitsWhereTheyLie) {
  const ScratchDirectory scratch;
  const auto camera = Region<Camera>::create(scratch.domain(), "camera");
  GuardedBytes odd(camera, camera->lock, std::span(camera->frame).subspan(1));
  const HeldBytes held = odd.try_acquire();
  EXPECT_EQ(held.as<Pair>(), nullptr);
  EXPECT_NE(held.as<Pair>(7), nullptr) << "the frame lies at a multiple of 8";
  EXPECT_EQ(held.as<Pair>(87), nullptr);
}

TEST(GuardedBytes, ElsewhereThanInTheRegionAreRefused) {
  const ScratchDirectory scratch;
  const auto camera = Region<Camera>::create(scratch.domain(), "camera");
  const auto other = Region<Camera>::create(scratch.domain(), "other");
  const MutexCell own{};
  const auto refusal = [&](const MutexCell& lock, std::span<const std::byte> bytes) {
    return refusal_of([&] { const GuardedBytes buffer(camera, lock, bytes); },
                      Errc::invalid_argument);
  };
  const auto whole = std::as_bytes(std::span(&*camera, 1));
  EXPECT_NE(refusal(camera->lock, other->frame).find("some elsewhere"), std::string::npos);
  EXPECT_NE(refusal(other->lock, camera->frame).find("somewhere else"), std::string::npos);
  EXPECT_NE(refusal(own, camera->frame).find("somewhere else"), std::string::npos);
  EXPECT_NE(refusal(camera->lock, whole).find("one among them"), std::string::npos);
  EXPECT_NE(refusal(camera->lock, whole.subspan(31)).find("one among them"), std::string::npos);
  EXPECT_NE(refusal(camera->lock, {}).find("none"), std::string::npos);
  const std::span beyond(camera->frame.data(), std::size_t{1} << 20);
  EXPECT_NE(refusal(camera->lock, beyond).find("some elsewhere"), std::string::npos);
}

}  // namespace
}  // namespace kith
