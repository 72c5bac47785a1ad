#include "kith/region/rights.hpp"

#include <charconv>

#include "kith/base/error.hpp"
#include "kith/os/failure.hpp"

namespace kith {

Rights Rights::from_text(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t at = text.find('@');
  const std::string_view shared = text.substr(0, at);
  const std::size_t colon = shared.find(':');
  const std::string_view mode = shared.substr(0, colon);
  Rights rights;
  const auto parsed = std::from_chars(mode.data(), mode.data() + mode.size(), rights.mode, 8);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == mode.data() + mode.size();
  if (!whole || rights.mode == 0 || rights.mode > 0777) {
    throw Error(Errc::invalid_argument,
                {.object = "rights",
                 .expected = "an octal mode and a group, as 0770:robots, and "
                             "if need be the owner, as 0750:robots@alice",
                 .found = "'" + std::string(text) + "'",
                 .remedy = "change KITH_RIGHTS or the option"});
  }
  if (colon != std::string_view::npos) rights.group = shared.substr(colon + 1);
  if (at != std::string_view::npos) rights.owner = text.substr(at + 1);
  return rights;
}

std::string Rights::text() const {
  return internal::octal(mode) + (group.empty() ? "" : ":" + group) +
         (owner.empty() ? "" : "@" + owner);
}

}  // namespace kith
