// A latest-value channel as a model: the very core that ships, a writer, readers who are members or
// guests, and what each of them may never see.
//
// Ghost state: what every reader holds, and the last value whose publish was over. Demanded:
//   the writer always finds a slot, never one that is held, in a bounded number of accesses;
//   a reader gets whole values, never older than one that was published before it asked, never
//   older than its last; what it holds does not change; in a bounded number of accesses;
//   a successor finds the last value whole, and it is no older than the last published;
//   at the end every slot is free but the newest value's and those the dead hold.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "kith/channel/internal/latest_core.hpp"

#include "testkit/explore/atomics.hpp"
#include "testkit/explore/explore.hpp"

namespace kith::explored {

struct LatestSetting {
  std::uint32_t members = 1;
  std::uint32_t guests = 0;
  std::uint32_t spares = 0;
  std::uint32_t written = 0;  // before anybody runs: so many slots of the first scan are used up
  std::uint32_t writes = 2;
  std::uint32_t reads = 1;           // of each reader
  bool keeps_last = false;           // a reader's last value is held to the end
  bool holds_while_reading = false;  // asks for the next value before it lets go of the last
  bool grows = false;                // the last reader's slot gets its pages when it joins
  bool leaves = false;               // readers leave in the end
};

class LatestWorld : public testkit::explore::World {
 public:
  explicit LatestWorld(const LatestSetting& setting);

  void at_end() override;
  void ghost(const std::function<void(std::uint64_t)>& note) const override;

 private:
  using Atomics = testkit::explore::Atomics;
  using WriterCore = internal::LatestWriterCore<Atomics>;
  using ReaderCore = internal::LatestReaderCore<Atomics>;
  static constexpr std::size_t kReadersMax = 4;
  static constexpr std::size_t kSlotsMax = 8;

  struct Slot {
    std::array<testkit::explore::Payload<std::uint64_t>, 2> halves;
  };
  struct Reader {
    std::optional<std::uint32_t> holds;
    std::uint64_t number = 0;  // of the value it holds
  };

  [[nodiscard]] internal::LatestReaderBank<Atomics> bank(bool guests);
  [[nodiscard]] std::uint32_t readers() const { return setting_.members + setting_.guests; }
  void name_words();
  void write(WriterCore& core, std::uint64_t last);
  void write_first();
  void begin_writing();
  void succeed();
  [[nodiscard]] ReaderCore reader_core(std::uint32_t reader);
  void read(std::uint32_t reader);
  void join(std::uint32_t reader, ReaderCore& core);
  void recover(std::uint32_t reader);
  void read_on(std::uint32_t reader, ReaderCore& core, std::uint64_t pinned, std::uint64_t before);
  void look_at(std::uint32_t reader, std::uint64_t word, std::uint64_t at_least);
  [[nodiscard]] std::uint64_t number_in(std::uint32_t slot);

  LatestSetting setting_;
  internal::LatestWords words_;
  internal::LatestControl<Atomics> control_;
  std::array<std::array<Atomics::Word<std::uint64_t>, internal::kJoinedWords>, 2> joined_;
  std::array<internal::LatestReaderCell<Atomics>, kReadersMax> cells_;
  std::array<Slot, kSlotsMax> slots_;
  // Here, and not on the processes' stacks, which end without unwinding.
  std::array<std::optional<WriterCore>, 2> writers_;
  std::array<Reader, kReadersMax> held_;
  std::uint64_t published_ = 0;
  std::uint32_t left_ = 0;  // readers that left for good
};

}  // namespace kith::explored
