#include "kith/memory/file_memory.hpp"

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"

namespace kith {
namespace {

internal::Place place_of(const std::string& path) {
  const std::string object = "memory file '" + path + "'";
  const std::size_t slash = path.find_last_of('/');
  const bool has_directory = slash != std::string::npos;
  internal::Place place{.directory = has_directory ? path.substr(0, slash) : ".",
                        .name = has_directory ? path.substr(slash + 1) : path,
                        .object = object};
  std::string why = internal::why_not_a_file_name(place.name);
  if (why.empty() && path.find('\0') != std::string::npos) why = "it holds a zero byte";
  if (!why.empty()) throw internal::memory_name_refused(object, "its last part: " + why);
  return place;
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

os::Descriptor FileMemory::descriptor() const {
  KITH_REQUIRE(*this, "a memory that was moved from has no descriptor");
  return internal::reopen_named(place_of(path_), *this);
}

}  // namespace kith
