// MappedBytes: what every kind of memory is once it is open. Public base of all of them; see
// kith/memory/memory.hpp for what its members promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "kith/os/mapping.hpp"
#include "kith/os/truncation_guard.hpp"

namespace kith::internal {

class MappedBytes {
 public:
  MappedBytes() noexcept = default;
  MappedBytes(os::Mapping mapping, os::FileIdentity identity, os::Access access) noexcept
      : mapping_(std::move(mapping)), pages_(mapping_), identity_(identity), access_(access) {}
  MappedBytes(MappedBytes&&) noexcept = default;
  MappedBytes& operator=(MappedBytes&& other) noexcept {
    if (this != &other) {
      pages_.end();  // before what it guards
      mapping_ = std::move(other.mapping_);
      pages_ = std::move(other.pages_);
      identity_ = other.identity_;
      access_ = other.access_;
    }
    return *this;
  }
  ~MappedBytes() = default;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return mapping_.bytes(); }
  [[nodiscard]] std::span<std::byte> writable_bytes() const noexcept {
    return is_writable() ? mapping_.bytes() : std::span<std::byte>();
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return mapping_.size(); }
  [[nodiscard]] bool is_writable() const noexcept {
    return mapping_ && access_ == os::Access::read_write;
  }
  // A peer cut the file short, and guard_truncation() (kith/region/truncation.hpp) put zeros in the
  // place of pages that this process then touched.
  [[nodiscard]] bool has_lost_pages() const noexcept { return pages_.lost(); }
  // False when moved from.
  explicit operator bool() const noexcept { return static_cast<bool>(mapping_); }

  [[nodiscard]] const os::FileIdentity& identity() const noexcept { return identity_; }
  [[nodiscard]] os::Access access() const noexcept { return access_; }

 protected:
  [[nodiscard]] const os::Mapping& mapping() const noexcept { return mapping_; }

 private:
  os::Mapping mapping_;
  os::GuardedPages pages_;  // after what it guards, so that it ends first
  os::FileIdentity identity_;
  os::Access access_ = os::Access::read_only;
};

}  // namespace kith::internal
