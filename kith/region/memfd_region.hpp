// MemfdRegion: a region without a name, opened by the descriptor of its memfd: for peers that do
// not trust each other, and for memory that must not outlive its users.
//
//   struct Robot { std::atomic<int> speed; std::atomic<int> heading; };
//   auto robot = MemfdRegion<Robot>::create("robot", Writers::creator);
//   socket.send(robot, Deadline::after(1s));                            // a MemorySocket
//
//   auto seen = MemfdRegion<const Robot>::receive(socket, Deadline::after(1s));  // read-only
//   seen->speed.load(std::memory_order_acquire);
//
//   auto frame = MemfdRegion<>::create("frame", 6 << 20);               // plain bytes, zeroed
//
// States       open; moved from (using it is a broken contract). There is no name, so nothing to
//              remove, to be orphaned from, or to open twice by chance: it ends with its last
//              descriptor and mapping in any process.
// Callers      the handle: one thread at a time; the memory: whoever T itself admits.
// A peer dies  creating: nothing is left, at any instruction. Attached: nothing is held. It is
//              filled, stamped and sealed before anybody can see it, so a receiver gets all of it
//              or an error. Who restarts has to be sent it again: keep a descriptor in a process
//              that lives on, or use Region, whose name does.
// Cost         creating about 10 system calls and the pages; opening about 8; use: plain memory.
//              One descriptor a handle.
//
// No peer can make it smaller, so touching it cannot end this process; an opener refuses an
// unsealed one unless it says Sealing::not_needed. With Writers::creator only the mapping of the
// handle that created it (and its forked children's) can write, ever: with them the writing ends.
// What the writers put into T is a stranger's all the same: check it before use. Members, roles and
// channels need a domain, whose objects have names: see Region.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "kith/base/contract.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/fingerprint.hpp"
#include "kith/base/shareable.hpp"
#include "kith/memory/memory_socket.hpp"
#include "kith/region/internal/memfd_file.hpp"
#include "kith/region/region.hpp"

namespace kith {

// Who may write to the region: whoever opens it, or nobody but the handle that created it.
enum class Writers { all, creator };
// What an opener demands of the memory: that nobody can cut it short, or nothing.
enum class Sealing { of_size, not_needed };

// What every such region can be asked.
class MemfdRegionHandle {
 public:
  // Another descriptor of it, to be passed on: yours to close.
  [[nodiscard]] os::Descriptor descriptor() const { return file_.memory.descriptor(); }
  [[nodiscard]] bool is_size_sealed() const { return file_.memory.is_size_sealed(); }
  // Never, if its size is sealed: see RegionHandle::has_lost_pages().
  [[nodiscard]] bool has_lost_pages() const noexcept { return file_.memory.has_lost_pages(); }
  // Process id as its creator knew it, for people.
  [[nodiscard]] std::uint32_t creator_pid() const noexcept { return file_.facts.creator_pid; }
  explicit operator bool() const noexcept { return static_cast<bool>(file_.memory); }

 protected:
  explicit MemfdRegionHandle(internal::MemfdRegionFile file) noexcept : file_(std::move(file)) {}

  static constexpr Seals seals_for(Writers writers) noexcept {
    return {
        .shrink = true, .grow = true, .future_write = writers == Writers::creator, .seal = true};
  }
  static constexpr Seals demanded_for(Sealing sealing) noexcept {
    return {.shrink = sealing == Sealing::of_size};
  }

  internal::MemfdRegionFile file_;
};

// One T, value-initialised; read-only if T is const, and then no write can happen by mistake.
template <class T = Bytes>
class MemfdRegion : public MemfdRegionHandle {
  using Plain = std::remove_const_t<T>;
  static constexpr Access kAccess = std::is_const_v<T> ? Access::read_only : Access::read_write;

