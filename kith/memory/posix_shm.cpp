#include "kith/memory/posix_shm.hpp"

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"

namespace kith {
namespace {

// Not through shm_open: in the folder where its names lie (glibc and musl agree on it) a memory can
// be completed before it has a name, which shm_open cannot do.
constexpr const char* kFolder = "/dev/shm";

internal::Place place_of(const std::string& name) {
  const std::string object = "POSIX shared memory '" + name + "'";
  const std::size_t begin = name.find_first_not_of('/');  // shm_open skips any number of slashes
  std::string bare = begin == std::string::npos ? std::string() : name.substr(begin);
  if (const std::string why = internal::why_not_a_file_name(bare); !why.empty()) {
    throw internal::memory_name_refused(object, why);
  }
  return {.directory = kFolder, .name = std::move(bare), .object = object};
}

}  // namespace

PosixShm PosixShm::create(const std::string& name, std::uint64_t size) {
  const internal::Place place = place_of(name);
  return PosixShm(internal::create_named(place, size), "/" + place.name);
}

PosixShm PosixShm::open(const std::string& name, Access access) {
  const internal::Place place = place_of(name);
  return PosixShm(internal::open_named(place, access), "/" + place.name);
}

void PosixShm::remove(const std::string& name) {
  internal::remove_named(place_of(name));
}

os::Descriptor PosixShm::descriptor() const {
  KITH_REQUIRE(*this, "a memory that was moved from has no descriptor");
  return internal::reopen_named(place_of(name_), *this);
}

}  // namespace kith
