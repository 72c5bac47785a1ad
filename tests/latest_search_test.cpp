// Every interleaving of one writer, its successor and two readers, a member and a guest, over the
// very code of latest_core.hpp: the algorithm's claims, searched for a counter-example.
// Method: fibers that change hands at every access to a shared word, and a search over who goes
// next; a run is replayed from its beginning by the list of its choices, and ends where it comes to
// a state that was seen. A death is a fiber that never goes on: the writer's explicitly, because a
// successor follows it; a reader's because the search lets all others end first as well.
//
// Looked for: the writer fills what a reader holds, or finds no slot; a reader gets what was not
// committed, or goes back. Above all that whatever one scan found free stays free until it is
// published: with spare slots the writer looks at the readers once in several writes.
// Left out: the stale reads that weak memory allows; every access is as if it were seq_cst.
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <ucontext.h>
#include <unordered_set>
#include <utility>
#include <vector>

#include "kith/channel/internal/latest_core.hpp"

namespace kith::internal {
namespace {

constexpr std::size_t kFibers = 4;  // writer, its successor, member, guest
constexpr std::size_t kWriter = 0;
constexpr std::size_t kSuccessor = 1;

struct Fiber {
  ucontext_t context{};
  std::array<char, 64 * 1024> stack{};
  std::function<void()> work;
  bool done = false;
  std::uint64_t history = 1;  // of all that it was told: with the code, this is its whole state
};

struct Stage {
  ucontext_t search{};
  std::array<Fiber, kFibers> fibers;
  std::size_t running = kFibers;
};
Stage* stage = nullptr;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

// Before every access to what is shared: somebody else may go first.
void step() {
  if (stage == nullptr || stage->running == kFibers) return;
  Fiber& self = stage->fibers[stage->running];
  self.history = mixed(self.history, 1);  // that it has come so far is a part of its state
  ::swapcontext(&self.context, &stage->search);
}

template <class T>
T told(T value) {
  if (stage != nullptr && stage->running != kFibers) {
    auto& history = stage->fibers[stage->running].history;
    history = mixed(history, static_cast<std::uint64_t>(value));
  }
  return value;
}

void run_fiber() {
  Fiber& self = stage->fibers[stage->running];
  self.work();
  self.done = true;
  ::swapcontext(&self.context, &stage->search);
}

struct SearchedAtomics {
  template <class T>
  class Word {
   public:
    // The narrow words, the sleepers' and the count of slots, decide nothing here: no step.
    T load(std::memory_order) const {
      if (sizeof(T) == sizeof(std::uint64_t)) step();
      return told(value_);
    }
    void store(T value, std::memory_order) { step(), value_ = value; }
    T fetch_or(T bits, std::memory_order) {
      step();
      return told(std::exchange(value_, value_ | bits));
    }
    T fetch_and(T bits, std::memory_order) {
      step();
      return told(std::exchange(value_, value_ & bits));
    }
    bool compare_exchange_strong(T& expected, T wanted, std::memory_order, std::memory_order) {
      step();
      const T found = told(value_);
      if (found == expected) value_ = wanted;
      return found == std::exchange(expected, found);
    }
    [[nodiscard]] T peek() const { return value_; }

   private:
    T value_{};
  };
};

using Bank = LatestReaderBank<SearchedAtomics>;

struct Bounds {
  std::uint32_t spares = 0;
  int written = 0;  // before anybody else comes: so many slots of the first scan are used up
  int writes = 0;
  int member_reads = 0;
  int guest_reads = 0;
  bool writer_may_die = false;
};

// One run: a channel for a member and a guest, and what they must never see.
class Run {
 public:
  explicit Run(const Bounds& bounds)
      : bounds_(bounds), words_(4 + bounds.spares), slots_(words_.slots()) {
    // relaxed: nobody else runs yet, here and below.
    control_.slots_ready.store(words_.slots(), std::memory_order_relaxed);
    writer_.emplace(control_.latest, control_, bank(0), bank(1), words_);
    write_on(*writer_, 0, bounds_.written);
    begin(kWriter, [this] { write_on(*writer_, last_of(*writer_), bounds_.writes); });
    begin(kSuccessor, [this] { succeed(); });
    begin(2, [this] { read(0, bounds_.member_reads); });
    begin(3, [this] { read(1, bounds_.guest_reads); });
    if (!bounds.writer_may_die) stage_->fibers[kSuccessor].done = true;
  }

