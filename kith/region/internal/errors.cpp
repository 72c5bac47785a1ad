#include "kith/region/internal/errors.hpp"

namespace kith::internal {

std::string describe_object(const std::string& kind, const std::string& name,
                            const std::string& domain) {
  return kind + " '" + name + "' in " + domain;
}

Error header_error(const std::string& object, HeaderFault fault, const RegionHeader& header,
                   std::uint64_t file_size) {
  switch (fault) {
    case HeaderFault::byte_order:
      return Error(Errc::wrong_version, {.object = object,
                                         .expected = "this machine's byte order",
                                         .found = "another",
                                         .remedy = "open it on a machine like its creator's"});
    case HeaderFault::version:
      return Error(Errc::wrong_version,
                   {.object = object,
                    .expected = "format " + std::to_string(kFormatMajor),
                    .found = "format " + std::to_string(header.format_major) + "." +
                             std::to_string(header.format_minor),
                    .remedy = "build both programs with one major version of kith"});
    case HeaderFault::word_size:
      return Error(Errc::wrong_version,
                   {.object = object,
                    .expected = "a creator of " + std::to_string(kWordBits) + " bits",
                    .found = "one of " + std::to_string(header.word_bits) + " bits",
                    .remedy = "build both programs for one word size"});
    case HeaderFault::damaged:
      return Error(Errc::damaged, {.object = object,
                                   .expected = bytes_text(header.size),
                                   .found = bytes_text(file_size),
                                   .remedy = "it was truncated or overwritten: remove it with "
                                             "`kith rm --force`"});
    case HeaderFault::none:
    case HeaderFault::not_ours:
      break;
  }
  return Error(Errc::not_ours, {.object = object,
                                .expected = "a region of kith",
                                .found = bytes_text(file_size) + " of something else",
                                .remedy = "choose another name, or remove the file yourself"});
}

Error invalid_name(const std::string& what, const std::string& name, const std::string& why) {
  std::string shown = name;
  for (char& c : shown) {
    // A terminal obeys control characters, and a newline would break the message in two.
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return Error(Errc::invalid_name,
               {.object = what + " '" + shown + "'", .expected = {}, .found = why, .remedy = {}});
}

}  // namespace kith::internal
