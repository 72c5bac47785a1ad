#include "testkit/explore/explore.hpp"

#include <cstdint>
#include <gtest/gtest.h>
#include <string>

#include "testkit/explore/atomics.hpp"
#include "testkit/explore/calls.hpp"
#include "testkit/explore/kernel.hpp"
#include "testkit/explore/mutation.hpp"

namespace kith::testkit::explore {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kOrdered = std::memory_order_seq_cst;

Bounds all(Memory memory = Memory::sequential) {
  Bounds bounds;
  bounds.preemptions = kUnbounded;
  bounds.memory = memory;
  return bounds;
}

// A message handed over by a flag.
struct Handover : World {
  Word<std::uint64_t> ready;
  Payload<std::uint64_t> message;

  Handover(std::memory_order publishes, std::memory_order receives) {
    called(&ready, "ready");
    called(&message, "message");
    process("writer", [this, publishes] {
      message.write(7);
      ready.store(1, publishes);
    });
    process("reader", [this, receives] {
      if (ready.load(receives) == 1) require(message.read() == 7, "an empty message");
    });
  }
};

TEST(Explore, AHandedOverMessageIsWhole) {
  for (const Memory memory : {Memory::sequential, Memory::weak}) {
    const Result result = explore<Handover>(all(memory), kRelease, kAcquire);
    EXPECT_EQ(result.failure, "");
    EXPECT_TRUE(result.exhausted);
    EXPECT_GT(result.runs, 2u);
  }
}

TEST(Explore, AHandoverTooWeakIsADataRaceUnderWeakMemoryOnly) {
  EXPECT_TRUE(explore<Handover>(all(), kRelaxed, kRelaxed).fine());
  EXPECT_NE(explore<Handover>(all(Memory::weak), kRelaxed, kAcquire).failure.find("data race"),
            std::string::npos);
  EXPECT_NE(explore<Handover>(all(Memory::weak), kRelease, kRelaxed).failure.find("data race"),
            std::string::npos);
}

TEST(Explore, AFailureTellsItsStoryInOrderAndIsRepeated) {
  const Result result = explore<Handover>(all(Memory::weak), kRelaxed, kAcquire);
  const std::size_t fills = result.failure.find("message is filled with 7");
  const std::size_t raises = result.failure.find("ready := 1  (relaxed)");
  const std::size_t sees = result.failure.find("ready is 1  (acquire)");
  EXPECT_LT(fills, raises) << result.failure;
  EXPECT_LT(raises, sees) << result.failure;
  EXPECT_NE(result.failure.find("explore_test.cpp:"), std::string::npos) << result.failure;
  Bounds again = all(Memory::weak);
  again.replay = result.replay;
  const Result repeated = explore<Handover>(again, kRelaxed, kAcquire);
  EXPECT_EQ(repeated.runs, 1u);
  EXPECT_EQ(repeated.failure, result.failure);
}

TEST(Explore, ARepeatedRunMustFitTheModel) {
  Bounds bounds = all();
  bounds.replay = "0*400";
  const Result result = explore<Handover>(bounds, kRelease, kAcquire);
  EXPECT_NE(result.failure.find("do not fit"), std::string::npos) << result.failure;
}

// Each says that it wants in, and goes in if the other does not: never both.
struct Dekker : World {
  Word<std::uint64_t> wants[2];
  int inside = 0;

  Dekker(std::memory_order says, std::memory_order looks, bool fences) {
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      process("process " + std::to_string(i), [this, i, says, looks, fences] {
        wants[i].store(1, says);
        if (fences) Atomics::fence(kOrdered);
        if (wants[1 - i].load(looks) == 0) ++inside;
      });
    }
  }
  void at_end() override { require(inside < 2, "both are inside"); }
  void ghost(const std::function<void(std::uint64_t)>& note) const override {
    note(static_cast<std::uint64_t>(inside));
  }
};

TEST(Explore, StoreThenLoadNeedsOneOrderOfAll) {
  EXPECT_TRUE(explore<Dekker>(all(), kRelaxed, kRelaxed, false).fine());
  EXPECT_TRUE(explore<Dekker>(all(Memory::weak), kOrdered, kOrdered, false).exhausted);
  EXPECT_FALSE(explore<Dekker>(all(Memory::weak), kRelease, kOrdered, false).fine());
  EXPECT_FALSE(explore<Dekker>(all(Memory::weak), kOrdered, kAcquire, false).fine());
  EXPECT_TRUE(explore<Dekker>(all(Memory::weak), kRelaxed, kRelaxed, true).exhausted);
}

