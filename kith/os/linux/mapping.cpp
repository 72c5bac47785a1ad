#include "kith/os/mapping.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

namespace kith::os {

Outcome<Mapping> Mapping::of_file(const Descriptor& file, std::uint64_t size, Access access) {
  const int protection = access == Access::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  // First without access: a program that locks all its memory (mlockall with MCL_FUTURE) would
  // otherwise have every hole of a sparse file filled, up to the last page of the file system.
  void* address = ::mmap(nullptr, size, PROT_NONE, MAP_SHARED, file.number(), 0);
  if (address == MAP_FAILED) return Outcome<Mapping>::failed(errno);
  Outcome<Mapping> outcome;
  outcome.value.address_ = static_cast<std::byte*>(address);
  outcome.value.size_ = size;
  if (::mprotect(address, size, protection) != 0) return Outcome<Mapping>::failed(errno);
  return outcome;
}

Outcome<Mapping> Mapping::of_private_pages(std::uint64_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) return Outcome<Mapping>::failed(errno);
  Outcome<Mapping> outcome;
  outcome.value.address_ = static_cast<std::byte*>(address);
  outcome.value.size_ = size;
  return outcome;
}

Done Mapping::keep_from_children() const noexcept {
  return {::madvise(address_, size_, MADV_DONTFORK) == 0 ? 0 : errno};
}

Done Mapping::wipe_in_children() const noexcept {
  return {::madvise(address_, size_, MADV_WIPEONFORK) == 0 ? 0 : errno};
}

void Mapping::unmap() noexcept {
  if (address_ != nullptr) ::munmap(std::exchange(address_, nullptr), std::exchange(size_, 0));
}

std::uint64_t page_size() noexcept {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::uint64_t memory_and_swap() noexcept {
  struct sysinfo facts {};
  ::sysinfo(&facts);  // fails only for a bad address
  return (std::uint64_t{facts.totalram} + facts.totalswap) * facts.mem_unit;
}

}  // namespace kith::os
