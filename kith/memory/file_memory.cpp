#include "kith/memory/file_memory.hpp"

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"

namespace kith {
namespace {

internal::Place place_of(const std::string& path) {
  return internal::place_of_path(path, "memory file '" + path + "'");
}

}  // namespace

FileMemory FileMemory::create(const std::string& path, std::uint64_t size) {
  return FileMemory(internal::create_named(place_of(path), size), path);
}

FileMemory FileMemory::open(const std::string& path, Access access) {
  return FileMemory(internal::open_named(place_of(path), access), path);
}

void FileMemory::remove(const std::string& path) {
  internal::remove_named(place_of(path));
}

void FileMemory::flush() const {
  KITH_REQUIRE(*this, "a memory that was moved from cannot be flushed");
  const internal::Place place = place_of(path_);
  if (const auto written = mapping().write_back(); !written) {
    throw internal::system_error(place.object, "writing it to its disk", written.error);
  }
  // The name stands in the directory; where that cannot be opened, it was moved away or removed,
  // and there is no name to keep.
  const auto directory = os::open_directory(place.directory + "/.");
  if (!directory) return;
  if (const auto written = os::write_back(directory.value); !written) {
    throw internal::system_error(place.object, "writing its directory to the disk", written.error);
  }
}

os::Descriptor FileMemory::descriptor() const {
  KITH_REQUIRE(*this, "a memory that was moved from has no descriptor");
  return internal::reopen_named(place_of(path_), *this);
}

}  // namespace kith
