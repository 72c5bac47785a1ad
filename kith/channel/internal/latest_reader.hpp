// LatestReaderState: one reader of a channel, shared by the reader object and its one guard, which
// may outlive it: whoever ends last ends this. What a read needs stands here, to be compiled into
// the caller; what is done once or rarely in latest_reader.cpp.
#pragma once

#include <cstdint>
#include <utility>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/channel/internal/latest_core.hpp"
#include "kith/channel/internal/latest_slots.hpp"
#include "kith/channel/latest_answers.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"

namespace kith {

class Domain;
enum class Inherited;

namespace internal {

struct LatestRequest;
class LatestSource;

// What an acquisition gave: a slot that is pinned, and what was read of its header and checked; or
// no slot, and why.
struct LatestTaken {
  const LatestSlot* slot = nullptr;
  std::uint64_t size = 0;
  std::uint64_t sequence = 0;
  ReadAnswer answer = ReadAnswer::empty;
};

class LatestReaderState {
 public:
  // Opens the channel and takes the role. Throws Error.
  LatestReaderState(const Domain& domain, const LatestRequest& request, Inherited inherited);

  [[gnu::always_inline]] LatestTaken acquire() noexcept {
    if (pinned_ != 0) [[unlikely]]
      return refused(ReadAnswer::held);
    return take();
  }

  // Once, and only before anything was acquired, which gives the inherited message up.
  LatestTaken resume() noexcept;

  // The guard's value is the newest; also false if the guard is the parent's.
  [[nodiscard]] bool is_newest() const noexcept {
    return process_.same_process() && core_.newest() == pinned_;
  }
  // Moves the one guard on; null if it holds nothing any more.
  LatestReaderState* refresh(LatestTaken& taken) noexcept;

  void end_guard() noexcept {
    pinned_ = 0;
    if (process_.same_process()) core_.release();
    if (abandoned_) [[unlikely]]
      end();
  }
  // The reader object is gone.
  void abandon() noexcept;

  [[nodiscard]] bool has_newer() const noexcept { return is_newer(core_.newest()); }
  WaitAnswer wait_newer(Deadline deadline) noexcept;

  void retire_role() noexcept { retires_ = true; }
  [[nodiscard]] const LatestSource& source() const noexcept { return *source_; }

 private:
  ~LatestReaderState();

  [[nodiscard]] bool is_newer(std::uint64_t word) const noexcept {
    return word != LatestWords::kIdle && word != seen_;
  }
  static LatestTaken refused(ReadAnswer why) noexcept { return {nullptr, 0, 0, why}; }

  // Where the value that `word` names must be, and its tag; no slot for nonsense.
  struct Place {
    const LatestSlot* slot;
    std::uint64_t tag;
  };
  [[nodiscard]] Place place_of(std::uint64_t word) const noexcept {
    const std::uint64_t index = core_.words().slot_number(word);
    const bool exists = index < core_.words().slots();
    return {exists ? &slots_.at(index) : nullptr, core_.words().tag_of(word)};
  }

  [[gnu::always_inline]] LatestTaken take() noexcept {
    if (!process_.same_process()) [[unlikely]]
      return give_up(ReadAnswer::forked);
    // Nothing after the exchange in acquire() runs before it: what can be known is made ready.
    const std::uint64_t likely = core_.newest();
    const Place there = place_of(likely);
    const std::uint64_t word = core_.acquire(pinned_, likely);
    if (word == likely) [[likely]]
      return hold(word, there);
    return hold(word, place_of(word));
  }

  // The slot that `word` names, now pinned, if what stands there makes sense.
  [[gnu::always_inline]] LatestTaken hold(std::uint64_t word, const Place& place) noexcept {
    if (place.slot == nullptr) [[unlikely]]
      return give_up(word == LatestWords::kIdle ? ReadAnswer::empty : ReadAnswer::damaged);
    // Each number read once, checked, and used from the copy only.
    const std::uint64_t sequence = load_once(place.slot->sequence);
    const std::uint64_t size = load_once(place.slot->size);
    // relaxed: see GuardedPages; asked after the slot was touched.
    const bool sensible = core_.words().tag_for(sequence) == place.tag && sequence >= least_ &&
                          size <= slots_.payload_max &&
                          !slots_.lost_pages.load(std::memory_order_relaxed);
    if (!sensible) [[unlikely]]
      return give_up(ReadAnswer::damaged);
    pinned_ = seen_ = word;
    least_ = sequence;
    return {place.slot, size, sequence, ReadAnswer::value};
  }

  // A std::unique_ptr, but <memory> would cost every user a tenth of a second to compile.
  class OwnedSource {
   public:
    explicit OwnedSource(LatestSource* source) noexcept : source_(source) {}
    OwnedSource(const OwnedSource&) = delete;
    OwnedSource& operator=(const OwnedSource&) = delete;
    ~OwnedSource();
    [[nodiscard]] LatestSource& operator*() const noexcept { return *source_; }
    [[nodiscard]] LatestSource* operator->() const noexcept { return source_; }

   private:
    LatestSource* source_;
  };

  LatestTaken give_up(ReadAnswer why) noexcept;
  void end() noexcept;
  os::Slept sleep(RealAtomics::Word<std::uint32_t>& notify, Deadline deadline) noexcept;
  os::Slept poll(Deadline deadline) noexcept;

  OwnedSource source_;
  ClaimedRole role_;
  bool retires_ = false;
  bool abandoned_ = false;
  os::ProcessCheck process_;
  LatestReaderCore<RealAtomics> core_;
  LatestSlots slots_;
  std::uint64_t inherited_ = 0;  // word of a former holder's pin; counts while nothing was acquired
  std::uint64_t pinned_ = 0;     // word of what the guard holds; 0 if there is no guard
  std::uint64_t seen_ = 0;       // word of the last value given out
  std::uint64_t least_ = 1;      // its sequence number: they never go back
};

}  // namespace internal
}  // namespace kith
