#include "kith/memory/memfd.hpp"

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"

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

Memfd Memfd::open(int number, Access access) {
  std::string object = "memory behind descriptor " + std::to_string(number);
  auto file = os::duplicate(number);
  if (!file) throw internal::system_error(object, "duplicating it", file.error);
  auto bytes = internal::map_whole(file.value, access, object);
  return Memfd(std::move(bytes), std::move(file.value), std::move(object));
}

void Memfd::seal_size() {
  KITH_REQUIRE(descriptor_, "a memfd that was moved from has no size to seal");
  if (is_size_sealed()) return;
  const auto sealed = os::seal_size(descriptor_);
  if (!sealed) throw internal::system_error(object_, "sealing its size", sealed.error);
}

bool Memfd::is_size_sealed() const {
  const auto sealed = os::size_is_sealed(descriptor_);
  if (!sealed || !sealed.value) return false;
  // Only now: somebody may have made it smaller between our mapping and the sealing.
  const auto facts = os::facts_of(descriptor_);
  return facts && facts.value.size >= size();
}

os::Descriptor Memfd::descriptor() const {
  KITH_REQUIRE(descriptor_, "a memfd that was moved from has no descriptor");
  auto copy = os::duplicate(descriptor_.number());
  if (!copy) throw internal::system_error(object_, "duplicating it", copy.error);
  return std::move(copy.value);
}

}  // namespace kith
