#include "kith/sync/guarded.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <numeric>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "kith/base/error.hpp"
#include "kith/sync/mutex.hpp"

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
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

// Not a whole number of words.
struct Odd {
  std::array<std::uint8_t, 13> bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
};
static_assert(sizeof(Odd) == 13);

// More than what is changed on the stack.
struct Large {
  alignas(64) std::array<std::uint64_t, 1000> numbers{};
};

void count(Pair& pair) {
  ++pair.first;
  ++pair.second;
}

// A child that is in the middle of a change, having changed half of its copy, until it is killed or
// told to go on.
struct ChangingChild {
  explicit ChangingChild(const Domain& domain)
      : child([domain](Mouth& parent) {
          Guarded<Pair> pair(domain, "pair");
          const GuardedAnswer answer = pair.change(
              [&](Pair& now) {
                ++now.first;
                parent.say("half");
                static_cast<void>(parent.hear(soon()));
                ++now.second;
              },
              patience());
          return answer == GuardedAnswer::committed ? 0 : 1;
        }) {}
  bool is_half_way() { return child.hear() == "half"; }
  Child child;
};

// ---- alone

TEST(Guarded, IsChangedAndRead) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair");
  EXPECT_EQ(pair.version(), 0u);
  EXPECT_EQ(pair.change(count, Deadline::now()), GuardedAnswer::committed);
  EXPECT_EQ(pair.set({7, 8}, Deadline::now()), GuardedAnswer::committed);
  EXPECT_EQ(pair.version(), 2u);
  Pair now;
  EXPECT_EQ(pair.read(now, Deadline::now()), GuardedAnswer::value);
  EXPECT_EQ(now.first, 7u);
  EXPECT_EQ(now.second, 8u);
  Guarded<Pair> same(scratch.domain(), "pair");
  EXPECT_EQ(same.read(Deadline::now())->second, 8u);
  EXPECT_FALSE(same.facts().held);
}

TEST(Guarded, BeginsAsItsTypeSaysOrItsCreator) {
  const ScratchDirectory scratch;
  const Guarded<Odd> odd(scratch.domain(), "odd");
  EXPECT_EQ(odd.read(Deadline::now())->bytes, Odd{}.bytes);
  const Guarded<Pair> made(scratch.domain(), "pair", {}, {3, 4});
  const Guarded<Pair> opened(scratch.domain(), "pair", {}, {5, 6});
  EXPECT_EQ(opened.read(Deadline::now())->first, 3u);
}

TEST(Guarded, AFunctionThatSaysNoOrThrowsChangesNothing) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair", {}, {1, 1});
  const auto refuse = [](Pair& now) {
    count(now);
    return false;
  };
  EXPECT_EQ(pair.change(refuse, Deadline::now()), GuardedAnswer::unchanged);
  const auto fail = [](Pair& now) {
    count(now);
    throw std::runtime_error("not today");
  };
  EXPECT_THROW(static_cast<void>(pair.change(fail, Deadline::now())), std::runtime_error);
  EXPECT_FALSE(pair.facts().held);
  EXPECT_EQ(pair.version(), 0u);
  EXPECT_EQ(pair.read(Deadline::now())->first, 1u);
}

TEST(Guarded, WithinAChangeTheValueIsTheOldOneAndNoOtherChangeBegins) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair");
  GuardedAnswer inner{};
  std::uint64_t seen = 99;
  const auto change = [&](Pair& now) {
    count(now);
    inner = pair.change(count, Deadline::never());
    seen = pair.read(Deadline::never())->first;
  };
  EXPECT_EQ(pair.change(change, Deadline::now()), GuardedAnswer::committed);
  EXPECT_EQ(inner, GuardedAnswer::would_deadlock);
  EXPECT_EQ(seen, 0u);
  EXPECT_EQ(pair.read(Deadline::now())->first, 1u);
}

TEST(Guarded, OfAnySizeIsCopiedWhole) {
  const ScratchDirectory scratch;
  Guarded<Odd> odd(scratch.domain(), "odd");
  EXPECT_EQ(odd.change([](Odd& now) { now.bytes[12] = 99; }, Deadline::now()),
            GuardedAnswer::committed);
  EXPECT_EQ(odd.read(Deadline::now())->bytes[12], 99);
  EXPECT_EQ(odd.read(Deadline::now())->bytes[11], 12);
  Guarded<Large> large(scratch.domain(), "large");
  const auto fill = [](Large& now) { std::iota(now.numbers.begin(), now.numbers.end(), 5u); };
  EXPECT_EQ(large.change(fill, Deadline::now()), GuardedAnswer::committed);
  EXPECT_EQ(large.read(Deadline::now())->numbers[999], 1004u);
  Guarded<std::uint8_t> small(scratch.domain(), "small");
  EXPECT_EQ(small.set(200, Deadline::now()), GuardedAnswer::committed);
  EXPECT_EQ(small.read(Deadline::now()), 200);
}