  // Follows the choices as far as they go, then takes the first that can until a state was seen.
  // Returns how many there were at each step.
  std::vector<std::size_t> play(std::vector<std::size_t>& choices,
                                std::unordered_set<std::uint64_t>& seen) {
    std::vector<std::size_t> alternatives;
    stage = stage_.get();
    for (std::size_t at = 0; wrong_.empty(); ++at) {
      const std::vector<std::size_t> can = who_can();
      const bool cut = at >= choices.size() && !seen.insert(state()).second;
      if (can.empty() || cut) break;
      if (at >= choices.size()) choices.push_back(0);
      alternatives.push_back(can.size());
      go_on(can[choices[at]]);
    }
    stage = nullptr;
    choices.resize(alternatives.size());
    return alternatives;
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  [[nodiscard]] int values_read() const { return values_read_; }
  [[nodiscard]] bool writer_died() const { return writer_died_; }

 private:
  void begin(std::size_t index, std::function<void()> work) {
    Fiber& fiber = stage_->fibers[index];
    fiber.work = std::move(work);
    ::getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    ::makecontext(&fiber.context, &run_fiber, 0);
  }

  // kFibers stands for the writer's death.
  [[nodiscard]] std::vector<std::size_t> who_can() const {
    std::vector<std::size_t> can;
    for (std::size_t i = 0; i < kFibers; ++i) {
      if (!stage_->fibers[i].done && (i != kSuccessor || writer_died_)) can.push_back(i);
    }
    if (bounds_.writer_may_die && !stage_->fibers[kWriter].done) can.push_back(kFibers);
    return can;
  }

  void go_on(std::size_t who) {
    if (who == kFibers) {
      stage_->fibers[kWriter].done = writer_died_ = true;
      return;
    }
    stage_->running = who;
    ::swapcontext(&stage_->search, &stage_->fibers[who].context);
    stage_->running = kFibers;
  }

  [[nodiscard]] std::uint64_t state() const {
    std::uint64_t hash = mixed(writer_died_ ? 1 : 0, control_.latest.peek());
    for (std::size_t i = 0; i < 2; ++i) {
      hash = mixed(mixed(hash, joined_[i].peek()), cells_[i].claim.peek());
      hash = mixed(hash, held_[i].value_or(99));
    }
    for (const std::uint64_t number : slots_) hash = mixed(hash, number);
    for (const Fiber& fiber : stage_->fibers) hash = mixed(mixed(hash, fiber.history), fiber.done);
    return hash;
  }

  Bank bank(std::size_t reader) { return {&joined_[reader], &cells_[reader], 1}; }

  using WriterCore = LatestWriterCore<SearchedAtomics>;

  std::uint64_t last_of(const WriterCore& core) {
    const auto slot = core.last_slot();
    if (!slot) return 0;
    const std::uint64_t last = told(slots_[*slot]);
    if (!words_.tags(core.last_word(), last)) fail("the last value is torn");
    return last;
  }

  void succeed() {
    successor_.emplace(control_.latest, control_, bank(0), bank(1), words_);
    write_on(*successor_, last_of(*successor_), bounds_.writes);
  }

  void write_on(WriterCore& core, std::uint64_t last, int writes) {
    for (int i = 0; i < writes; ++i) {
      const auto slot = core.choose_slot();
      if (!slot) return fail("the writer finds no slot");
      told(slots_[*slot] = 0);  // torn, as long as it is being filled
      if (held_[0] == *slot || held_[1] == *slot) return fail("the writer fills what is held");
      step();
      told(slots_[*slot] = ++last);
      (void)core.publish(*slot, last);
    }
  }

  void read(std::size_t reader, int reads) {
    if (reads == 0) return;
    LatestReaderCore<SearchedAtomics> core(control_.latest, bank(reader), 0, words_);
    core.join();
    std::uint64_t before = 0;
    for (int i = 0; i < reads; ++i) {
      const std::uint64_t word = core.acquire(0);
      if (word == LatestWords::kIdle) continue;
      const auto slot = words_.slot_of(word);
      if (!slot) return fail("a reader was given no slot");
      held_[reader] = slot;
      const std::uint64_t number = told(slots_[*slot]);
      if (number == 0 || !words_.tags(word, number)) return fail("a reader holds a torn value");
      if (number < before) return fail("a reader went back");
      before = number;
      ++values_read_;
      if (i + 1 == reads) return;  // held to the end, as by one who died
      step();
      if (slots_[*slot] != number) return fail("what a reader held was changed");
      held_[reader].reset();
      core.release();
    }
  }

  void fail(const char* what) { wrong_ = what; }

  Bounds bounds_;
  LatestWords words_;
  LatestControl<SearchedAtomics> control_{};
  std::array<SearchedAtomics::Word<std::uint64_t>, 2> joined_{};
  std::array<LatestReaderCell<SearchedAtomics>, 2> cells_{};
  std::vector<std::uint64_t> slots_;  // the number of the value that stands there; 0: torn
  std::array<std::optional<std::uint32_t>, 2> held_;
  // Here, and not on the fibers' stacks, which end without unwinding.
  std::optional<WriterCore> writer_;
  std::optional<WriterCore> successor_;
  std::string wrong_;
  int values_read_ = 0;
  bool writer_died_ = false;
  std::unique_ptr<Stage> stage_ = std::make_unique<Stage>();
};

// Searches all of it. "" or what was found, and by which choices.
std::string search(const Bounds& bounds) {
  std::unordered_set<std::uint64_t> seen;
  std::vector<std::size_t> choices;
  int most_read = 0;
  bool somebody_died = false;
  for (;;) {
    Run run(bounds);
    const std::vector<std::size_t> alternatives = run.play(choices, seen);
    if (!run.wrong().empty()) {
      std::string found = run.wrong() + " after the choices";
      for (const std::size_t choice : choices) found += " " + std::to_string(choice);
      return found;
    }
    most_read = std::max(most_read, run.values_read());
    somebody_died = somebody_died || run.writer_died();
    while (!choices.empty() && choices.back() + 1 == alternatives[choices.size() - 1]) {
      choices.pop_back();
    }
    if (choices.empty()) break;
    ++choices.back();
  }
  ::testing::Test::RecordProperty("states", static_cast<int>(seen.size()));
  // A search that saw nothing happen proves nothing.
  if (most_read < bounds.member_reads + bounds.guest_reads) return "nobody read all it could";
  if (somebody_died != bounds.writer_may_die) return "no writer died";
  return seen.size() > 1000 ? "" : "only " + std::to_string(seen.size()) + " states were seen";
}

class LatestSearch : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the thread sanitizer does not know fibers, and there is one thread only";
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    GTEST_SKIP() << "the thread sanitizer does not know fibers, and there is one thread only";
#endif
#endif
  }
};

// The bounds are such that a slot can be pinned, every other be written, and it be its turn again:
// the first scan's slots are used up beforehand, and there are as many writes as slots.
// (Both readers, a slot to spare and one write more are a million states, and as clean.)
TEST_F(LatestSearch, AMemberAlone) {
  EXPECT_EQ(search({.written = 4, .writes = 4, .member_reads = 2}), "");
  EXPECT_EQ(search({.spares = 1, .written = 5, .writes = 5, .member_reads = 2}), "");
}

TEST_F(LatestSearch, AGuestAlone) {
  EXPECT_EQ(search({.written = 4, .writes = 4, .guest_reads = 2}), "");
  EXPECT_EQ(search({.spares = 1, .written = 5, .writes = 5, .guest_reads = 2}), "");
}

TEST_F(LatestSearch, AMemberAndAGuest) {
  EXPECT_EQ(search({.written = 4, .writes = 4, .member_reads = 1, .guest_reads = 1}), "");
}

TEST_F(LatestSearch, AMemberAndAGuestWithASlotToSpare) {
  EXPECT_EQ(search({.spares = 1, .written = 5, .writes = 4, .member_reads = 1, .guest_reads = 1}),
            "");
}

TEST_F(LatestSearch, AWriterThatDiesAndItsSuccessor) {
  EXPECT_EQ(search({.written = 4, .writes = 3, .member_reads = 2, .writer_may_die = true}), "");
}

}  // namespace
}  // namespace kith::internal
