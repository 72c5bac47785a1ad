#include "tests/explore/latest_world.hpp"

#include <bit>
#include <string>
#include <utility>

namespace kith::explored {

using internal::LatestReaderBank;
using internal::LatestWords;
using testkit::explore::AccessLimit;
using testkit::explore::choose;
using testkit::explore::fail;
using testkit::explore::require;
using testkit::explore::settle;

namespace {

std::uint32_t slots_of(const LatestSetting& setting) {
  return setting.members + setting.guests + internal::kLatestSpareSlots + setting.spares;
}

}  // namespace

LatestWorld::LatestWorld(const LatestSetting& setting)
    : setting_(setting), words_(slots_of(setting)) {
  name_words();
  // relaxed: nobody else runs yet.
  control_.slots_ready.store(words_.slots() - (setting.grows ? 1 : 0), std::memory_order_relaxed);
  write_first();
  process(
      "writer", [this] { begin_writing(); }, [this] { succeed(); });
  for (std::uint32_t i = 0; i < readers(); ++i) {
    process((i < setting.members ? "reader " : "guest ") + std::to_string(i),
            [this, i] { read(i); }, [this, i] { recover(i); });
  }
}

void LatestWorld::name_words() {
  const auto writing = [words = words_](std::uint64_t word) -> std::string {
    if (word == LatestWords::kIdle) return "idle";
    if (word == words.request()) return "request";
    const auto slot = words.slot_of(word);
    std::string text = slot ? "slot " + std::to_string(*slot) : "no slot";
    text += ", value " + std::to_string(words.tag_of(word));
    return (word & LatestWords::kTentative) != 0 ? text + ", tentative" : text;
  };
  called(&control_.latest, "latest", writing);
  called(&control_.notify, "notify");
  called(&control_.slots_ready, "slots_ready");
  called(&joined_[0][0], "joined");
  called(&joined_[1][0], "joined guests");
  for (std::uint32_t i = 0; i < kReadersMax; ++i) {
    called(&cells_[i].claim, "claim " + std::to_string(i), writing);
  }
  for (std::uint32_t i = 0; i < kSlotsMax; ++i) {
    called(&slots_[i].halves[0], "slot " + std::to_string(i));
    called(&slots_[i].halves[1], "slot " + std::to_string(i) + "'s other half");
  }
}

LatestReaderBank<LatestWorld::Atomics> LatestWorld::bank(bool guests) {
  return {joined_[guests].data(), cells_.data() + (guests ? setting_.members : 0),
          guests ? setting_.guests : setting_.members};
}

// ---- the writer

void LatestWorld::write_first() {
  writers_[0].emplace(control_.latest, control_, bank(false), bank(true), words_);
  for (std::uint64_t number = 1; number <= setting_.written; ++number) {
    const auto slot = writers_[0]->choose_slot();
    for (auto& half : slots_[*slot].halves) half.write(number);
    static_cast<void>(writers_[0]->publish(*slot, number));
    published_ = number;
  }
}

void LatestWorld::begin_writing() {
  write(*writers_[0], published_);
}

void LatestWorld::succeed() {
  WriterCore& core =
      writers_[1].emplace(control_.latest, control_, bank(false), bank(true), words_);
  std::uint64_t last = 0;
  if (const auto slot = core.last_slot()) last = number_in(*slot);
  require(last >= published_, "a published value is lost");
  require(words_.tags(core.last_word(), last), "the last value is not the one that was published");
  write(core, last);
}

void LatestWorld::write(WriterCore& core, std::uint64_t last) {
  while (last < setting_.written + setting_.writes) {
    std::optional<std::uint32_t> slot;
    {
      // The count of slots, two words of who joined, and two accesses for each reader.
      const AccessLimit limit("choosing a slot", 3 + 2 * readers());
      slot = core.choose_slot();
    }
    if (!slot) fail("there is no free slot");
    for (std::uint32_t i = 0; i < readers(); ++i) {
      require(held_[i].holds != slot, "it would fill what a reader holds");
    }
    ++last;
    for (auto& half : slots_[*slot].halves) half.write(last);
    {
      const AccessLimit limit("publishing", 2);
      static_cast<void>(core.publish(*slot, last));
    }
    published_ = last;
  }
}

// ---- readers

std::uint64_t LatestWorld::number_in(std::uint32_t slot) {
  const std::uint64_t first = slots_[slot].halves[0].read();
  require(slots_[slot].halves[1].read() == first, "a torn value");
  return first;
}

LatestWorld::ReaderCore LatestWorld::reader_core(std::uint32_t reader) {
  const bool guest = reader >= setting_.members;
  return {control_.latest, bank(guest), guest ? reader - setting_.members : reader, words_};
}

void LatestWorld::read(std::uint32_t reader) {
  ReaderCore core = reader_core(reader);
  join(reader, core);
  read_on(reader, core, 0, 0);
}

void LatestWorld::join(std::uint32_t reader, ReaderCore& core) {
  // relaxed: as the channel does, before the reader is seen.
  if (setting_.grows && reader + 1 == readers()) {
    control_.slots_ready.store(words_.slots(), std::memory_order_relaxed);
  }
  core.join();
}

// As a restarted reader takes its role over, or somebody heals it: the pin it really had is whole.
void LatestWorld::recover(std::uint32_t reader) {
  ReaderCore core = reader_core(reader);
  std::uint64_t pinned = core.recover();
  std::uint64_t before = 0;
  if (const auto held = held_[reader].holds) {
    require(words_.slot_of(pinned) == held, "the pin of one that died is lost");
  }
  if (pinned != LatestWords::kIdle) {
    const auto slot = words_.slot_of(pinned);
    held_[reader].holds = slot;
    before = number_in(*slot);
    require(words_.tags(pinned, before), "what one that died had pinned has changed");
  }
  if (choose(2) == 1) {  // healed: nobody comes back to what it held
    core.release();
    held_[reader].holds.reset();
    core.leave();
    pinned = LatestWords::kIdle;
  }
  join(reader, core);
  read_on(reader, core, pinned, before);
}

void LatestWorld::look_at(std::uint32_t reader, std::uint64_t word, std::uint64_t at_least) {
  const auto slot = words_.slot_of(word);
  if (!slot) fail("it was given no slot");
  held_[reader].holds = slot;
  const std::uint64_t number = number_in(*slot);
  require(words_.tags(word, number), "it was given another value than it was told");
  require(number >= at_least, "a value older than one that it knew to be published");
  held_[reader].number = number;
  testkit::explore::act();  // its user has the value
}

void LatestWorld::read_on(std::uint32_t reader, ReaderCore& core, std::uint64_t pinned,
                          std::uint64_t before) {
  for (std::uint32_t i = 0; i < setting_.reads; ++i) {
    // Under weak memory to be published and to be known to be are two things.
    const bool sees_all = !testkit::explore::is_weak();
    const std::uint64_t at_least = sees_all && published_ > before ? published_ : before;
    std::uint64_t word = 0;
    held_[reader].holds.reset();  // to ask for the next is to let go of the last
    {
      const AccessLimit limit("reading", 6);
      word = core.acquire(pinned);
    }
    if (word != LatestWords::kIdle) {
      look_at(reader, word, at_least);
      before = held_[reader].number;
    } else {
      require(at_least == 0, "it was given nothing, and something had been published");
    }
    pinned = word;
    if (setting_.keeps_last && i + 1 == setting_.reads) return;
    if (!setting_.holds_while_reading || i + 1 == setting_.reads) {
      core.release();
      held_[reader].holds.reset();
      pinned = LatestWords::kIdle;
    }
    settle({i, pinned, before});
  }
  if (!setting_.leaves) return;
  core.leave();
  ++left_;
}

// ---- the books

void LatestWorld::at_end() {
  std::array<bool, kSlotsMax> pinned{};
  std::uint32_t taken = 0;
  const auto take = [&](std::uint64_t word) {
    const auto slot = words_.slot_of(word);
    if (slot && !std::exchange(pinned[*slot], true)) ++taken;
  };
  take(control_.latest.peek());
  for (std::uint32_t i = 0; i < readers(); ++i) take(cells_[i].claim.peek());
  const auto bits = [&](const auto& joined) { return std::popcount(joined[0].peek()); };
  const auto there = static_cast<std::uint32_t>(bits(joined_[0]) + bits(joined_[1]));
  require(there + left_ <= readers(), "one that left is still looked at");
  WriterCore& core =
      writers_[1].emplace(control_.latest, control_, bank(false), bank(true), words_);
  std::uint32_t free = 0;
  const std::uint32_t ready = control_.slots_ready.peek();
  while (const auto slot = core.choose_slot()) {
    require(!pinned[*slot], "at the end a slot is free that is held");
    pinned[*slot] = true;
    // Each is published once: what one look at the readers found free, and no more.
    static_cast<void>(core.publish(*slot, 1000 + free));
    if (++free == ready - taken) break;
  }
  require(free == ready - taken, "at the end slots are missing");
}

void LatestWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  note(published_ * 8 + left_);
  for (const Reader& reader : held_) note(reader.holds.value_or(99));
}

}  // namespace kith::explored
