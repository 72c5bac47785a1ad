// Words for what the kernel and a stranger's file can answer, so that every error of the library
// names the object, what was found and what to do.
#pragma once

#include <cstdint>
#include <string>

#include "kith/base/error.hpp"
#include "kith/os/file.hpp"
#include "kith/region/layout.hpp"

namespace kith::internal {

// "region 'pose' in /dev/shm/kith-1000"
[[nodiscard]] std::string describe_object(const std::string& kind, const std::string& name,
                                          const std::string& domain);
[[nodiscard]] std::string describe(os::FileKind kind);
[[nodiscard]] std::string octal(std::uint32_t permissions);
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// The Error for a failed system call, with the usual remedy for that errno.
[[nodiscard]] Error system_error(const std::string& object, const std::string& doing,
                                 int error_number);
// No room for `wanted` bytes; `file` tells what is free.
[[nodiscard]] Error no_space(const std::string& object, std::uint64_t wanted,
                             const os::Descriptor& file);
// A header that check_header() refused.
[[nodiscard]] Error header_error(const std::string& object, HeaderFault fault,
                                 const RegionHeader& header, std::uint64_t file_size);
[[nodiscard]] Error invalid_name(const std::string& what, const std::string& name,
                                 const std::string& why);

}  // namespace kith::internal
