// Words for what stands in a stranger's file, beside those for what the kernel answers.
#pragma once

#include <cstdint>
#include <string>

#include "kith/base/error.hpp"
#include "kith/os/failure.hpp"
#include "kith/region/layout.hpp"

namespace kith::internal {

// "region 'pose' in /dev/shm/kith-1000"
[[nodiscard]] std::string describe_object(const std::string& kind, const std::string& name,
                                          const std::string& domain);
// A header that check_header() refused.
[[nodiscard]] Error header_error(const std::string& object, HeaderFault fault,
                                 const RegionHeader& header, std::uint64_t file_size);
[[nodiscard]] Error invalid_name(const std::string& what, const std::string& name,
                                 const std::string& why);

}  // namespace kith::internal
