// Region: memory with a name, a header and a promise: complete from the first instant it can be
// seen, checked when it is opened, gone by rules that hold when its users are killed.
//
//   struct Robot { std::atomic<int> speed; std::atomic<int> heading; };
//   const Domain domain = Domain::standard();
//   auto robot = Region<Robot>::open_or_create(domain, "robot");       // in both programs
//   robot->speed.store(3, std::memory_order_release);
//
//   auto frame = Region<>::create(domain, "frame", 6 << 20);           // plain bytes, zeroed
//   std::span<std::byte> bytes = frame.bytes();
//
// Use it for state that lives in place. To hand whole values from one process to others take a
// channel (kith/channel/latest.hpp); a plain `int` in a Region is a data race (docs/types.md).
//
// States       open; orphaned (the name is gone or stands for a newer object: the memory stays
//              valid, is_orphaned() says so, reattach() finds the newer one); closed or moved from
//              (using it is a broken contract).
// Callers      the handle: one thread at a time; the memory: whoever T itself admits.
// A peer dies  creating: a killed creator leaves nothing. Attached: nothing is held but the locks
//              that the kernel drops. A forked child inherits the memory; the lifetime rules stay
//              with the parent.
// Cost         creating about 60 us plus the pages; opening about 30 us; use: plain memory. No
//              descriptor is kept (on overlayfs, one or two).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "kith/base/contract.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/error.hpp"
#include "kith/base/fingerprint.hpp"
#include "kith/base/shareable.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/internal/mapped_region.hpp"
#include "kith/region/lifetime.hpp"

namespace kith {

struct RegionOptions {
  Lifetime lifetime = Lifetime::until_removed;  // decided by the creator
  Deadline deadline = Deadline::now();          // opening: how long to wait for it to be created
  Rights rights{};  // creating: who may use it, 0600 or 0660 and a group; else as the domain gives
};

// Stands for "no type": Region<> is a region of bytes.
struct Bytes;

namespace internal {

template <class T>
struct TypeSpec final : RegionSpec {
  TypeSpec() {
    require_shareable<T>();
    static_assert(alignof(T) <= kRegionHeaderSize);
    kind = "type";
    fingerprint = kith::fingerprint<T>();
    type_name = kith::type_name<T>();
    content_size = sizeof(T);
  }
  void fill(std::byte* content) const override { ::new (static_cast<void*>(content)) T(); }
};

}  // namespace internal

// Removes the object `name`, of any kind. Throws Error if the file is not ours or rights are
// missing; with Force::yes its users keep their mapping and are told `orphaned`.
[[nodiscard]] inline Removal remove_object(const Domain& domain, const std::string& name,
                                           Force force = Force::no) {
  const Removal removal = internal::remove_region(domain, name, force);
  if (removal == Removal::removed) internal::tidy_domain(domain);
  return removal;
}

// What every region handle can be asked.
class RegionHandle {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return region_.name(); }
  [[nodiscard]] const Domain& domain() const noexcept { return region_.domain(); }
  // This handle brought the region into being (open_or_create tells you so).
  [[nodiscard]] bool created_here() const noexcept { return region_.created_here(); }
  // The name is gone or stands for a newer object, or the creator it was to live with is dead.
  [[nodiscard]] bool is_orphaned() const noexcept { return region_.is_orphaned(); }
  // A peer cut the file short and guard_truncation() put zeros in its place.
  [[nodiscard]] bool has_lost_pages() const noexcept { return region_.has_lost_pages(); }
  // The file itself, a descriptor that is yours to close. Throws orphaned.
  [[nodiscard]] int open_descriptor() const { return region_.reopen().release(); }
  void close() noexcept { region_.close(); }
  explicit operator bool() const noexcept { return static_cast<bool>(region_); }
  // For objects that lie in it.
  [[nodiscard]] const internal::MappedRegion& mapped() const noexcept { return region_; }

