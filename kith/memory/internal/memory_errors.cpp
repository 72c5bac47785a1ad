#include "kith/memory/internal/memory_errors.hpp"

#include <cstddef>
#include <limits>

namespace kith::internal {

std::string file_words(const os::FileFacts& facts) {
  const bool is_file = facts.kind == os::FileKind::regular;
  return describe(facts.kind) + (is_file ? " of " + bytes_text(facts.size) : std::string());
}

Error memory_is_taken(const std::string& object, const std::string& by) {
  return Error(Errc::already_exists,
               {.object = object,
                .expected = "a name that is free",
                .found = by,
                .remedy = "open what is there, remove it first, or choose another name"});
}

Error memory_is_no_file(const std::string& object, os::FileKind kind) {
  return Error(Errc::not_ours, {.object = object,
                                .expected = "a regular file",
                                .found = describe(kind),
                                .remedy = "choose another name, or remove it yourself"});
}

Error memory_is_empty(const std::string& object) {
  return Error(Errc::damaged,
               {.object = object,
                .expected = "at least 1 byte",
                .found = "0 bytes",
                .remedy = "its creator has not given it a size yet: try again; or it "
                          "was killed before it could: remove it"});
}

Error memory_is_orphaned(const std::string& object, const std::string& found) {
  return Error(Errc::orphaned, {.object = object,
                                .expected = "the name of the memory that is open here",
                                .found = found,
                                .remedy = "open the name anew if the newer one will do"});
}

Error memory_size_refused(const std::string& object, std::uint64_t size) {
  const auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
  return Error(Errc::invalid_argument, {.object = object,
                                        .expected = "a size of 1 to " + bytes_text(largest),
                                        .found = bytes_text(size),
                                        .remedy = "ask for a size that can be mapped"});
}

Error memory_name_refused(const std::string& object, const std::string& why) {
  return Error(Errc::invalid_name,
               {.object = object, .expected = {}, .found = why, .remedy = "choose another name"});
}

}  // namespace kith::internal
