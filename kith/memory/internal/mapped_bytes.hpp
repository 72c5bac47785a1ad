// MappedBytes: what every kind of memory is once it is open. Public base of all of them; see
// kith/memory/memory.hpp for what its members promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "kith/os/mapping.hpp"

namespace kith::internal {

class MappedBytes {
 public:
  MappedBytes() noexcept = default;
  MappedBytes(os::Mapping mapping, os::FileIdentity identity, os::Access access) noexcept
      : mapping_(std::move(mapping)), identity_(identity), access_(access) {}

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return mapping_.bytes(); }
  [[nodiscard]] std::span<std::byte> writable_bytes() const noexcept {
    return is_writable() ? mapping_.bytes() : std::span<std::byte>();
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return mapping_.size(); }
  [[nodiscard]] bool is_writable() const noexcept {
    return mapping_ && access_ == os::Access::read_write;
  }
  // False when moved from.
  explicit operator bool() const noexcept { return static_cast<bool>(mapping_); }

  [[nodiscard]] const os::FileIdentity& identity() const noexcept { return identity_; }
  [[nodiscard]] os::Access access() const noexcept { return access_; }

 protected:
  [[nodiscard]] const os::Mapping& mapping() const noexcept { return mapping_; }

 private:
  os::Mapping mapping_;
  os::FileIdentity identity_;
  os::Access access_ = os::Access::read_only;
};

}  // namespace kith::internal
