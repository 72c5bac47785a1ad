#include "kith/inspect/internal/look.hpp"

#include <cerrno>

#include "kith/os/process.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/file_rights.hpp"

namespace kith::internal {

namespace {

// A file that neither this user nor anybody who shares the domain can have made there.
void check_owner(const os::FileFacts& file, const os::Descriptor& directory,
                 const std::string& object) {
  const std::uint32_t self = os::effective_user();
  const auto place = os::facts_of(directory);
  if (file.owner == self || self == 0 || !place || is_made_by_members(file, place.value)) return;
  throw Error(Errc::wrong_owner,
              {.object = object,
               .expected = "a file of those who share the domain",
               .found = "one of user " + std::to_string(file.owner),
               .remedy = "have its owner remove it, or use a domain of your own"});
}

}  // namespace

Look::Look(const os::Descriptor& directory, const std::string& name, const std::string& object) {
  auto file = os::open_at(directory, name, os::Access::read_only);
  if (!file) throw system_error(object, "opening the file", file.error);
  const auto facts = os::facts_of(file.value);
  if (!facts) throw system_error(object, "looking at the file", facts.error);
  // As whoever opens it to write is told.
  if (facts.value.kind == os::FileKind::directory) {
    throw system_error(object, "opening the file", EISDIR);
  }
  if (facts.value.kind != os::FileKind::regular) {
    throw Error(Errc::not_ours, {.object = object,
                                 .expected = "a regular file",
                                 .found = describe(facts.value.kind),
                                 .remedy = "choose another name, or remove it yourself"});
  }
  check_owner(facts.value, directory, object);
  file_ = std::move(file.value);
  file_facts_ = facts.value;
  const auto got = os::read_at(file_, &header_, sizeof header_, 0);
  if (!got) throw system_error(object, "reading the header", got.error);
  HeaderFault fault = check_header(header_, file_facts_.size);
  // Cut off inside the header: what is left of it still tells whose it was.
  const bool whole = got.value == sizeof header_;
  if (!whole && fault != HeaderFault::not_ours) fault = HeaderFault::damaged;
  if (fault != HeaderFault::none) throw header_error(object, fault, header_, file_facts_.size);
  facts_ = facts_from(header_);
  // relaxed: our private copy of the header.
  retired_ = header_.retired.load(std::memory_order_relaxed) != 0;
}

bool Look::is_held(std::uint64_t lock) const {
  const auto held = os::is_locked_elsewhere(file_, lock, os::LockKind::exclusive);
  return held && held.value;
}

bool Look::read(std::uint64_t offset, void* to, std::uint64_t size) const {
  if (offset > facts_.content_size || size > facts_.content_size - offset) return false;
  const auto got = os::read_at(file_, to, size, kRegionHeaderSize + offset);
  return got && got.value == size;
}

}  // namespace kith::internal
