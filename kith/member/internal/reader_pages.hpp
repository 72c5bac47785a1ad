// KnownReaderPages: which parts of the member table have their memory, as the kernel says, asked
// once for each.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "kith/member/internal/reader_table.hpp"

namespace kith::internal {

class MappedRegion;

class KnownReaderPages final : public ReaderPages {
 public:
  // Of this table, as long as it is mapped. Nothing is asked yet.
  KnownReaderPages(const MappedRegion& table, std::uint32_t members_max);

  [[nodiscard]] std::uint32_t lines(std::uint32_t place,
                                    std::uint32_t count) const noexcept override;
  [[nodiscard]] bool has_record(std::uint32_t place) const noexcept override;

 private:
  // Pages once written stay, so what is known only grows. Where a stranger took one away, it is as
  // if the file had been cut short.
  struct Known {
    std::atomic<bool> record{false};
    std::atomic<std::uint32_t> lines{0};
  };

  // Of so many bytes from that place of the content on those that have their memory; all of them
  // where the kernel does not say. `sure` tells which.
  [[nodiscard]] std::uint64_t bytes_there(std::uint64_t offset, std::uint64_t size,
                                          bool& sure) const noexcept;

  const MappedRegion& table_;
  std::uint32_t members_max_;
  mutable std::vector<Known> known_;
};

}  // namespace kith::internal
