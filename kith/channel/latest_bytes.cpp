#include "kith/channel/latest_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kith/base/contract.hpp"
#include "kith/base/error.hpp"
#include "kith/channel/internal/latest_channel.hpp"
#include "kith/channel/internal/latest_guest.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"

namespace kith {
namespace internal {
namespace {

LatestRequest request_for(const std::string& name, std::optional<std::uint64_t> payload_max,
                          const LatestOptions& options, const PayloadType& type) {
  LatestRequest request;
  request.name = name;
  request.fingerprint = type.fingerprint;
  request.type_name = type.name;
  request.payload_max = payload_max;
  request.readers_max = options.readers_max;
  request.commit_time = options.commit_time;
  request.spare_slots = options.spare_slots;
  request.guests_max = options.guests_max;
  request.rights = options.rights;
  request.all_slots_now = options.all_slots_now;
  request.lifetime = options.lifetime;
  request.role = options.role;
  request.deadline = options.deadline;
  return request;
}

std::int64_t monotonic_now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

// A role as long as this lives, unless the process forked meanwhile: then it is the parent's.
class HeldWriterRole {
 public:
  HeldWriterRole(LatestChannel& channel, const LatestRequest& request) : channel_(channel) {
    channel.claim_writer(request.role, request.deadline);
  }
  ~HeldWriterRole() {
    if (process_.same_process()) channel_.release_writer();
  }
  HeldWriterRole(const HeldWriterRole&) = delete;
  HeldWriterRole& operator=(const HeldWriterRole&) = delete;

  [[nodiscard]] bool is_ours() const noexcept { return process_.same_process(); }

 private:
  LatestChannel& channel_;
  os::ProcessCheck process_;
};

class HeldReaderRole {
 public:
  HeldReaderRole(LatestSource& channel, const LatestRequest& request)
      : channel_(channel), claimed_(channel.claim_reader(request.role, request.deadline)) {}
  ~HeldReaderRole() {
    if (process_.same_process()) channel_.release_reader(claimed_.index, retires_);
  }
  HeldReaderRole(const HeldReaderRole&) = delete;
  HeldReaderRole& operator=(const HeldReaderRole&) = delete;

  [[nodiscard]] bool is_ours() const noexcept { return process_.same_process(); }
  [[nodiscard]] std::uint32_t index() const noexcept { return claimed_.index; }
  [[nodiscard]] bool inherited() const noexcept { return claimed_.inherited; }
  void retire() noexcept { retires_ = true; }

 private:
  LatestSource& channel_;
  os::ProcessCheck process_;
  ClaimedRole claimed_;
  bool retires_ = false;
};

// Shared by a writer object and its one draft, which may outlive it: whoever ends last ends this.
class LatestWriterState {
 public:
  LatestWriterState(const Domain& domain, const LatestRequest& request)
      : channel_(domain, request), role_(channel_, request), core_(channel_.writer_core()) {
    if (core_.last_word() == LatestWords::kIdle) return;
    // What the former writer left, from which counting goes on.
    const auto slot = core_.last_slot();
    if (slot) sequence_ = load_once(channel_.slot(*slot)->sequence);
    if (!slot || !core_.words().tags(core_.last_word(), sequence_)) {
      throw Error(Errc::damaged, {.object = channel_.region().object(),
                                  .expected = "a newest value or none",
                                  .found = "words that make no sense",
                                  .remedy = "remove it with `kith rm --force`"});
    }
  }

  DraftBytes draft(std::uint64_t size) noexcept {
    DraftBytes draft;
    draft.answer_ = start(size);
    if (draft.answer_ != WriteAnswer::committed) return draft;
    draft.writer_ = this;
    draft.bytes_ = {channel_.payload_to_write(slot_), static_cast<std::size_t>(size)};
    drafting_ = true;
    return draft;
  }

  WriteAnswer write(std::span<const std::byte> value) noexcept {
    const WriteAnswer started = start(value.size());
    if (started != WriteAnswer::committed) return started;
    if (!value.empty()) std::memcpy(channel_.payload_to_write(slot_), value.data(), value.size());
    return commit(value.size());
  }

  WriteAnswer commit(std::uint64_t size) noexcept {
    if (!role_.is_ours()) return WriteAnswer::forked;
    LatestSlot& slot = *channel_.slot_to_write(slot_);
    slot.sequence = sequence_ + 1;
    slot.size = size;
    slot.committed_ns = channel_.shape().commit_time ? monotonic_now_ns() : 0;
    const bool wake = core_.publish(slot_, sequence_ + 1);
    ++sequence_;
    if (wake) os::futex_add_one_and_wake_all(channel_.control().notify);
    return WriteAnswer::committed;
  }

