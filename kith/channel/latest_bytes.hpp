// Latest value over bytes: the forms of kith/channel/latest.hpp for values whose size is known only
// at run time, from one byte up to the payload_max that the channel was created with (1 TiB at
// most).
//
//   LatestBytesWriter camera(domain, "camera", 6 << 20);
//   auto draft = camera.draft();                       // fill in place, nothing is copied
//   grab_frame(draft.bytes());
//   if (draft.commit() != WriteAnswer::committed) ...;
//
//   LatestBytesReader viewer(domain, "camera", {.role = "viewer"});
//   if (auto frame = viewer.acquire()) show(frame.bytes());
//
// States, callers, what happens when a peer dies and costs: as latest.hpp says.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "kith/base/contract.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/function_ref.hpp"
#include "kith/channel/internal/latest_reader.hpp"
#include "kith/channel/latest_answers.hpp"
#include "kith/member/member_id.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"

namespace kith {

// What a program asks of a channel. An empty optional accepts what is there and, when creating,
// means the default; a value that differs from what is there is an error (wrong_type).
struct LatestOptions {
  std::optional<std::uint32_t>
      readers_max{};                  // 16; up to 1000. Costs address space until they join
  std::optional<bool> commit_time{};  // no; keep when each value was committed
  // 0; slots beyond the fewest that the writer needs. With R of them it looks at the readers once
  // in R + 1 writes, which pays with many readers.
  std::optional<std::uint32_t> spare_slots{};
  bool all_slots_now = false;  // creating: allocate for all readers at once
  // Creating: who may use it beside its owner; as the domain gives if nothing is said. 0660 and a
  // group: its members may do everything. 0640 and a group: its members are guests, who read and
  // can neither change nor hold up what they read.
  Rights rights{};
  std::optional<std::uint32_t> guests_max{};    // 4 where the rights let somebody only read
  Lifetime lifetime = Lifetime::until_removed;  // creating
  // A name that survives its holder: `kith ls` shows it, and a restarted process that claims it
  // finds what the dead one held. Empty: the role ends with its holder.
  std::string role{};
  // How long to wait for a role that a living process holds; and for the channel itself, where a
  // reader of bytes names no size and so cannot create it. A process stopped in the microseconds in
  // which it takes a role of this channel makes others wait up to a second, whatever this says.
  Deadline deadline = Deadline::now();
};

namespace internal {

class LatestWriterState;

// The stamp of a typed channel; bytes have none.
struct PayloadType {
  std::uint64_t fingerprint = 0;
  std::string_view name{};
};

}  // namespace internal

// A message in place, held as long as this lives: the writer goes elsewhere. Move-only. May outlive
// its reader object.
class PinnedBytes {
 public:
  PinnedBytes() noexcept = default;
  PinnedBytes(PinnedBytes&& other) noexcept
      : reader_(std::exchange(other.reader_, nullptr)),
        taken_(std::exchange(other.taken_, internal::LatestTaken())) {}
  PinnedBytes& operator=(PinnedBytes&& other) noexcept {
    if (this != &other) {
      release();
      reader_ = std::exchange(other.reader_, nullptr);
      taken_ = std::exchange(other.taken_, internal::LatestTaken());
    }
    return *this;
  }
  ~PinnedBytes() {
    if (reader_ != nullptr) reader_->end_guard();
  }

  // True if it holds a value; otherwise answer() says why not.
  explicit operator bool() const noexcept { return reader_ != nullptr; }
  [[nodiscard]] ReadAnswer answer() const noexcept { return taken_.answer; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    if (reader_ == nullptr) return {};
    return {payload_of(*taken_.slot), static_cast<std::size_t>(taken_.size)};
  }
  // Counts the channel's values from 1; grows by one with each write, across writers' restarts.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return taken_.sequence; }
  // When it was committed, if the channel keeps commit times.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> commit_time() const noexcept;

  // Moves on to the newest value, giving up this one: `value`, `unchanged`, or an error, after
  // which nothing is held.
  ReadAnswer refresh() noexcept {
    KITH_REQUIRE(reader_ != nullptr, "a guard that holds nothing cannot be refreshed");
    if (!reader_->is_newest())
      reader_ = reader_->refresh(taken_);
    else
      taken_.answer = ReadAnswer::unchanged;
    return taken_.answer;
  }
  void release() noexcept {
    if (reader_ != nullptr) std::exchange(reader_, nullptr)->end_guard();
  }

 private:
  friend class LatestBytesReader;

  [[gnu::always_inline]] PinnedBytes(internal::LatestReaderState& reader,
                                     const internal::LatestTaken& taken) noexcept
      : reader_(taken.slot != nullptr ? &reader : nullptr), taken_(taken) {}

  internal::LatestReaderState* reader_ = nullptr;
  internal::LatestTaken taken_;
};

// A slot to fill in place, invisible until commit(). Abandoned if it ends without. May outlive its
// writer object, whose role it then keeps.
class DraftBytes {
 public:
  DraftBytes() noexcept = default;
  DraftBytes(DraftBytes&& other) noexcept;
  DraftBytes& operator=(DraftBytes&& other) noexcept;
  ~DraftBytes();

