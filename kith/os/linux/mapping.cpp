#include "kith/os/mapping.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

namespace kith::os {
namespace {

// Huge pages are changed and given back only whole, while a file may be mapped by less: `call` with
// the size rounded up to ever larger pages until it fits those of the mapping. It never reaches
// behind the mapping, because a page smaller than the mapping's is refused.
template <class Call>
Done on_whole_pages(std::uint64_t size, Call call) noexcept {
  constexpr std::uint64_t kLargestPage = std::uint64_t{16} << 30;
  int answer = call(size);
  for (std::uint64_t page = page_size(); answer != 0 && errno == EINVAL && page <= kLargestPage;
       page *= 2) {
    answer = call((size + page - 1) / page * page);
  }
  return {answer == 0 ? 0 : errno};
}

}  // namespace

Outcome<Mapping> Mapping::of_file(const Descriptor& file, std::uint64_t size, Access access,
                                  Reserve reserve) {
  const int protection = access == Access::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  // First without access: a program that locks all its memory (mlockall with MCL_FUTURE) would
  // otherwise have every hole of a sparse file filled, up to the last page of the file system.
  const int flags = reserve == Reserve::yes ? MAP_SHARED : MAP_SHARED | MAP_NORESERVE;
  void* address = ::mmap(nullptr, size, PROT_NONE, flags, file.number(), 0);
  if (address == MAP_FAILED) return Outcome<Mapping>::failed(errno);
  Outcome<Mapping> outcome;
  outcome.value.address_ = static_cast<std::byte*>(address);
  outcome.value.size_ = size;
  const Done allowed = on_whole_pages(
      size, [&](std::uint64_t whole) { return ::mprotect(address, whole, protection); });
  if (!allowed) return Outcome<Mapping>::failed(allowed.error);
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

Mapping Mapping::adopt(std::byte* address, std::uint64_t size) noexcept {
  Mapping mapping;
  mapping.address_ = address;
  mapping.size_ = size;
  return mapping;
}

Done Mapping::keep_from_children() const noexcept {
  return on_whole_pages(
      size_, [&](std::uint64_t whole) { return ::madvise(address_, whole, MADV_DONTFORK); });
}

Done Mapping::wipe_in_children() const noexcept {
  return {::madvise(address_, size_, MADV_WIPEONFORK) == 0 ? 0 : errno};
}

Done Mapping::write_back() const noexcept {
  return {::msync(address_, size_, MS_SYNC) == 0 ? 0 : errno};
}

void Mapping::unmap() noexcept {
  if (address_ == nullptr) return;
  static_cast<void>(  // fails for nothing but a size that is not ours to give back
      on_whole_pages(size_, [&](std::uint64_t whole) { return ::munmap(address_, whole); }));
  forget();
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