TEST(Guarded, AnotherTypeIsRefused) {
  const ScratchDirectory scratch;
  const Guarded<Pair> pair(scratch.domain(), "pair");
  try {
    const Guarded<Odd> odd(scratch.domain(), "pair");
    FAIL() << "taken for something else";
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::wrong_type);
    EXPECT_NE(std::string(error.what()).find("guarded of"), std::string::npos) << error.what();
  }
  EXPECT_THROW(Mutex(scratch.domain(), "pair"), Error);
}

// ---- threads and processes

TEST(Guarded, LosesNoChangeAndShowsNoneHalf) {
  const ScratchDirectory scratch;
  constexpr std::uint64_t kTimes = 20'000;
  const auto add = [domain = scratch.domain()] {
    Guarded<Pair> pair(domain, "pair");
    for (std::uint64_t i = 0; i < kTimes; ++i) {
      if (!is_committed(pair.change(count, patience()))) return 1;
    }
    return 0;
  };
  const auto watch = [domain = scratch.domain()] {
    const Guarded<Pair> pair(domain, "pair");
    Pair now;
    std::uint64_t before = 0;
    do {
      if (pair.read(now, patience()) != GuardedAnswer::value) return 1;
      if (now.first != now.second) return 2;
      if (now.first < before) return 3;
      before = now.first;
    } while (now.first < 3 * kTimes);
    return 0;
  };
  Child first(add);
  Child second(add);
  Child watcher(watch);
  std::thread third([&] { EXPECT_EQ(add(), 0); });
  EXPECT_EQ(watch(), 0);
  third.join();
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(watcher.wait(), 0);
  const Guarded<Pair> pair(scratch.domain(), "pair");
  EXPECT_EQ(pair.version(), 3 * kTimes);
}

TEST(Guarded, IsReadWhileSomebodyChangesIt) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair", {}, {4, 4});
  ChangingChild changer(scratch.domain());
  ASSERT_TRUE(changer.is_half_way());
  ASSERT_TRUE(changer.child.stop());
  EXPECT_EQ(pair.read(Deadline::now())->first, 4u);
  EXPECT_EQ(pair.change(count, Deadline::after(5ms)), GuardedAnswer::timed_out);
  changer.child.signal(SIGCONT);
  changer.child.say("go on");
  EXPECT_EQ(pair.change(count, patience()), GuardedAnswer::committed);
  EXPECT_EQ(pair.read(Deadline::now())->second, 6u);
  EXPECT_EQ(changer.child.wait(), 0);
}

// ---- deaths

TEST(Guarded, WhoIsKilledChangingItLeavesItAsItWas) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair", {}, {4, 4});
  ChangingChild changer(scratch.domain());
  ASSERT_TRUE(changer.is_half_way());
  changer.child.kill();
  EXPECT_EQ(pair.read(Deadline::now())->first, 4u);
  const auto refuse = [](Pair& now) { return now.first == 99; };
  EXPECT_EQ(pair.change(refuse, patience()), GuardedAnswer::unchanged);
  EXPECT_EQ(pair.change(count, patience()), GuardedAnswer::committed_after_death)
      << "the first who commits is told";
  EXPECT_EQ(pair.change(count, patience()), GuardedAnswer::committed);
  EXPECT_EQ(pair.read(Deadline::now())->second, 6u);
}

TEST(Guarded, SetIsToldOfADeathAsWell) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair");
  ChangingChild changer(scratch.domain());
  ASSERT_TRUE(changer.is_half_way());
  changer.child.kill();
  EXPECT_EQ(pair.set({9, 9}, patience()), GuardedAnswer::committed_after_death);
  EXPECT_EQ(pair.set({9, 9}, patience()), GuardedAnswer::committed);
}

TEST(Guarded, AChildForkedInAChangeCommitsNothing) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair");
  ::pid_t child = -1;
  const GuardedAnswer answer = pair.change(
      [&](Pair& now) {
        count(now);
        child = ::fork();
        if (child != 0) return;
        now.first = 99;
        // It may even be a member of its own by now.
        static_cast<void>(pair.change([](Pair&) { return false; }, Deadline::now()));
      },
      patience());
  if (child == 0) ::_exit(answer == GuardedAnswer::forked ? 0 : 1);
  EXPECT_EQ(answer, GuardedAnswer::committed);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pair.read(Deadline::now())->first, 1u);
  EXPECT_EQ(pair.version(), 1u);
}

