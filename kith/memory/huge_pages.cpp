#include "kith/memory/huge_pages.hpp"

#include <cerrno>

#include "kith/os/failure.hpp"
#include "kith/os/huge_pages.hpp"
#include "kith/os/process.hpp"

namespace kith {
namespace {

constexpr std::uint64_t kUsualHugePage = std::uint64_t{2} << 20;

std::uint64_t huge_page() {
  const std::uint64_t size = os::default_huge_page_size();
  return size != 0 ? size : kUsualHugePage;
}

// The whole huge pages among the addresses: no others can become huge.
std::uint64_t whole_pages_in(std::span<const std::byte> bytes, std::uint64_t page) {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + bytes.size()) / page * page;
  return last > first ? last - first : 0;
}

std::string reason_for(int error_number, std::uint64_t page) {
  switch (error_number) {
    case 0:
      return "the kernel made huge what it could, and left the rest for later";
    case EINVAL:
      return "this machine's policy for shared memory is '" + shared_huge_page_policy() +
             "', or the memory does not lie as huge pages must, or the kernel is older than 6.1: "
             "write `advise` to /sys/kernel/mm/transparent_hugepage/shmem_enabled before it is "
             "created, and for memory in a tmpfs mount that with huge=advise";
    case ENOMEM:
    case EAGAIN:
    case EBUSY:
      return "no free huge page of " + internal::bytes_text(page) + " could be found just now";
    default:
      return "the kernel says: " + os::error_text(error_number);
  }
}

}  // namespace

HugePageAdvice advise_huge_pages(std::span<std::byte> bytes) {
  if (bytes.empty()) return {0, "no bytes that could be written"};
  const std::uint64_t page = huge_page();
  const std::uint64_t possible = whole_pages_in(bytes, page);
  const auto advised = os::advise_huge(bytes);
  const auto made = advised ? os::collapse_into_huge(bytes) : advised;
  HugePageAdvice advice{.huge_bytes = huge_bytes(bytes), .reason = {}};
  if (advice.huge_bytes >= possible && possible != 0) return advice;
  if (possible == 0) {
    advice.reason = "it holds no whole huge page of " + internal::bytes_text(page);
  } else {
    advice.reason = reason_for(made.error, page);
  }
  return advice;
}

std::uint64_t huge_bytes(std::span<const std::byte> bytes) {
  return bytes.empty() ? 0 : os::huge_bytes_in(bytes).value;
}

std::string shared_huge_page_policy() {
  return os::transparent_huge_page_policy("shmem_enabled");
}

std::vector<std::uint64_t> huge_page_sizes() {
  return os::huge_page_sizes();
}

}  // namespace kith