  // The draft is over, committed or not.
  void end_draft() noexcept {
    drafting_ = false;
    if (abandoned_) delete this;
  }
  // The writer object is gone; a draft that outlives it ends this.
  void abandon() noexcept {
    if (!drafting_) {
      delete this;
    } else {
      abandoned_ = true;
    }
  }

  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  [[nodiscard]] std::span<const std::byte> last() const noexcept {
    const auto slot = core_.last_slot();
    if (!slot) return {};
    const std::uint64_t size = load_once(channel_.slot(*slot)->size);
    if (size > channel_.shape().payload_max) return {};  // a stranger wrote here
    return {channel_.payload(*slot), static_cast<std::size_t>(size)};
  }
  [[nodiscard]] const LatestChannel& channel() const noexcept { return channel_; }

 private:
  WriteAnswer start(std::uint64_t size) noexcept {
    if (!role_.is_ours()) return WriteAnswer::forked;
    if (drafting_) return WriteAnswer::drafting;
    if (size > channel_.shape().payload_max) return WriteAnswer::too_large;
    if (channel_.has_lost_pages()) return WriteAnswer::damaged;
    const auto slot = core_.choose_slot();
    if (!slot) return WriteAnswer::damaged;
    slot_ = *slot;
    return WriteAnswer::committed;
  }

  LatestChannel channel_;
  HeldWriterRole role_;  // before the core, which reads what the former holder left
  LatestWriterCore<RealAtomics> core_;
  std::uint64_t sequence_ = 0;
  std::uint32_t slot_ = 0;  // chosen, not committed yet
  bool drafting_ = false;
  bool abandoned_ = false;
};

// Shared by a reader object and its one guard, which may outlive it: whoever ends last ends this.
class LatestReaderState {
 public:
  LatestReaderState(const Domain& domain, const LatestRequest& request, Inherited inherited)
      : source_(open_for_reading(domain, request)),
        role_(*source_, request),
        core_(source_->newest(), source_->bank(), role_.index(), source_->shape().words()) {
    core_.join();  // before anything is claimed; a pin that was inherited is in view already
    if (!role_.inherited()) return;
    inherited_ = core_.recover();
    if (inherited_ != 0 && inherited == Inherited::let_go) {
      core_.release();
      inherited_ = 0;
    }
  }

  PinnedBytes acquire() noexcept {
    if (guarded_) return refused(ReadAnswer::held);
    inherited_ = 0;  // the first store of the acquisition gives it up
    return take(0);
  }

  PinnedBytes resume() noexcept {
    if (guarded_) return refused(ReadAnswer::held);
    if (!role_.is_ours()) return refused(ReadAnswer::forked);
    if (inherited_ == 0) return refused(ReadAnswer::empty);
    return guard(std::exchange(inherited_, 0));
  }

  ReadAnswer refresh(PinnedBytes& pinned) noexcept {
    const std::uint64_t before = pinned_;
    PinnedBytes fresh = take(pinned_);
    const bool same = fresh && pinned_ == before;
    // The new guard stands for the same claim; the old one must not release it.
    pinned.reader_ = nullptr;
    pinned = std::move(fresh);
    if (same) pinned.answer_ = ReadAnswer::unchanged;
    const ReadAnswer answer = pinned.answer();
    if (!guarded_ && abandoned_) delete this;
    return answer;
  }

  void end_guard() noexcept {
    guarded_ = false;
    pinned_ = 0;
    if (role_.is_ours()) core_.release();
    if (abandoned_) delete this;
  }
  // The reader object is gone.
  void abandon() noexcept {
    if (!guarded_) {
      delete this;
    } else {
      abandoned_ = true;
    }
  }

  [[nodiscard]] bool has_newer() const noexcept { return is_newer(core_.newest()); }
  WaitAnswer wait_newer(Deadline deadline) noexcept;

  void retire_role() noexcept { role_.retire(); }
  [[nodiscard]] const LatestSource& source() const noexcept { return *source_; }

 private:
  [[nodiscard]] bool is_newer(std::uint64_t word) const noexcept {
    return word != LatestWords::kIdle && word != seen_;
  }

  bool sleep(RealAtomics::Word<std::uint32_t>& notify, Deadline deadline) noexcept;
  bool poll(Deadline deadline) noexcept;

  static PinnedBytes refused(ReadAnswer why) noexcept {
    PinnedBytes none;
    none.answer_ = why;
    return none;
  }

  PinnedBytes take(std::uint64_t pinned) noexcept {
    if (!role_.is_ours()) return give_up(ReadAnswer::forked);
    const std::uint64_t word = core_.acquire(pinned);
    if (source_->has_lost_pages()) return give_up(ReadAnswer::damaged);
    if (word == LatestWords::kIdle) return give_up(ReadAnswer::empty);
    return guard(word);
  }

