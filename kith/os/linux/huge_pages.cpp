#include "kith/os/huge_pages.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "kith/os/mapping.hpp"

namespace kith::os {
namespace {

// Younger than the C libraries we are built with.
constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE
constexpr int kCollapse = 25;       // MADV_COLLAPSE

constexpr const char* kPools = "/sys/kernel/mm/hugepages";

std::string folder_of(std::uint64_t page_size) {
  return std::string(kPools) + "/hugepages-" + std::to_string(page_size / 1024) + "kB";
}

bool read_number(const std::string& path, std::uint64_t& number) {
  std::ifstream file(path);
  return static_cast<bool>(file >> number);
}

Done advise(std::span<std::byte> bytes, int advice) {
  return {::madvise(bytes.data(), bytes.size(), advice) == 0 ? 0 : errno};
}

// "7f00-7fff rw-s ...": where the mapping begins; false for the lines that tell about it.
bool begins_a_mapping(const std::string& line, std::uintptr_t& begin) {
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, begin, 16);
  return error == std::errc() && rest != end && *rest == '-';
}

// "ShmemPmdMapped:     2048 kB" and its like; 0 for other lines.
std::uint64_t huge_bytes_told(const std::string& line) {
  for (const char* field : {"AnonHugePages:", "ShmemPmdMapped:", "FilePmdMapped:",
                            "Shared_Hugetlb:", "Private_Hugetlb:"}) {
    if (!line.starts_with(field)) continue;
    const std::size_t digit = line.find_first_of("0123456789");
    if (digit == std::string::npos) return 0;
    std::uint64_t kib = 0;
    std::from_chars(line.data() + digit, line.data() + line.size(), kib);
    return kib * 1024;
  }
  return 0;
}

}  // namespace

std::vector<std::uint64_t> huge_page_sizes() {
  std::vector<std::uint64_t> sizes;
  const auto folder = open_directory(kPools);
  if (!folder) return sizes;
  for (const std::string& name : names_in(folder.value).value) {
    const std::size_t digit = name.find_first_of("0123456789");
    std::uint64_t kib = 0;
    if (digit == std::string::npos) continue;
    std::from_chars(name.data() + digit, name.data() + name.size(), kib);
    if (kib != 0) sizes.push_back(kib * 1024);
  }
  std::sort(sizes.begin(), sizes.end());
  return sizes;
}

std::uint64_t default_huge_page_size() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("Hugepagesize:")) continue;
    std::uint64_t kib = 0;
    const std::size_t digit = line.find_first_of("0123456789");
    if (digit == std::string::npos) return 0;
    std::from_chars(line.data() + digit, line.data() + line.size(), kib);
    return kib * 1024;
  }
  return 0;
}

Outcome<HugePool> huge_pool(std::uint64_t page_size) {
  const std::string folder = folder_of(page_size);
  HugePool pool{.page_size = page_size};
  const bool told = read_number(folder + "/nr_hugepages", pool.pages) &&
                    read_number(folder + "/free_hugepages", pool.free_pages) &&
                    read_number(folder + "/resv_hugepages", pool.reserved_pages) &&
                    read_number(folder + "/surplus_hugepages", pool.surplus_pages) &&
                    read_number(folder + "/nr_overcommit_hugepages", pool.overcommit_pages);
  if (!told) return Outcome<HugePool>::failed(ENODEV);
  return {pool, 0};
}

std::string huge_pool_file(std::uint64_t page_size) {
  return page_size == default_huge_page_size() ? "/proc/sys/vm/nr_hugepages"
                                               : folder_of(page_size) + "/nr_hugepages";
}

std::uint64_t page_size_of(const Descriptor& file) noexcept {
  struct statfs status {};
  const bool known = ::fstatfs(file.number(), &status) == 0;
  if (known && status.f_type == HUGETLBFS_MAGIC) return static_cast<std::uint64_t>(status.f_bsize);
  return page_size();
}

Outcome<Descriptor> create_huge_memfd(const std::string& name, std::uint64_t page_size) {
  constexpr unsigned kSizeShift = 26;  // MFD_HUGE_SHIFT
  unsigned bits = 0;
  if (page_size != 0) {
    if (!std::has_single_bit(page_size)) return Outcome<Descriptor>::failed(ENODEV);
    bits = static_cast<unsigned>(std::countr_zero(page_size)) << kSizeShift;
  }
  const int number =
      ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | bits);
  if (number < 0) return Outcome<Descriptor>::failed(errno);
  return {Descriptor(number), 0};
}

Done advise_huge(std::span<std::byte> bytes) {
  return advise(bytes, MADV_HUGEPAGE);
}

Done collapse_into_huge(std::span<std::byte> bytes) {
  return advise(bytes, kCollapse);
}

Outcome<std::uint64_t> huge_bytes_in(std::span<const std::byte> bytes) {
  std::ifstream file("/proc/self/smaps");
  if (!file) return Outcome<std::uint64_t>::failed(errno);
  const auto from = reinterpret_cast<std::uintptr_t>(bytes.data());
  bool ours = false;
  std::uint64_t total = 0;
  for (std::string line; std::getline(file, line);) {
    std::uintptr_t begin = 0;
    if (begins_a_mapping(line, begin)) {
      ours = begin >= from && begin < from + bytes.size();
    } else if (ours) {
      total += huge_bytes_told(line);
    }
  }
  return {total, 0};
}

std::string transparent_huge_page_policy(const std::string& name) {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/" + name);
  for (std::string word; file >> word;) {
    if (word.size() > 2 && word.front() == '[') return word.substr(1, word.size() - 2);
  }
  return {};
}

Done populate(std::span<std::byte> bytes) {
  return advise(bytes, kPopulateWrite);
}

}  // namespace kith::os
