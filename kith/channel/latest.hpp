// Latest value: one process writes, up to 1000 read, and every reader gets the newest whole value.
//
//   struct Pose { double x, y, heading; };
//   LatestWriter<Pose> writer(domain, "pose");              // one process
//   if (writer.write({1, 2, 0.5}) != WriteAnswer::committed) ...;
//
//   LatestReader<Pose> reader(domain, "pose");              // any other, before or after
//   if (auto pose = reader.acquire()) use(pose->x, pose.sequence());   // in place, nothing copied
//
// Options and answers (LatestOptions, WriteAnswer, ReadAnswer, Inherited) are in latest_bytes.hpp.
// Use it for state of which only the newest matters: poses, quotes, frames, settings. Not for
// events that must all arrive: an old value is gone once nobody holds it.
//
// States       a channel: nothing written yet -> a value, then newer ones, for good. A reader holds
//              nothing -> a value (acquire) -> nothing (the guard ends). One guard a reader:
//              acquire() while it lives answers `held`; Pinned::refresh() moves it to the newest.
// Callers      a writer or reader object: one thread at a time. Either side may come first. A
//              second writer is refused by the name of the first.
// A peer dies  the writer: its last committed value stays, a half-written one is never seen, its
//              role is free at once. A reader: what it held stays held for its *named* role, whose
//              next holder may resume it, and is given back for an unnamed one. A stopped peer
//              disturbs nobody: no call here waits for another process.
// Cost         read: one exchange, two loads, one store, and the guard's end a store; an unchanged
//              value: one load. Write: your copy, one exchange, one load for each joined reader. No
//              system call, unless a reader sleeps in wait_newer(). Memory: two values, and one per
//              reader joined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "kith/base/contract.hpp"
#include "kith/base/error.hpp"
#include "kith/base/fingerprint.hpp"
#include "kith/base/function_ref.hpp"
#include "kith/base/shareable.hpp"
#include "kith/channel/latest_bytes.hpp"

namespace kith {

namespace internal {

template <class T>
[[nodiscard]] PayloadType payload_type() {
  require_message<T>();
  static_assert(alignof(T) <= 64, "a message of this alignment cannot lie in a slot");
  return {fingerprint<T>(), type_name<T>()};
}

}  // namespace internal

// A message in place, held as long as this lives. Move-only; may outlive its reader.
template <class T>
class Pinned {
 public:
  Pinned() noexcept = default;
  explicit Pinned(PinnedBytes bytes) noexcept : bytes_(std::move(bytes)) {}
  // The next value of a reader, made in place: moving it would cost as much as the read.
  [[gnu::always_inline]] explicit Pinned(LatestBytesReader& reader) noexcept
      : bytes_(reader.acquire()) {}

  explicit operator bool() const noexcept { return static_cast<bool>(bytes_); }
  [[nodiscard]] ReadAnswer answer() const noexcept { return bytes_.answer(); }
  [[nodiscard]] const T& operator*() const noexcept { return *get(); }
  [[nodiscard]] const T* operator->() const noexcept { return get(); }
  // Null if nothing is held.
  [[nodiscard]] const T* get_if() const noexcept { return *this ? get() : nullptr; }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return bytes_.sequence(); }
  [[nodiscard]] auto commit_time() const noexcept { return bytes_.commit_time(); }
  // Moves on to the newest value: `value`, `unchanged`, or an error, after which nothing is held.
  ReadAnswer refresh() noexcept { return bytes_.refresh(); }
  void release() noexcept { bytes_.release(); }

 private:
  [[nodiscard]] const T* get() const noexcept {
    KITH_REQUIRE(bytes_, "a guard that holds nothing has no value");
    return reinterpret_cast<const T*>(bytes_.bytes().data());
  }

  PinnedBytes bytes_;
};

// A T to fill in place, invisible until commit(). It holds zeros or an older value at first.
template <class T>
class Draft {
 public:
  explicit Draft(DraftBytes bytes) noexcept : bytes_(std::move(bytes)) {}

  explicit operator bool() const noexcept { return static_cast<bool>(bytes_); }
  [[nodiscard]] WriteAnswer answer() const noexcept { return bytes_.answer(); }
  [[nodiscard]] T& operator*() const noexcept { return *get(); }
  [[nodiscard]] T* operator->() const noexcept { return get(); }
  WriteAnswer commit() noexcept { return bytes_.commit(); }

 private:
  [[nodiscard]] T* get() const noexcept {
    KITH_REQUIRE(bytes_, "a draft that was refused or committed cannot be filled");
    return reinterpret_cast<T*>(bytes_.bytes().data());
  }

  DraftBytes bytes_;
};

template <class T>
class LatestWriter {
 public:
  // Creates the channel if it is not there. Throws Error: role_taken, wrong_type, no_space, ...
  LatestWriter(const Domain& domain, const std::string& name, const LatestOptions& options = {})
      : bytes_(domain, name, sizeof(T), options, internal::payload_type<T>()) {}

  WriteAnswer write(const T& value) noexcept {
    return bytes_.write(std::as_bytes(std::span<const T, 1>(&value, 1)));
  }
  [[nodiscard]] Draft<T> draft() noexcept { return Draft<T>(bytes_.draft()); }

  // The number of the last committed value, 0 before the first; a predecessor's after a restart.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return bytes_.sequence(); }
  // The last committed value, in place; valid until the next commit. Null before the first.
  [[nodiscard]] const T* last() const noexcept {
    const auto bytes = bytes_.last();
    return bytes.empty() ? nullptr : reinterpret_cast<const T*>(bytes.data());
  }
  [[nodiscard]] std::uint32_t readers_joined() const noexcept { return bytes_.readers_joined(); }
  [[nodiscard]] bool is_orphaned() const noexcept { return bytes_.is_orphaned(); }

 private:
  LatestBytesWriter bytes_;
};

template <class T>
class LatestReader {
 public:
  // Creates the channel if it is not there. Throws Error: table_full, role_taken, wrong_type, ...
  LatestReader(const Domain& domain, const std::string& name, const LatestOptions& options = {},
               Inherited inherited = Inherited::let_go)
      : bytes_(domain, name, options, inherited, sizeof(T), internal::payload_type<T>()) {}

  // Holds the newest value.
  [[nodiscard, gnu::always_inline]] Pinned<T> acquire() noexcept { return Pinned<T>(bytes_); }
  // With Inherited::resume: the message that the role's former holder held, intact; once.
  [[nodiscard]] Pinned<T> resume() noexcept { return Pinned<T>(bytes_.resume()); }
  // Copies the newest value out, then asks `valid` about the copy.
  ReadAnswer read_copy(T& to, FunctionRef<bool(const T&)> valid = {}) {
    std::uint64_t size = 0;
    const auto bytes = std::as_writable_bytes(std::span<T, 1>(&to, 1));
    if (!valid) return bytes_.read_copy(bytes, size);
    return bytes_.read_copy(bytes, size, [&](std::span<const std::byte>) { return valid(to); });
  }
  [[nodiscard]] bool has_newer() const noexcept { return bytes_.has_newer(); }
  WaitAnswer wait_newer(Deadline deadline) noexcept { return bytes_.wait_newer(deadline); }
  [[nodiscard]] Liveness writer_liveness() const noexcept { return bytes_.writer_liveness(); }
  [[nodiscard]] bool is_orphaned() const noexcept { return bytes_.is_orphaned(); }
  void retire_role() noexcept { bytes_.retire_role(); }

 private:
  LatestBytesReader bytes_;
};

}  // namespace kith