  // A guard over the slot that `word` names, if what stands there makes sense.
  PinnedBytes guard(std::uint64_t word) noexcept {
    const auto index = core_.words().slot_of(word);
    if (!index) return give_up(ReadAnswer::damaged);
    const LatestSlot& slot = *source_->slot(*index);
    // Each number read once, checked, and used from the copy only.
    const std::uint64_t sequence = load_once(slot.sequence);
    const std::uint64_t size = load_once(slot.size);
    const bool sensible = core_.words().tags(word, sequence) && sequence >= sequence_ &&
                          sequence != 0 && size <= source_->shape().payload_max;
    if (!sensible) return give_up(ReadAnswer::damaged);
    guarded_ = true;
    pinned_ = seen_ = word;
    sequence_ = sequence;
    PinnedBytes pinned;
    pinned.reader_ = this;
    pinned.answer_ = ReadAnswer::value;
    pinned.bytes_ = {source_->payload(*index), static_cast<std::size_t>(size)};
    pinned.sequence_ = sequence;
    pinned.committed_ns_ = load_once(slot.committed_ns);
    return pinned;
  }

  PinnedBytes give_up(ReadAnswer why) noexcept {
    if (why != ReadAnswer::forked) core_.release();
    guarded_ = false;
    pinned_ = 0;
    return refused(why);
  }

