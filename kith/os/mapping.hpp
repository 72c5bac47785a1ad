// Mapping: bytes of a file, or private pages, in this process's address space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kith/os/file.hpp"

namespace kith::os {

// Only files of huge pages know reservations: whether the pages that the file lacks are set aside
// in the pool now (ENOMEM if it has too few), or looked for at the first touch (and then SIGBUS).
enum class Reserve { no, yes };

class Mapping {
 public:
  Mapping() noexcept = default;
  Mapping(Mapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    if (this != &other) {
      unmap();
      address_ = std::exchange(other.address_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~Mapping() { unmap(); }

  // Shared with every process that maps the same file. `size` may be larger than what is allocated;
  // pages are touched only where somebody allocated them.
  static Outcome<Mapping> of_file(const Descriptor& file, std::uint64_t size, Access access,
                                  Reserve reserve = Reserve::no);
  // Private zeroed pages.
  static Outcome<Mapping> of_private_pages(std::uint64_t size);
  // Takes over what somebody else mapped, and munmap gives back.
  static Mapping adopt(std::byte* address, std::uint64_t size) noexcept;

  [[nodiscard]] std::byte* data() const noexcept { return address_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() const noexcept {
    return {address_, static_cast<std::size_t>(size_)};
  }
  explicit operator bool() const noexcept { return address_ != nullptr; }

  // A forked child does not get these pages.
  Done keep_from_children() const noexcept;
  // A forked child finds these (private) pages zeroed.
  Done wipe_in_children() const noexcept;
  // Returns when what was changed in a file's mapping has reached its disk.
  Done write_back() const noexcept;
  void unmap() noexcept;
  // Gives the address range up without touching it: it is somebody else's by now.
  void forget() noexcept {
    address_ = nullptr;
    size_ = 0;
  }

 private:
  std::byte* address_ = nullptr;
  std::uint64_t size_ = 0;
};

[[nodiscard]] std::uint64_t page_size() noexcept;
// What this machine has, swap included: no memory that lives in it can be larger.
[[nodiscard]] std::uint64_t memory_and_swap() noexcept;

}  // namespace kith::os