 protected:
  explicit RegionHandle(internal::MappedRegion region) noexcept : region_(std::move(region)) {}

  internal::MappedRegion region_;
};

// One T, in place, value-initialised (so zero unless its members say otherwise) before anybody
// can see it.
template <class T = Bytes>
class Region : public RegionHandle {
 public:
  // Throws already_exists if the name is taken; the text tells whether its owner lives.
  [[nodiscard]] static Region create(const Domain& domain, const std::string& name,
                                     RegionOptions options = {}) {
    return Region(internal::MappedRegion::create(domain, name, spec(options)));
  }
  // Throws not_found (timed_out if it waited), wrong_type with both types named.
  [[nodiscard]] static Region open(const Domain& domain, const std::string& name,
                                   RegionOptions options = {}) {
    return Region(internal::MappedRegion::open(domain, name, spec(options), options.deadline));
  }
  [[nodiscard]] static Region open_or_create(const Domain& domain, const std::string& name,
                                             RegionOptions options = {}) {
    return Region(
        internal::MappedRegion::open_or_create(domain, name, spec(options), options.deadline));
  }

  [[nodiscard]] T& operator*() const noexcept { return *get(); }
  [[nodiscard]] T* operator->() const noexcept { return get(); }
  [[nodiscard]] T* get() const noexcept {
    KITH_REQUIRE(region_, "a closed or moved-from region has no content");
    return std::launder(reinterpret_cast<T*>(region_.content()));
  }
  // If orphaned, opens what bears the name now; the old memory goes. Throws as open does, and then
  // keeps it.
  void reattach(Deadline deadline) {
    if (!is_orphaned()) return;
    region_ = internal::MappedRegion::open(domain(), name(), spec({}), deadline);
  }

 private:
  explicit Region(internal::MappedRegion region) noexcept : RegionHandle(std::move(region)) {}

  static internal::TypeSpec<T> spec(const RegionOptions& options) {
    internal::TypeSpec<T> spec;
    spec.lifetime = options.lifetime;
    spec.rights = options.rights;
    return spec;
  }
};

template <>
class Region<Bytes> : public RegionHandle {
 public:
  [[nodiscard]] static Region create(const Domain& domain, const std::string& name,
                                     std::uint64_t size, RegionOptions options = {}) {
    return Region(internal::MappedRegion::create(domain, name, spec(name, size, options)));
  }
  // Any size; ask size().
  [[nodiscard]] static Region open(const Domain& domain, const std::string& name,
                                   RegionOptions options = {}) {
    return Region(internal::MappedRegion::open(domain, name, any_size(), options.deadline));
  }
  // Throws wrong_type if it is there with another size.
  [[nodiscard]] static Region open_or_create(const Domain& domain, const std::string& name,
                                             std::uint64_t size, RegionOptions options = {}) {
    return Region(internal::MappedRegion::open_or_create(domain, name, spec(name, size, options),
                                                         options.deadline));
  }

  [[nodiscard]] std::span<std::byte> bytes() const noexcept {
    KITH_REQUIRE(region_, "a closed or moved-from region has no content");
    return {region_.content(), static_cast<std::size_t>(region_.content_size())};
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return region_.content_size(); }
  void reattach(Deadline deadline) {
    if (!is_orphaned()) return;
    region_ = internal::MappedRegion::open(domain(), name(), any_size(), deadline);
  }

 private:
  explicit Region(internal::MappedRegion region) noexcept : RegionHandle(std::move(region)) {}

  static internal::BytesSpec any_size() { return internal::BytesSpec(0); }
  static internal::BytesSpec spec(const std::string& name, std::uint64_t size,
                                  const RegionOptions& options) {
    internal::require_bytes(name, size);
    internal::BytesSpec spec(size);
    spec.lifetime = options.lifetime;
    spec.rights = options.rights;
    return spec;
  }
};

}  // namespace kith