  std::unique_ptr<LatestSource> source_;
  HeldReaderRole role_;
  LatestReaderCore<RealAtomics> core_;
  std::uint64_t inherited_ = 0;  // word of a former holder's pin, until resumed or given up
  std::uint64_t pinned_ = 0;     // word of what the guard holds
  std::uint64_t seen_ = 0;       // word of the last value given out
  std::uint64_t sequence_ = 0;   // of that value: numbers never go back
  bool guarded_ = false;
  bool abandoned_ = false;
};

WaitAnswer LatestReaderState::wait_newer(Deadline deadline) noexcept {
  using namespace std::chrono_literals;
  // Slices, because a writer may be killed between its commit and its wake, or the file be removed.
  constexpr auto kSlice = 100ms;
  for (;;) {
    if (!role_.is_ours()) return WaitAnswer::forked;
    const Deadline slice_end = deadline.within(kSlice);
    auto* notify = source_->notify();
    if (notify != nullptr ? sleep(*notify, slice_end) : poll(slice_end)) return WaitAnswer::newer;
    if (has_newer()) return WaitAnswer::newer;
    if (deadline.has_passed()) return WaitAnswer::timed_out;
    if (source_->is_orphaned()) return WaitAnswer::orphaned;
  }
}

// True if there is a newer value.
bool LatestReaderState::sleep(RealAtomics::Word<std::uint32_t>& notify,
                              Deadline deadline) noexcept {
  while (!deadline.has_passed()) {
    // seq_cst: our bit, then our look at `latest`; the writer stores `latest`, then looks at the
    // bit. One of the two sees the other.
    const std::uint32_t word = notify.fetch_or(1, std::memory_order_seq_cst) | 1;
    if (is_newer(core_.newest_in_order())) return true;
    os::futex_wait(notify, word, deadline);
  }
  return false;
}

bool LatestReaderState::poll(Deadline deadline) noexcept {
  using namespace std::chrono_literals;
  for (std::chrono::nanoseconds pause = 20us; !deadline.has_passed();
       pause = std::min<std::chrono::nanoseconds>(pause * 2, 1ms)) {
    if (has_newer()) return true;
    os::pause_for(pause, deadline);
  }
  return false;
}

}  // namespace internal

PinnedBytes::PinnedBytes(PinnedBytes&& other) noexcept
    : reader_(std::exchange(other.reader_, nullptr)),
      bytes_(std::exchange(other.bytes_, {})),
      sequence_(other.sequence_),
      committed_ns_(other.committed_ns_),
      answer_(std::exchange(other.answer_, ReadAnswer::empty)) {}

PinnedBytes& PinnedBytes::operator=(PinnedBytes&& other) noexcept {
  if (this != &other) {
    release();
    reader_ = std::exchange(other.reader_, nullptr);
    bytes_ = std::exchange(other.bytes_, {});
    sequence_ = other.sequence_;
    committed_ns_ = other.committed_ns_;
    answer_ = std::exchange(other.answer_, ReadAnswer::empty);
  }
  return *this;
}

PinnedBytes::~PinnedBytes() {
  release();
}

std::optional<std::chrono::steady_clock::time_point> PinnedBytes::commit_time() const noexcept {
  if (committed_ns_ == 0) return std::nullopt;
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(committed_ns_));
}

ReadAnswer PinnedBytes::refresh() noexcept {
  KITH_REQUIRE(reader_ != nullptr, "a guard that holds nothing cannot be refreshed");
  return reader_->refresh(*this);
}

void PinnedBytes::release() noexcept {
  bytes_ = {};
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->end_guard();
}

DraftBytes::DraftBytes(DraftBytes&& other) noexcept
    : writer_(std::exchange(other.writer_, nullptr)),
      bytes_(std::exchange(other.bytes_, {})),
      answer_(other.answer_) {}

DraftBytes& DraftBytes::operator=(DraftBytes&& other) noexcept {
  if (this != &other) {
    if (writer_ != nullptr) writer_->end_draft();
    writer_ = std::exchange(other.writer_, nullptr);
    bytes_ = std::exchange(other.bytes_, {});
    answer_ = other.answer_;
  }
  return *this;
}

DraftBytes::~DraftBytes() {
  if (writer_ != nullptr) writer_->end_draft();
}

WriteAnswer DraftBytes::commit() noexcept {
  KITH_REQUIRE(writer_ != nullptr, "a draft that was refused or committed cannot be committed");
  auto* writer = std::exchange(writer_, nullptr);
  answer_ = writer->commit(std::exchange(bytes_, {}).size());
  writer->end_draft();
  return answer_;
}

LatestBytesWriter::LatestBytesWriter(const Domain& domain, const std::string& name,
                                     std::uint64_t payload_max, const LatestOptions& options,
                                     internal::PayloadType type)
    : state_(new internal::LatestWriterState(
          domain, internal::request_for(name, payload_max, options, type))) {}

LatestBytesWriter::LatestBytesWriter(LatestBytesWriter&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}

LatestBytesWriter& LatestBytesWriter::operator=(LatestBytesWriter&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

LatestBytesWriter::~LatestBytesWriter() {
  close();
}

void LatestBytesWriter::close() noexcept {
  if (state_ != nullptr) std::exchange(state_, nullptr)->abandon();
}

internal::LatestWriterState& LatestBytesWriter::state() const {
  KITH_REQUIRE(state_ != nullptr, "a moved-from writer has no channel");
  return *state_;
}

WriteAnswer LatestBytesWriter::write(std::span<const std::byte> value) noexcept {
  return state().write(value);
}
DraftBytes LatestBytesWriter::draft(std::uint64_t size) noexcept {
  return state().draft(size);
}
std::uint64_t LatestBytesWriter::sequence() const noexcept {
  return state().sequence();
}
std::span<const std::byte> LatestBytesWriter::last() const noexcept {
  return state().last();
}
std::uint64_t LatestBytesWriter::payload_max() const noexcept {
  return state().channel().shape().payload_max;
}
std::uint32_t LatestBytesWriter::readers_joined() const noexcept {
  return state().channel().readers_joined();
}
bool LatestBytesWriter::is_orphaned() const noexcept {
  return state().channel().region().is_orphaned();
}

LatestBytesReader::LatestBytesReader(const Domain& domain, const std::string& name,
                                     const LatestOptions& options, Inherited inherited,
                                     std::optional<std::uint64_t> payload_max,
                                     internal::PayloadType type)
    : state_(new internal::LatestReaderState(
          domain, internal::request_for(name, payload_max, options, type), inherited)) {}

LatestBytesReader::LatestBytesReader(LatestBytesReader&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}

LatestBytesReader& LatestBytesReader::operator=(LatestBytesReader&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

LatestBytesReader::~LatestBytesReader() {
  close();
}

void LatestBytesReader::close() noexcept {
  if (state_ != nullptr) std::exchange(state_, nullptr)->abandon();
}

internal::LatestReaderState& LatestBytesReader::state() const {
  KITH_REQUIRE(state_ != nullptr, "a moved-from reader has no channel");
  return *state_;
}

PinnedBytes LatestBytesReader::acquire() noexcept {
  return state().acquire();
}
PinnedBytes LatestBytesReader::resume() noexcept {
  return state().resume();
}

ReadAnswer LatestBytesReader::read_copy(std::span<std::byte> to, std::uint64_t& size,
                                        const Validator& valid) {
  const PinnedBytes pinned = state().acquire();
  if (!pinned) return pinned.answer();
  size = pinned.bytes().size();
  if (size > to.size()) return ReadAnswer::too_small;
  if (size != 0) std::memcpy(to.data(), pinned.bytes().data(), size);
  return !valid || valid(to.first(size)) ? ReadAnswer::value : ReadAnswer::rejected;
}

bool LatestBytesReader::has_newer() const noexcept {
  return state().has_newer();
}
WaitAnswer LatestBytesReader::wait_newer(Deadline deadline) noexcept {
  return state().wait_newer(deadline);
}
std::uint64_t LatestBytesReader::payload_max() const noexcept {
  return state().source().shape().payload_max;
}
Liveness LatestBytesReader::writer_liveness() const noexcept {
  return state().source().writer_liveness();
}
bool LatestBytesReader::is_orphaned() const noexcept {
  return state().source().is_orphaned();
}
void LatestBytesReader::retire_role() noexcept {
  state().retire_role();
}

}  // namespace kith
