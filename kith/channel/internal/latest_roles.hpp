// The roles of a latest-value channel: what giving one up means there.
#pragma once

#include "kith/channel/internal/latest_core.hpp"
#include "kith/channel/internal/latest_shape.hpp"
#include "kith/channel/internal/role.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith::internal {

// "latest 'pose' in /dev/shm/kith-1000"
[[nodiscard]] std::string channel_text(const Domain& domain, const std::string& name);

[[nodiscard]] LatestControl<RealAtomics>& control_of(const MappedRegion& region) noexcept;
[[nodiscard]] RoleRecord<RealAtomics>& writer_of(const MappedRegion& region) noexcept;
// The members' readers of the channel.
[[nodiscard]] LatestReaderBank<RealAtomics> bank_of(const MappedRegion& region,
                                                    const LatestShape& shape) noexcept;

[[nodiscard]] RoleTable writer_table_of(const MappedRegion& region);
[[nodiscard]] RoleTable reader_table_of(const LatestReaderBank<RealAtomics>& bank,
                                        const LatestWords& words, std::string what);

// Gives up the role of a living reader at `index` of the bank.
void let_reader_go(const LatestReaderBank<RealAtomics>& bank, const LatestWords& words,
                   std::uint32_t index, bool drop_name) noexcept;

}  // namespace kith::internal
