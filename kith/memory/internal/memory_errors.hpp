// Words for what can go wrong with a memory: each names the object, what was found and what to do.
#pragma once

#include <cstdint>
#include <string>

#include "kith/base/error.hpp"
#include "kith/os/failure.hpp"

namespace kith::internal {

// "a regular file of 4096 bytes", "a directory"
[[nodiscard]] std::string file_words(const os::FileFacts& facts);

[[nodiscard]] Error memory_is_taken(const std::string& object, const std::string& by);
[[nodiscard]] Error memory_is_no_file(const std::string& object, os::FileKind kind);
[[nodiscard]] Error memory_is_empty(const std::string& object);
[[nodiscard]] Error memory_is_orphaned(const std::string& object, const std::string& found);
[[nodiscard]] Error memory_size_refused(const std::string& object, std::uint64_t size);
[[nodiscard]] Error memory_name_refused(const std::string& object, const std::string& why);

}  // namespace kith::internal
