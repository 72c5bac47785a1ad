// HugeFile: memory that is a file on a mount of huge pages (hugetlbfs), under its path.
//
//   auto table = HugeFile::create("/dev/hugepages/table", 100 << 20);   // size() says 104857600
//   auto other = HugeFile::open("/dev/hugepages/table", Access::read_write);
//   HugeFile::remove("/dev/hugepages/table");
//
// States       see memory.hpp. The mount chooses the size of page (page_size()); the size is
//              rounded up to whole pages, and size() tells it. The pages come from the pool that
//              the machine's administrator filled (/proc/sys/vm/nr_hugepages), are the file's until
//              it is gone, and are never swapped.
// Callers      see memory.hpp; create, open and remove: any thread.
// A peer dies  see memory.hpp. A killed creator gives its pages back to the pool.
// Cost         see memory.hpp; one entry of the processor's address cache (TLB) serves 2 MiB or
//              1 GiB instead of 4 KiB. Zeroing is done at creation, all of it.
//
// Too few pages are an error at creation, and at opening where the file has holes, never a signal
// at the first touch. Such files know no write(2). Memfd::create_huge() needs no mount;
// advise_huge_pages() (huge_pages.hpp) needs no pool, and promises nothing.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "kith/memory/internal/mapped_bytes.hpp"
#include "kith/memory/memory.hpp"

namespace kith {

class HugeFile : public internal::MappedBytes {
 public:
  using Name = std::string;

  HugeFile() noexcept = default;

  // Throws unsupported if the path does not lie on such a mount, no_space with the pool and the
  // remedy named if it has too few pages.
  [[nodiscard]] static HugeFile create(const std::string& path, std::uint64_t size);
  [[nodiscard]] static HugeFile open(const std::string& path, Access access);
  static void remove(const std::string& path);

  // The path as it was given.
  [[nodiscard]] const std::string& name() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t page_size() const noexcept { return page_size_; }
  [[nodiscard]] os::Descriptor descriptor() const;

 private:
  HugeFile(internal::MappedBytes bytes, std::string path, std::uint64_t page_size) noexcept
      : MappedBytes(std::move(bytes)), path_(std::move(path)), page_size_(page_size) {}

  std::string path_;
  std::uint64_t page_size_ = 0;
};

static_assert(NamedMemory<HugeFile> && DescriptorMemory<HugeFile>);

}  // namespace kith
