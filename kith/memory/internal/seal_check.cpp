#include "kith/memory/internal/seal_check.hpp"

#include <array>
#include <utility>

#include "kith/base/error.hpp"

namespace kith::internal {
namespace {

constexpr std::array<std::pair<bool os::Seals::*, const char*>, 5> kWords{{
    {&os::Seals::shrink, "shrinking"},
    {&os::Seals::grow, "growing"},
    {&os::Seals::future_write, "future writing"},
    {&os::Seals::write, "writing"},
    {&os::Seals::seal, "further seals"},
}};

// "a memory sealed against shrinking, growing"
std::string words_of(os::Seals seals) {
  // So the kernel shows a file of tmpfs.
  if (seals == os::Seals{.seal = true}) return "a memory that cannot be sealed";
  std::string words;
  for (const auto& [seal, word] : kWords) {
    if (seals.*seal) words += (words.empty() ? "" : ", ") + std::string(word);
  }
  return words.empty() ? "a memory without seals" : "a memory sealed against " + words;
}

bool has_all(os::Seals there, os::Seals demanded) {
  // Sealed against any writing it is sealed against future writing too.
  there.future_write = there.future_write || there.write;
  for (const auto& [seal, word] : kWords) {
    if (demanded.*seal && !(there.*seal)) return false;
  }
  return true;
}

}  // namespace

void require_seals(const os::Descriptor& file, os::Access access, os::Seals demanded,
                   const std::string& object) {
  const auto there = os::seals_of(file);  // fails for what is not a memfd, which has none
  if (!has_all(there.value, demanded)) {
    throw Error(Errc::wrong_type,
                {.object = object,
                 .expected = words_of(demanded),
                 .found = there ? words_of(there.value) : "a memory that cannot be sealed",
                 .remedy = "have its sender create a memfd and seal it before it sends it"});
  }
  if (access == os::Access::read_write && (there.value.future_write || there.value.write)) {
    throw Error(Errc::permission_denied,
                {.object = object,
                 .expected = "a memory that may be written",
                 .found = words_of(there.value),
                 .remedy = "open it read-only; only mappings older than the seal can write"});
  }
}

}  // namespace kith::internal