TEST(Explore, WithoutStaleReadsWeakMemoryIsSequential) {
  Bounds bounds = all(Memory::weak);
  bounds.stale_reads = 0;
  EXPECT_TRUE(explore<Dekker>(bounds, kRelaxed, kRelaxed, false).exhausted);
}

// Whoever reads the second store through a chain of exchanges gets what the first released.
struct Chain : World {
  Word<std::uint64_t> word;
  Payload<std::uint64_t> message;

  explicit Chain(bool by_exchange) {
    process("head", [this] {
      message.write(1);
      word.store(1, kRelease);
    });
    process("link", [this, by_exchange] {
      if (!by_exchange) {
        if (word.load(kRelaxed) == 1) word.store(2, kRelaxed);
        return;
      }
      std::uint64_t expected = 1;
      static_cast<void>(word.compare_exchange_strong(expected, 2, kRelaxed, kRelaxed));
    });
    process("tail", [this] {
      if (word.load(kAcquire) == 2) static_cast<void>(message.read());
    });
  }
};

TEST(Explore, AReleaseIsPassedOnByExchangesButNotByStores) {
  EXPECT_TRUE(explore<Chain>(all(Memory::weak), true).exhausted);
  EXPECT_FALSE(explore<Chain>(all(Memory::weak), false).fine());
}

// Two add one each, by a load and a store.
struct LostUpdate : World {
  Word<std::uint64_t> count;
  explicit LostUpdate(bool atomically) {
    for (const char* name : {"one", "two"}) {
      process(name, [this, atomically] {
        if (atomically) {
          count.fetch_add(1, kRelaxed);
        } else {
          count.store(count.load(kRelaxed) + 1, kRelaxed);
        }
      });
    }
  }
  void at_end() override { require(count.peek() == 2, "an update was lost"); }
};

TEST(Explore, PreemptionsAreBounded) {
  Bounds bounds = all();
  EXPECT_TRUE(explore<LostUpdate>(bounds, true).exhausted);
  EXPECT_FALSE(explore<LostUpdate>(bounds, false).fine());
  bounds.preemptions = 0;
  EXPECT_TRUE(explore<LostUpdate>(bounds, false).exhausted);
  bounds.preemptions = 1;
  EXPECT_FALSE(explore<LostUpdate>(bounds, false).fine());
}

// Makes two words equal again, after a death in between if it is restarted.
struct Pair : World {
  Word<std::uint64_t> first;
  Word<std::uint64_t> second;
  bool finished = false;

  explicit Pair(bool recovers) {
    const Work work = [this] {
      first.store(1, kRelaxed);
      second.store(1, kRelaxed);
      finished = true;
    };
    process("writer", work, recovers ? work : Work([this] { finished = true; }));
  }
  void at_end() override {
    if (finished) require(first.peek() == second.peek(), "half done");
  }
};

TEST(Explore, WhoIsKilledIsRestartedOrGoneForGood) {
  Bounds bounds = all();
  EXPECT_TRUE(explore<Pair>(bounds, false).exhausted);
  bounds.deaths = 1;
  const Result broken = explore<Pair>(bounds, false);
  EXPECT_NE(broken.failure.find("writer is killed"), std::string::npos);
  const Result sound = explore<Pair>(bounds, true);
  EXPECT_TRUE(sound.exhausted) << sound.failure;
  EXPECT_GT(sound.deaths, 3u);
}

struct Spin : World {
  Word<std::uint64_t> word;
  explicit Spin(std::uint32_t most) {
    process("spinner", [this, most] {
      const AccessLimit limit("spinning", most);
      for (int i = 0; i < 3; ++i) static_cast<void>(word.load(kRelaxed));
    });
  }
};

TEST(Explore, AccessesAreCounted) {
  EXPECT_TRUE(explore<Spin>(all(), 3u).fine());
  EXPECT_NE(explore<Spin>(all(), 2u).failure.find("one access more than it may"),
            std::string::npos);
}

