// GuardedBytes: bytes with a lock over them, by name or inside your own region: changed in place by
// one at a time, and who comes after one who was killed in there is told.
//
//   GuardedBytes buffer("frame", 4096);                       // in every program, in any order
//   if (auto held = buffer.acquire(Deadline::after(1s))) {    // given back at its end
//     if (held.owner_died()) {                                // its last holder was killed
//       std::ranges::fill(held.bytes(), std::byte{0});        // make it whole
//       static_cast<void>(held.declare_consistent());
//     }
//     held.as<Header>()->count += 1;
//   }
//
//   struct Camera { MutexCell lock; std::array<std::byte, 4096> frame; };   // or in your region
//   GuardedBytes buffer(camera, camera->lock, camera->frame);
//
// The bytes are reached through what acquire() gives, and so not without the lock.
//
// Not for     values that can be copied: Guarded<T> (kith/sync/guarded.hpp) needs no repair. Pages
//             of which readers look at while others write: a channel (kith/channel/latest.hpp).
// States       as a Mutex: free, held, inconsistent, retired. The handle: open; closed or moved
//              from (using it is a broken contract). What is held: yes or no, by its answer.
// Callers      the handle: any thread of any process, also several; what acquire() gives: the
//              thread that acquired it. It keeps the bytes mapped, also where the handle closes
//              first. In a forked child it gives nothing back, and what its parent changes shows
//              through.
// A peer dies  holding it: the next one gets it with `owner_died`, until somebody says that all is
//              well again. Creating: the object is there, whole, or it is not.
// Cost         opening as a Region; then as a Mutex. Memory: the bytes and 4 KiB; inside a region,
//              the bytes and 32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "kith/base/contract.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/shareable.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"
#include "kith/region/region.hpp"
#include "kith/region/rights.hpp"
#include "kith/sync/lock_answer.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/mutex_facts.hpp"

namespace kith {

// Of GuardedBytes, decided by its creator.
struct GuardedBytesOptions {
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

namespace internal {
struct GuardedBytesState;
}  // namespace internal

// The bytes as long as they are held, or the answer why they are not.
class HeldBytes {
 public:
  HeldBytes(HeldBytes&& other) noexcept
      : state_(std::move(other.state_)),
        bytes_(std::exchange(other.bytes_, {})),
        answer_(other.answer_) {}
  HeldBytes& operator=(HeldBytes&& other) noexcept {
    if (this != &other) {
      static_cast<void>(release());
      state_ = std::move(other.state_);
      bytes_ = std::exchange(other.bytes_, {});
      answer_ = other.answer_;
    }
    return *this;
  }
  ~HeldBytes() { static_cast<void>(release()); }

  // What acquire() answered: acquired, owner_died, or why they are not held.
  [[nodiscard]] LockAnswer answer() const noexcept { return answer_; }
  // Held; false also after release().
  explicit operator bool() const noexcept { return state_ != nullptr; }
  // Its last holder died in there, and nobody has said since that all is well again.
  [[nodiscard]] bool owner_died() const noexcept { return answer_ == LockAnswer::owner_died; }

  // No bytes if they are not held. Zero when the object was created.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  // What lies at byte `offset`: a T that means the same in every process. Null if they are not
  // held, or it does not fit there, by size or alignment. Of an object by itself, the first byte
  // lies at a multiple of 64.
  template <class T>
  [[nodiscard]] T* as(std::size_t offset = 0) const noexcept {
    static_assert(require_shareable<T>());
    static_assert(alignof(T) <= 64);
    const bool fits = offset <= bytes_.size() && bytes_.size() - offset >= sizeof(T);
    if (!fits) return nullptr;
    std::byte* const place = bytes_.data() + offset;
    const bool aligned = reinterpret_cast<std::uintptr_t>(place) % alignof(T) == 0;
    return aligned ? reinterpret_cast<T*>(place) : nullptr;
  }

  // All is well again: the next one is told nothing. owner_died: now it is; acquired: it was.
  LockAnswer declare_consistent() noexcept;
  // It cannot be made whole: nobody gets them any more, this one included.
  LockAnswer retire() noexcept;
  // Before the end. not_owner if they are not held, or no more.
  LockAnswer release() noexcept;

 private:
  friend class GuardedBytes;
  explicit HeldBytes(LockAnswer answer) noexcept : answer_(answer) {}
  HeldBytes(std::shared_ptr<internal::GuardedBytesState> state, LockAnswer answer) noexcept;

  std::shared_ptr<internal::GuardedBytesState> state_;  // null if they are not held
  std::span<std::byte> bytes_;
  LockAnswer answer_;
};

class GuardedBytes {
 public:
  // In the standard domain; opened, or created with `size` bytes of zero. Throws Error: wrong_type,
  // with both sizes, if it is there with another one.
  GuardedBytes(const std::string& name, std::uint64_t size, GuardedBytesOptions options = {})
      : GuardedBytes(Domain::standard(), name, size, options) {}
  GuardedBytes(const Domain& domain, const std::string& name, std::uint64_t size,
               GuardedBytesOptions options = {});
  // One that is there, of any size, or will be before the deadline. Throws not_found, timed_out.
  [[nodiscard]] static GuardedBytes open(const Domain& domain, const std::string& name,
                                         Deadline deadline = Deadline::now());

  // Those that lie at `bytes`, under the lock that lies in `cell`, both inside the region. The
  // handle has a mapping of its own. All who use them name the same ones. Throws invalid_argument
  // if either lies elsewhere, if the lock lies among the bytes, or if there are none; orphaned if
  // the region has lost its name.
  GuardedBytes(const RegionHandle& region, const MutexCell& cell, std::span<const std::byte> bytes);

  // Waits for them until the deadline.
  [[nodiscard]] HeldBytes acquire(Deadline deadline) noexcept;
  [[nodiscard]] HeldBytes try_acquire() noexcept { return acquire(Deadline::now()); }

  [[nodiscard]] std::uint64_t size() const noexcept;
  // Of its lock.
  [[nodiscard]] MutexFacts facts() const;
  // Living processes that have it open; of those inside a region, 0: nobody counts.
  [[nodiscard]] std::uint32_t attached() const;
  // When it was created, by the wall clock.
  [[nodiscard]] std::int64_t created_ns() const noexcept;
  // This handle brought it into being; never true inside a region.
  [[nodiscard]] bool created_here() const noexcept;
  // It has lost its name: nobody new will come.
  [[nodiscard]] bool is_orphaned() const noexcept;
  void close() noexcept { state_.reset(); }
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  explicit GuardedBytes(std::shared_ptr<internal::GuardedBytesState> state) noexcept
      : state_(std::move(state)) {}
  [[nodiscard]] internal::GuardedBytesState& state() const noexcept {
    KITH_REQUIRE(state_ != nullptr, "closed or moved-from guarded bytes cannot be used");
    return *state_;
  }

  std::shared_ptr<internal::GuardedBytesState> state_;
};

}  // namespace kith