  explicit operator bool() const noexcept { return writer_ != nullptr; }
  // `committed` while it can be filled; otherwise why there is no draft.
  [[nodiscard]] WriteAnswer answer() const noexcept { return answer_; }
  // Holds zeros or an older value; as long as payload_max or as asked for.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  WriteAnswer commit() noexcept;

 private:
  friend class internal::LatestWriterState;

  internal::LatestWriterState* writer_ = nullptr;
  std::span<std::byte> bytes_;
  WriteAnswer answer_ = WriteAnswer::drafting;
};

// The writer of values of any size up to payload_max bytes.
class LatestBytesWriter {
 public:
  // Creates the channel if it is not there. Throws Error: role_taken, wrong_type, no_space, ...
  LatestBytesWriter(const Domain& domain, const std::string& name, std::uint64_t payload_max,
                    const LatestOptions& options = {}, internal::PayloadType type = {});
  LatestBytesWriter(LatestBytesWriter&& other) noexcept;
  LatestBytesWriter& operator=(LatestBytesWriter&& other) noexcept;
  ~LatestBytesWriter();

  // Copies `value` in and commits it.
  WriteAnswer write(std::span<const std::byte> value) noexcept;
  // Room for `size` bytes, or for the most the channel takes. One draft at a time.
  [[nodiscard]] DraftBytes draft(std::uint64_t size) noexcept;
  [[nodiscard]] DraftBytes draft() noexcept { return draft(payload_max()); }

  // The number of the last committed value, 0 before the first. A restarted writer finds its
  // predecessor's here, and that value in last().
  [[nodiscard]] std::uint64_t sequence() const noexcept;
  // The last committed value, in place; valid until the next commit. Empty before the first.
  [[nodiscard]] std::span<const std::byte> last() const noexcept;
  [[nodiscard]] std::uint64_t payload_max() const noexcept;
  [[nodiscard]] std::uint32_t readers_joined() const noexcept;
  // The channel was removed, or replaced by one of the same name: nobody new will read this.
  [[nodiscard]] bool is_orphaned() const noexcept;

 private:
  [[nodiscard]] internal::LatestWriterState& state() const;
  void close() noexcept;

  // Owned together with a draft that may outlive this; see LatestWriterState.
  internal::LatestWriterState* state_ = nullptr;
};

// What becomes of a message that the former holder of a named reader's role held when it died.
enum class Inherited {
  let_go,  // the new holder begins with empty hands
  resume,  // the new holder gets it from LatestBytesReader::resume()
};

// A reader of values of any size.
class LatestBytesReader {
 public:
  // Waits for the channel until the deadline of `options`. With `payload_max` it creates a channel
  // that is not there. Throws Error: timed_out, table_full, role_taken, wrong_type, no_space, ...
  LatestBytesReader(const Domain& domain, const std::string& name,
                    const LatestOptions& options = {}, Inherited inherited = Inherited::let_go,
                    std::optional<std::uint64_t> payload_max = {}, internal::PayloadType type = {});
  LatestBytesReader(LatestBytesReader&& other) noexcept;
  LatestBytesReader& operator=(LatestBytesReader&& other) noexcept;
  ~LatestBytesReader();

  // Holds the newest value.
  [[nodiscard, gnu::always_inline]] PinnedBytes acquire() noexcept {
    return {state(), state().acquire()};
  }
  // With Inherited::resume: the message that the role's former holder held, intact; once.
  [[nodiscard]] PinnedBytes resume() noexcept;
  // Copies the newest value and its size out, then asks `valid` about the copy: for writers one
  // does not trust, who might change a message while it is read in place.
  using Validator = FunctionRef<bool(std::span<const std::byte>)>;
  ReadAnswer read_copy(std::span<std::byte> to, std::uint64_t& size, Validator valid = {});

  // True if there is a newer value than the last one this reader got. One load.
  [[nodiscard]] bool has_newer() const noexcept { return state().has_newer(); }
  // Sleeps until there is, or the deadline, or until the channel is found removed; also until a
  // signal is handled, if the deadline is interruptible. A writer killed in the instant between its
  // commit and its wake delays the answer by up to a tenth of a second. A guest, who must not make
  // the writer wake it, looks again after pauses of up to a millisecond.
  WaitAnswer wait_newer(Deadline deadline) noexcept;

  [[nodiscard]] std::uint64_t payload_max() const noexcept;
  // dead also means that there is no writer at all.
  [[nodiscard]] Liveness writer_liveness() const noexcept;
  [[nodiscard]] bool is_orphaned() const noexcept;
  // Ends a named role for good, instead of leaving it vacant for the next process of that name.
  void retire_role() noexcept;

 private:
  [[nodiscard]] internal::LatestReaderState& state() const {
    KITH_REQUIRE(state_ != nullptr, "a moved-from reader has no channel");
    return *state_;
  }
  void close() noexcept;

  // Owned together with a guard that may outlive this; see LatestReaderState.
  internal::LatestReaderState* state_ = nullptr;
};

}  // namespace kith
