// Words for what the kernel answers, so that every error of the library names the object, what was
// found and what to do: one errno, one meaning, one remedy.
#pragma once

#include <cstdint>
#include <string>

#include "kith/base/error.hpp"
#include "kith/os/file.hpp"

namespace kith::internal {

[[nodiscard]] std::string describe(os::FileKind kind);
[[nodiscard]] std::string octal(std::uint32_t permissions);
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// The Error for a failed system call, with the usual remedy for that errno; `doing` completes
// "... failed".
[[nodiscard]] Error system_error(const std::string& object, const std::string& doing,
                                 int error_number);
// No room for `wanted` bytes; `file` tells what is free (or which pool of huge pages is too small),
// or `found` says it.
[[nodiscard]] Error no_space(const std::string& object, std::uint64_t wanted,
                             const os::Descriptor& file);
[[nodiscard]] Error no_space(const std::string& object, std::uint64_t wanted,
                             const std::string& found);
[[nodiscard]] Error no_huge_pages(const std::string& object, std::uint64_t wanted,
                                  std::uint64_t page_size);

}  // namespace kith::internal
