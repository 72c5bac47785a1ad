#include "kith/memory/huge_file.hpp"

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"
#include "kith/os/huge_pages.hpp"

namespace kith {
namespace {

internal::Place place_of(const std::string& path) {
  return internal::place_of_path(path, "huge-page memory '" + path + "'");
}

std::uint64_t require_huge_pages(const os::Descriptor& file, const std::string& object) {
  const std::uint64_t page = os::page_size_of(file);
  if (page != os::page_size()) return page;
  throw Error(Errc::unsupported,
              {.object = object,
               .expected = "a path on a mount of huge pages",
               .found = "a file system of pages of " + internal::bytes_text(page),
               .remedy = "mount one as root (mount -t hugetlbfs none DIRECTORY), or take "
                         "Memfd::create_huge(), which needs none"});
}

}  // namespace

HugeFile HugeFile::create(const std::string& path, std::uint64_t size) {
  const internal::Place place = place_of(path);
  internal::require_size(size, place.object);
  internal::UnseenFile unseen(place, internal::Birth::unnamed);
  const std::uint64_t page = require_huge_pages(unseen.file(), place.object);
  internal::make_huge_room(unseen.file(), size, place.object);
  auto bytes = internal::map_whole(unseen.file(), Access::read_write, place.object);
  unseen.publish(place);
  return HugeFile(std::move(bytes), path, page);
}

HugeFile HugeFile::open(const std::string& path, Access access) {
  const internal::Place place = place_of(path);
  const os::Descriptor file = internal::open_file(place, access);
  internal::require_regular(file, place.object);
  const std::uint64_t page = require_huge_pages(file, place.object);
  return HugeFile(internal::map_whole(file, access, place.object), path, page);
}

void HugeFile::remove(const std::string& path) {
  internal::remove_named(place_of(path));
}

os::Descriptor HugeFile::descriptor() const {
  KITH_REQUIRE(*this, "a memory that was moved from has no descriptor");
  return internal::reopen_named(place_of(path_), *this);
}

}  // namespace kith
