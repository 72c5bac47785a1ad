// The slots of a latest-value channel: a header and the payload behind it, one after the other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kith::internal {

struct LatestSlot {
  std::uint64_t sequence;     // of the value, counting from 1
  std::uint64_t size;         // bytes of payload
  std::int64_t committed_ns;  // monotonic clock; 0 if the channel keeps no commit times
  std::uint64_t reserved[5];
};
static_assert(sizeof(LatestSlot) == 64);

// Where the slots lie, as those keep it who read or write in a hurry.
struct LatestSlots {
  const std::byte* first;
  std::uint64_t stride;
  std::uint64_t payload_max;
  const std::atomic<bool>& lost_pages;  // once set, what stands there is nobody's message

  [[nodiscard]] const LatestSlot& at(std::uint64_t index) const noexcept {
    return *reinterpret_cast<const LatestSlot*>(first + index * stride);
  }
  // For the writer, whose mapping can be written.
  [[nodiscard]] LatestSlot& to_write(std::uint64_t index) const noexcept {
    return const_cast<LatestSlot&>(at(index));
  }
};

// The payload lies behind its slot's header.
[[nodiscard]] inline const std::byte* payload_of(const LatestSlot& slot) noexcept {
  return reinterpret_cast<const std::byte*>(&slot + 1);
}
[[nodiscard]] inline std::byte* payload_of(LatestSlot& slot) noexcept {
  return reinterpret_cast<std::byte*>(&slot + 1);
}

}  // namespace kith::internal
