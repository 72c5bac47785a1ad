#include "kith/memory/memfd.hpp"

#include <cerrno>

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"
#include "kith/memory/internal/seal_check.hpp"
#include "kith/os/huge_pages.hpp"

namespace kith {
namespace {

constexpr std::size_t kLabelMax = 249;  // what the kernel leaves beside its own prefix

void require_label(const std::string& label, const std::string& object) {
  if (label.find('\0') != std::string::npos) {
    throw internal::memory_name_refused(object, "it holds a zero byte");
  }
  if (label.size() > kLabelMax) {
    throw internal::memory_name_refused(
        object, "it has " + std::to_string(label.size()) + " bytes, 249 are allowed");
  }
}

Error no_such_pages(const std::string& object, std::uint64_t page_size) {
  std::string sizes;
  for (const std::uint64_t size : os::huge_page_sizes()) {
    sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  }
  return Error(Errc::unsupported,
               {.object = object,
                .expected = sizes.empty() ? "a machine with huge pages" : "pages of " + sizes,
                .found = page_size == 0 ? "none" : std::to_string(page_size),
                .remedy = "choose a size this machine has, or a memory of ordinary pages"});
}

}  // namespace

Memfd Memfd::create(const std::string& label, std::uint64_t size) {
  std::string object = "memfd '" + label + "'";
  require_label(label, object);
  internal::require_size(size, object);
  auto file = os::create_memfd(label);
  if (!file) throw internal::system_error(object, "creating it", file.error);
  internal::make_room(file.value, size, object);
  auto bytes = internal::map_whole(file.value, os::Access::read_write, object);
  return Memfd(std::move(bytes), std::move(file.value), std::move(object));
}

Memfd Memfd::create_huge(const std::string& label, std::uint64_t size, std::uint64_t page_size) {
  std::string object = "memfd '" + label + "' of huge pages";
  require_label(label, object);
  internal::require_size(size, object);
  auto file = os::create_huge_memfd(label, page_size);
  if (file.error == ENODEV) throw no_such_pages(object, page_size);
  if (!file) throw internal::system_error(object, "creating it", file.error);
  internal::make_huge_room(file.value, size, object);
  auto bytes = internal::map_whole(file.value, os::Access::read_write, object);
  return Memfd(std::move(bytes), std::move(file.value), std::move(object));
}

Memfd Memfd::open(int number, Access access, Seals demanded) {
  std::string object = "memory behind descriptor " + std::to_string(number);
  auto file = os::duplicate(number);
  if (!file) throw internal::system_error(object, "duplicating it", file.error);
  // Before the look at the size: what is sealed now has the size it will have.
  internal::require_seals(file.value, access, demanded, object);
  auto bytes = internal::map_whole(file.value, access, object);
  return Memfd(std::move(bytes), std::move(file.value), std::move(object));
}

void Memfd::seal(Seals seals) {
  KITH_REQUIRE(descriptor_, "a memfd that was moved from cannot be sealed");
  const auto sealed = os::add_seals(descriptor_, seals);
  if (sealed) return;
  if (sealed.error == EBUSY) {
    throw Error(Errc::in_use, {.object = object_,
                               .expected = "nobody who could write to a mapping of it",
                               .found = "somebody who could, this handle at least",
                               .remedy = "seal it against future writing instead"});
  }
  throw internal::system_error(object_, "sealing it", sealed.error);
}

void Memfd::seal_size() {
  KITH_REQUIRE(descriptor_, "a memfd that was moved from has no size to seal");
  if (is_size_sealed()) return;
  seal({.shrink = true, .grow = true, .seal = true});
}

Seals Memfd::seals() const {
  KITH_REQUIRE(descriptor_, "a memfd that was moved from has no seals");
  return os::seals_of(descriptor_).value;
}

bool Memfd::is_size_sealed() const {
  const auto sealed = os::seals_of(descriptor_);
  if (!sealed || !sealed.value.shrink) return false;
  // Only now: somebody may have made it smaller between our mapping and the sealing.
  const auto facts = os::facts_of(descriptor_);
  return facts && facts.value.size >= size();
}

std::uint64_t Memfd::page_size() const {
  KITH_REQUIRE(descriptor_, "a memfd that was moved from has no pages");
  return os::page_size_of(descriptor_);
}

os::Descriptor Memfd::descriptor() const {
  KITH_REQUIRE(descriptor_, "a memfd that was moved from has no descriptor");
  auto copy = os::duplicate(descriptor_.number());
  if (!copy) throw internal::system_error(object_, "duplicating it", copy.error);
  return std::move(copy.value);
}

}  // namespace kith
