#include "kith/channel/internal/latest_core.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

namespace kith::internal {
namespace {

using Control = LatestControl<RealAtomics>;
using Cell = LatestReaderCell<RealAtomics>;
using Writer = LatestWriterCore<RealAtomics>;
using Reader = LatestReaderCore<RealAtomics>;

// A channel in plain memory: `words` stand for a payload that must never be seen half-written.
struct Arena {
  explicit Arena(std::uint32_t readers)
      : readers_max(readers),
        control(std::make_unique<Control>()),
        cells(new Cell[readers]()),
        slots(readers + kLatestSpareSlots) {
    control->slots_ready.store(readers + kLatestSpareSlots, std::memory_order_relaxed);
  }
  LatestWords words() const { return LatestWords(readers_max + kLatestSpareSlots); }
  LatestReaderBank<RealAtomics> bank() const {
    return {control->joined.data(), cells.get(), readers_max};
  }
  Reader reader(std::uint32_t index) const { return {control->latest, bank(), index, words()}; }
  Writer writer() const { return {control->latest, *control, bank(), {}, words()}; }

  struct Slot {
    std::uint64_t sequence = 0;
    std::uint64_t words[6] = {};
  };
  std::uint32_t readers_max;
  std::unique_ptr<Control> control;
  std::unique_ptr<Cell[]> cells;
  std::vector<Slot> slots;
};

void write(Arena& arena, Writer& writer, std::uint64_t sequence) {
  const auto slot = writer.choose_slot();
  ASSERT_TRUE(slot.has_value());
  arena.slots[*slot].sequence = sequence;
  for (auto& word : arena.slots[*slot].words) word = sequence;
  static_cast<void>(writer.publish(*slot, sequence));
}

TEST(LatestWords, GiveBackTheSlotAndTheTagTheyPack) {
  for (const std::uint32_t slots : {3u, 4u, 18u, 62u, 63u, 64u, 1002u}) {
    const LatestWords words(slots);
    for (const std::uint64_t sequence : {1ull, 2ull, 1ull << 40, (1ull << 60) + 5}) {
      for (const std::uint32_t slot : {0u, slots / 2, slots - 1}) {
        const std::uint64_t word = words.pack(sequence, slot);
        EXPECT_EQ(words.slot_of(word), slot);
        EXPECT_EQ(words.slot_of(word | LatestWords::kTentative), slot);
        EXPECT_TRUE(words.tags(word, sequence));
        EXPECT_FALSE(words.tags(word, sequence + 1));
        EXPECT_NE(word, words.request());
      }
    }
    EXPECT_EQ(words.slot_of(words.request()), std::nullopt);
    EXPECT_EQ(words.slot_of(LatestWords::kIdle), std::nullopt);
    if (std::uint64_t{slots} + 1 < words.request() >> 1) {
      EXPECT_EQ(words.slot_of(words.pack(9, slots)), std::nullopt);
    }
  }
}

TEST(LatestCore, ReaderOfNothingGetsNothing) {
  Arena arena(1);
  Reader reader = arena.reader(0);
  reader.join();
  EXPECT_EQ(reader.acquire(0), LatestWords::kIdle);
}

TEST(LatestCore, HeldValueStaysWhileTheWriterGoesOn) {
  Arena arena(2);
  Writer writer = arena.writer();
  Reader first = arena.reader(0);
  Reader second = arena.reader(1);
  first.join();
  second.join();
  write(arena, writer, 1);
  const auto held_by_first = first.words().slot_of(first.acquire(0));
  write(arena, writer, 2);
  const auto held_by_second = second.words().slot_of(second.acquire(0));
  ASSERT_TRUE(held_by_first && held_by_second);
  for (std::uint64_t sequence = 3; sequence < 50; ++sequence) write(arena, writer, sequence);
  EXPECT_EQ(arena.slots[*held_by_first].sequence, 1u);
  EXPECT_EQ(arena.slots[*held_by_second].sequence, 2u);
}

TEST(LatestCore, RequestOfADeadReaderIsGrantedOnceAndPinsOneSlot) {
  Arena arena(1);
  Writer writer = arena.writer();
  Reader reader = arena.reader(0);
  reader.join();
  write(arena, writer, 1);
  arena.cells[0].claim.store(reader.words().request(), std::memory_order_seq_cst);
  for (std::uint64_t sequence = 2; sequence < 20; ++sequence) write(arena, writer, sequence);
  // The next look at the readers granted what was newest then, and no write has touched it since.
  const std::uint64_t granted = reader.recover();
  const auto slot = reader.words().slot_of(granted);
  ASSERT_TRUE(slot.has_value());
  EXPECT_TRUE(reader.words().tags(granted, arena.slots[*slot].sequence));
  EXPECT_LT(arena.slots[*slot].sequence, 5u);
}

// What one look found free serves as many writes: a request waits unanswered so long, which its
// reader does not notice, and is granted by the next look.
TEST(LatestCore, SparesAreWrittenWithoutLookingAtTheReaders) {
  Arena arena(8);
  Writer writer = arena.writer();
  Reader reader = arena.reader(7);
  write(arena, writer, 1);  // looks; nobody joined, so all other nine slots are free
  reader.join();
  auto& claim = arena.cells[7].claim;
  claim.store(reader.words().request(), std::memory_order_seq_cst);
  for (std::uint64_t sequence = 2; sequence <= 10; ++sequence) write(arena, writer, sequence);
  EXPECT_EQ(claim.load(std::memory_order_relaxed), reader.words().request());
  write(arena, writer, 11);
  const auto granted = reader.words().slot_of(claim.load(std::memory_order_relaxed));
  ASSERT_TRUE(granted.has_value());
  EXPECT_EQ(arena.slots[*granted].sequence, 10u);
  for (std::uint64_t sequence = 12; sequence <= 200; ++sequence) write(arena, writer, sequence);
  EXPECT_EQ(arena.slots[*granted].sequence, 10u);
}

TEST(LatestCore, TentativeNoteOfADeadReaderIsTakenBack) {
  Arena arena(1);
  Writer writer = arena.writer();
  Reader reader = arena.reader(0);
  reader.join();
  write(arena, writer, 1);
  arena.cells[0].claim.store(writer.last_word() | LatestWords::kTentative,
                             std::memory_order_seq_cst);
  EXPECT_EQ(reader.recover(), 0u);
  EXPECT_EQ(arena.cells[0].claim.load(std::memory_order_relaxed), LatestWords::kIdle);
}

TEST(LatestCore, RestartedWriterFindsTheLastValueAndSparesIt) {
  Arena arena(1);
  {
    Writer writer = arena.writer();
    write(arena, writer, 7);
  }
  Writer restarted = arena.writer();
  ASSERT_TRUE(restarted.last_slot().has_value());
  EXPECT_EQ(arena.slots[*restarted.last_slot()].sequence, 7u);
  EXPECT_NE(restarted.choose_slot(), restarted.last_slot());
}

// Any words at all: an answer, no loop, no slot outside.
TEST(LatestCore, NonsenseInSharedWordsIsAnsweredNotFollowed) {
  Arena arena(3);
  for (const std::uint64_t nonsense : {~0ull, 0x1234567890abcdefull, 62ull, 63ull, 14ull}) {
    for (auto& word : arena.control->joined) word.store(~0ull, std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < 3; ++i) {
      arena.cells[i].claim.store(nonsense + i, std::memory_order_relaxed);
    }
    arena.control->latest.store(nonsense, std::memory_order_relaxed);
    arena.control->slots_ready.store(0xffffffff, std::memory_order_relaxed);
    Writer writer = arena.writer();
    const auto slot = writer.choose_slot();
    EXPECT_LT(slot.value_or(0), arena.slots.size());
    Reader reader = arena.reader(0);
    const auto read = reader.words().slot_of(reader.acquire(0));
    EXPECT_LT(read.value_or(0), arena.slots.size());
  }
}

// Under the thread sanitizer this is the search for races: one mapping, threads as processes, plain
// payload words that only the algorithm protects.
TEST(LatestCore, ReadersSeeWholeValuesInOrderUnderStress) {
  constexpr std::uint32_t kReaders = 3;
  constexpr std::uint64_t kWrites = 20'000;
  Arena arena(kReaders);
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> backwards{0};
  std::atomic<std::uint64_t> reads{0};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] {
      Reader reader = arena.reader(i);
      std::uint64_t last = 0;
      while (last < kWrites) {
        // Joining and leaving again and again is part of the protocol.
        reader.join();
        std::uint64_t word = 0;
        for (int round = 0; round < 4 && last < kWrites; ++round) {
          word = reader.acquire(round % 2 == 0 ? 0 : word);
          if (word == LatestWords::kIdle) continue;
          const Arena::Slot& slot = arena.slots[*reader.words().slot_of(word)];
          for (const std::uint64_t part : slot.words) {
            if (part != slot.sequence) torn.fetch_add(1, std::memory_order_relaxed);
          }
          if (slot.sequence < last) backwards.fetch_add(1, std::memory_order_relaxed);
          last = slot.sequence;
          reads.fetch_add(1, std::memory_order_relaxed);
        }
        reader.release();
        reader.leave();
        std::this_thread::yield();
      }
    });
  }
  Writer writer = arena.writer();
  for (std::uint64_t sequence = 1; sequence <= kWrites; ++sequence) write(arena, writer, sequence);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn.load(std::memory_order_relaxed), 0u);
  EXPECT_EQ(backwards.load(std::memory_order_relaxed), 0u);
  EXPECT_GE(reads.load(std::memory_order_relaxed), kReaders);
}

}  // namespace
}  // namespace kith::internal