TEST(Guarded, AForkedChildUsesItsParentsHandle) {
  const ScratchDirectory scratch;
  Guarded<Pair> pair(scratch.domain(), "pair");
  Child child([&pair] { return is_committed(pair.change(count, patience())) ? 0 : 1; });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(pair.read(Deadline::now())->first, 1u);
}

// ---- a stranger's bytes

TEST(Guarded, AnyBytesGiveAnAnswer) {
  const ScratchDirectory scratch;
  auto region = Region<GuardedCell<Pair>>::create(scratch.domain(), "cell");
  Guarded<Pair> pair(region, *region);
  auto* words = reinterpret_cast<std::atomic<std::uint64_t>*>(region.get());
  std::uint64_t number = 1;
  for (int i = 0; i < 2000; ++i) {
    for (std::size_t word = 0; word < sizeof(*region) / sizeof *words; ++word) {
      number = number * 6364136223846793005u + 1442695040888963407u;
      words[word].store(i % 3 == 0 ? number : number >> 60, std::memory_order_relaxed);
    }
    const Deadline soon_over = Deadline::after(10us);
    Pair now;
    EXPECT_EQ(pair.read(now, soon_over), GuardedAnswer::value);
    const GuardedAnswer answer = pair.change(count, soon_over);
    if (is_committed(answer)) {
      EXPECT_EQ(pair.read(soon_over)->second, now.second + 1);
    } else {
      EXPECT_TRUE(answer == GuardedAnswer::timed_out || answer == GuardedAnswer::retired ||
                  answer == GuardedAnswer::would_deadlock)
          << to_string(answer);
    }
  }
}

// ---- where it lies

struct Bank {
  GuardedCell<Pair> mine;
  std::uint8_t between = 1;
  GuardedCell<Odd> odd;
  GuardedCell<Large> large;
};
static_assert(sizeof(GuardedCell<Pair>) == 72);

TEST(Guarded, LiesInsideARegion) {
  const ScratchDirectory scratch;
  auto bank = Region<Bank>::create(scratch.domain(), "bank");
  Guarded<Pair> pair(bank, bank->mine);
  Guarded<Odd> odd(bank, bank->odd);
  Guarded<Large> large(bank, bank->large);
  EXPECT_EQ(odd.read(Deadline::now())->bytes, Odd{}.bytes);
  EXPECT_EQ(odd.set({}, Deadline::now()), GuardedAnswer::committed);
  Child child([domain = scratch.domain()] {
    auto same = Region<Bank>::open(domain, "bank");
    Guarded<Pair> mine(same, same->mine);
    Guarded<Large> numbers(same, same->large);
    same.close();  // the handles have mappings of their own
    const auto fill = [](Large& now) { now.numbers[999] = 5; };
    if (!is_committed(numbers.change(fill, patience()))) return 1;
    return is_committed(mine.change(count, patience())) ? 0 : 2;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(pair.read(Deadline::now())->second, 1u);
  EXPECT_EQ(large.read(Deadline::now())->numbers[999], 5u);
  EXPECT_EQ(odd.read(Deadline::now())->bytes, Odd{}.bytes);
}

TEST(Guarded, ACellElsewhereIsRefused) {
  const ScratchDirectory scratch;
  auto bank = Region<Bank>::create(scratch.domain(), "bank");
  const GuardedCell<Pair> stray;
  EXPECT_THROW(Guarded<Pair>(bank, stray), Error);
}

TEST(Guarded, NamedGoesWithItsLastUserIfSaid) {
  const ScratchDirectory scratch;
  {
    const Guarded<Pair> pair(scratch.domain(), "pair", {.lifetime = Lifetime::until_last_member});
    EXPECT_EQ(pair.attached(), 1u);
    EXPECT_GT(pair.created_ns(), 0);
  }
  EXPECT_EQ(remove_object(scratch.domain(), "pair"), Removal::not_found);
}

TEST(Guarded, IsMovedNotCopied) {
  const ScratchDirectory scratch;
  Guarded<Pair> first(scratch.domain(), "pair");
  Guarded<Pair> second(std::move(first));
  EXPECT_FALSE(first);
  EXPECT_EQ(second.change(count, Deadline::now()), GuardedAnswer::committed);
  EXPECT_DEATH(static_cast<void>(first.version()), "moved-from");
}

}  // namespace
}  // namespace kith