 public:
  // `label` is for people who look into /proc: up to 249 bytes.
  [[nodiscard]] static MemfdRegion create(
      const std::string& label, Writers writers = Writers::all) requires(!std::is_const_v<T>) {
    return MemfdRegion(internal::create_memfd_region(label, spec(), seals_for(writers)));
  }
  // The descriptor is duplicated and not consumed. Throws wrong_type (another type, both named, or
  // a missing seal), permission_denied (a T that is not const, and nobody but the creator writes),
  // not_ours, damaged, wrong_version, invalid_argument.
  [[nodiscard]] static MemfdRegion open(int number, Sealing sealing = Sealing::of_size) {
    return MemfdRegion(internal::open_memfd_region(number, spec(), kAccess, demanded_for(sealing)));
  }
  // The next memory that the socket brings. Throws also timed_out and not_found.
  [[nodiscard]] static MemfdRegion receive(const MemorySocket& socket, Deadline deadline,
                                           Sealing sealing = Sealing::of_size) {
    return open(socket.receive_descriptor(deadline).number(), sealing);
  }

  [[nodiscard]] T& operator*() const noexcept { return *get(); }
  [[nodiscard]] T* operator->() const noexcept { return get(); }
  [[nodiscard]] T* get() const noexcept {
    KITH_REQUIRE(file_.memory, "a moved-from region has no content");
    if constexpr (std::is_const_v<T>) {
      return std::launder(reinterpret_cast<T*>(file_.content()));
    } else {
      return std::launder(reinterpret_cast<T*>(file_.writable_content()));
    }
  }

 private:
  explicit MemfdRegion(internal::MemfdRegionFile file) noexcept
      : MemfdRegionHandle(std::move(file)) {}

  static internal::TypeSpec<Plain> spec() {
    internal::TypeSpec<Plain> spec;
    spec.lifetime = Lifetime::until_last_member;
    return spec;
  }
};

namespace internal {

// Plain bytes, with the rights of the face over them.
class MemfdBytes : public MemfdRegionHandle {
 public:
  [[nodiscard]] std::uint64_t size() const noexcept { return file_.facts.content_size; }

 protected:
  using MemfdRegionHandle::MemfdRegionHandle;

  static BytesSpec spec(std::uint64_t size) {
    BytesSpec spec(size);
    spec.lifetime = Lifetime::until_last_member;
    return spec;
  }
  static MemfdRegionFile open_bytes(int number, os::Access access, Sealing sealing) {
    return open_memfd_region(number, spec(0), access, demanded_for(sealing));
  }
};

}  // namespace internal

template <>
class MemfdRegion<Bytes> : public internal::MemfdBytes {
 public:
  [[nodiscard]] static MemfdRegion create(const std::string& label, std::uint64_t size,
                                          Writers writers = Writers::all) {
    return MemfdRegion(internal::create_memfd_region(label, spec(size), seals_for(writers)));
  }
  // Any size; ask size().
  [[nodiscard]] static MemfdRegion open(int number, Sealing sealing = Sealing::of_size) {
    return MemfdRegion(open_bytes(number, Access::read_write, sealing));
  }
  [[nodiscard]] static MemfdRegion receive(const MemorySocket& socket, Deadline deadline,
                                           Sealing sealing = Sealing::of_size) {
    return open(socket.receive_descriptor(deadline).number(), sealing);
  }
  [[nodiscard]] std::span<std::byte> bytes() const noexcept {
    KITH_REQUIRE(file_.memory, "a moved-from region has no content");
    return {file_.writable_content(), static_cast<std::size_t>(size())};
  }

 private:
  using MemfdBytes::MemfdBytes;
};

template <>
class MemfdRegion<const Bytes> : public internal::MemfdBytes {
 public:
  [[nodiscard]] static MemfdRegion open(int number, Sealing sealing = Sealing::of_size) {
    return MemfdRegion(open_bytes(number, Access::read_only, sealing));
  }
  [[nodiscard]] static MemfdRegion receive(const MemorySocket& socket, Deadline deadline,
                                           Sealing sealing = Sealing::of_size) {
    return open(socket.receive_descriptor(deadline).number(), sealing);
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    KITH_REQUIRE(file_.memory, "a moved-from region has no content");
    return {file_.content(), static_cast<std::size_t>(size())};
  }

 private:
  using MemfdBytes::MemfdBytes;
};

}  // namespace kith