struct Endless : World {
  Word<std::uint64_t> word;
  Endless() {
    process("spinner", [this] {
      while (word.load(kRelaxed) == 0) {
      }
    });
  }
};

TEST(Explore, ARunWithoutEndIsAFailure) {
  EXPECT_NE(explore<Endless>(all()).failure.find("no end"), std::string::npos);
}

TEST(Explore, RandomRunsFindWhatIsCommon) {
  Bounds bounds = all();
  bounds.random_runs = 1000;
  EXPECT_FALSE(explore<LostUpdate>(bounds, false).fine());
  const Result result = explore<LostUpdate>(bounds, true);
  EXPECT_TRUE(result.fine());
  EXPECT_FALSE(result.exhausted);
  EXPECT_EQ(result.runs, 1000u);
}

TEST(Explore, WithAndWithoutStatesTheVerdictIsTheSame) {
  for (const Memory memory : {Memory::sequential, Memory::weak}) {
    for (const auto order : {kRelaxed, kRelease, kOrdered}) {
      for (const bool fences : {false, true}) {
        Bounds bounds = all(memory);
        const auto looks = order == kRelease ? kAcquire : order;
        const Result by_states = explore<Dekker>(bounds, order, looks, fences);
        bounds.prune = false;
        const Result run_by_run = explore<Dekker>(bounds, order, looks, fences);
        EXPECT_EQ(by_states.failure.empty(), run_by_run.failure.empty()) << run_by_run.failure;
        EXPECT_LE(by_states.runs, run_by_run.runs);
      }
    }
  }
}

// ---- mutants of calls

[[gnu::noinline]] void make_directory() {
  if (is_mutated("make_directory", Mutation::skipped)) return;
  static_cast<void>(Kernel::current().make_directory("/d"));
}
[[gnu::noinline]] bool is_there() {
  return looked(is_mutated("is_there", Mutation::remembered), "/d",
                [] { return Kernel::current().facts_of_path("/d").error == 0; });
}

struct LooksTwice : World {
  Kernel kernel;
  LooksTwice() {
    process("maker", [] {
      const bool before = is_there();
      make_directory();
      const bool after = is_there();
      require(!before && after, "it was made");
    });
  }
};

TEST(Explore, CallsOfTheKernelAreMutatedWhereTheyAreMade) {
  const auto run = [] { return explore<LooksTwice>(all()); };
  EXPECT_TRUE(run().fine());
  EXPECT_TRUE(mutants_of([&] { static_cast<void>(run()); }).empty());
  const auto mutants = mutants_of([&] { static_cast<void>(run()); }, {}, "not a path");
  std::string texts;
  std::string results;
  for (const Mutant& mutant : mutants) {
    texts += to_string(mutant) + ";";
    const Mutated applied(mutant);
    const bool found = !run().failure.empty();
    results += found ? "found;" : applied.uses() == 0 ? "none;" : "survives;";
  }
  // In the order of their lines; the first look has nothing to remember.
  EXPECT_EQ(mutants.size(), 3u) << texts;
  EXPECT_EQ(results, "none;found;found;") << texts;
  EXPECT_TRUE(run().fine());
}

// Stores, then looks whether anybody sleeps; the other says that it sleeps, then does.
struct Sleeper : World {
  Kernel kernel;
  Word<std::uint32_t> value;
  Word<std::uint32_t> sleepers;

  explicit Sleeper(std::memory_order stores) {
    process("producer", [this, stores] {
      value.store(1, stores);
      if (sleepers.load(kOrdered) != 0) kernel.wake_all(&value);
    });
    process("consumer", [this] {
      sleepers.store(1, kOrdered);
      kernel.wait(&value, 0, 0);
    });
  }
};

TEST(Explore, TheKernelsLookBeforeItSleepsMayBeTooEarly) {
  EXPECT_TRUE(explore<Sleeper>(all(), kRelaxed).fine());
  EXPECT_TRUE(explore<Sleeper>(all(Memory::weak), kOrdered).fine());
  const Result result = explore<Sleeper>(all(Memory::weak), kRelease);
  EXPECT_NE(result.failure.find("everyone sleeps"), std::string::npos) << result.failure;
}

}  // namespace
}  // namespace kith::testkit::explore
