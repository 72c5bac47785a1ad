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

// Shared by a writer object and its one draft, which may outlive it: whoever ends last ends this.
class LatestWriterState {
 public:
  LatestWriterState(const Domain& domain, const LatestRequest& request)
      : channel_(domain, request),
        role_(channel_, request),
        core_(channel_.writer_core()),
        slots_(channel_.slots()) {
    if (core_.last_word() == LatestWords::kIdle) return;
    // What the former writer left, from which counting goes on.
    const auto slot = core_.last_slot();
    if (slot) sequence_ = load_once(slots_.at(*slot).sequence);
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
    draft.bytes_ = {payload_of(slots_.to_write(slot_)), static_cast<std::size_t>(size)};
    drafting_ = true;
    return draft;
  }

  WriteAnswer write(std::span<const std::byte> value) noexcept {
    const WriteAnswer started = start(value.size());
    if (started != WriteAnswer::committed) return started;
    if (!value.empty()) std::memcpy(payload_of(slots_.to_write(slot_)), value.data(), value.size());
    return publish(value.size());
  }

  WriteAnswer commit(std::uint64_t size) noexcept {
    if (!role_.is_ours()) return WriteAnswer::forked;
    return publish(size);
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
    const std::uint64_t size = load_once(slots_.at(*slot).size);
    if (size > slots_.payload_max) return {};  // a stranger wrote here
    return {payload_of(slots_.at(*slot)), static_cast<std::size_t>(size)};
  }
  [[nodiscard]] const LatestChannel& channel() const noexcept { return channel_; }

 private:
  WriteAnswer publish(std::uint64_t size) noexcept {
    LatestSlot& slot = slots_.to_write(slot_);
    slot.sequence = sequence_ + 1;
    slot.size = size;
    slot.committed_ns = channel_.shape().commit_time ? monotonic_now_ns() : 0;
    const bool wake = core_.publish(slot_, sequence_ + 1);
    ++sequence_;
    if (wake) os::futex_add_one_and_wake_all(channel_.control().notify);
    fetch_next_slot();
    return WriteAnswer::committed;
  }

  // A reader may have the next slot's first lines; they are on their way back before the next value
  // is there to be written into them.
  void fetch_next_slot() const noexcept {
    if (const auto next = core_.next_slot()) {
      const LatestSlot& slot = slots_.at(*next);
      __builtin_prefetch(&slot, 1);
      __builtin_prefetch(payload_of(slot), 1);
    }
  }

  WriteAnswer start(std::uint64_t size) noexcept {
    if (!role_.is_ours()) return WriteAnswer::forked;
    if (drafting_) return WriteAnswer::drafting;
    if (size > slots_.payload_max) return WriteAnswer::too_large;
    // relaxed: see GuardedPages.
    if (slots_.lost_pages.load(std::memory_order_relaxed)) return WriteAnswer::damaged;
    const auto slot = core_.choose_slot();
    if (!slot) return WriteAnswer::damaged;
    slot_ = *slot;
    return WriteAnswer::committed;
  }

  LatestChannel channel_;
  HeldWriterRole role_;  // before the core, which reads what the former holder left
  LatestWriterCore<RealAtomics> core_;
  LatestSlots slots_;
  std::uint64_t sequence_ = 0;
  std::uint32_t slot_ = 0;  // chosen, not committed yet
  bool drafting_ = false;
  bool abandoned_ = false;
};

}  // namespace internal

std::optional<std::chrono::steady_clock::time_point> PinnedBytes::commit_time() const noexcept {
  if (reader_ == nullptr) return std::nullopt;
  const std::int64_t committed_ns = load_once(taken_.slot->committed_ns);
  if (committed_ns == 0) return std::nullopt;
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(committed_ns));
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

// Part of every write.
[[gnu::always_inline]] inline internal::LatestWriterState& LatestBytesWriter::state() const {
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

PinnedBytes LatestBytesReader::resume() noexcept {
  return {state(), state().resume()};
}

ReadAnswer LatestBytesReader::read_copy(std::span<std::byte> to, std::uint64_t& size,
                                        Validator valid) {
  const PinnedBytes pinned = acquire();
  if (!pinned) return pinned.answer();
  size = pinned.bytes().size();
  if (size > to.size()) return ReadAnswer::too_small;
  if (size != 0) std::memcpy(to.data(), pinned.bytes().data(), size);
  return !valid || valid(to.first(size)) ? ReadAnswer::value : ReadAnswer::rejected;
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
