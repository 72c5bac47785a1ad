#include "kith/memory/internal/named_file.hpp"

#include <cerrno>
#include <cstddef>
#include <limits>
#include <utility>

#include "kith/memory/internal/memory_errors.hpp"
#include "kith/os/huge_pages.hpp"
#include "kith/os/random.hpp"

namespace kith::internal {
namespace {

constexpr std::size_t kFileNameMax = 255;

os::Descriptor open_directory_of(const Place& place) {
  // With the dot, because a link to the directory is welcome: only the memory itself must be none.
  auto directory = os::open_directory(place.directory + "/.");
  if (!directory) {
    throw system_error(place.object, "opening the directory " + place.directory, directory.error);
  }
  return std::move(directory.value);
}

void require_free_name(const os::Descriptor& directory, const Place& place) {
  const auto there = os::facts_at(directory, place.name);
  if (there) throw memory_is_taken(place.object, file_words(there.value));
  if (there.error != ENOENT) {
    throw system_error(place.object, "looking for the name", there.error);
  }
}

std::string room_words(const os::SpaceFacts& space) {
  return std::to_string(space.free_bytes) + " of " + std::to_string(space.total_bytes) + " bytes";
}

Error no_room(const std::string& object, std::uint64_t wanted, const os::Descriptor& file) {
  const auto space = os::space_of(file);
  return no_space(object, wanted, space ? room_words(space.value) : "less");
}

// Beforehand, because an allocation that is bound to fail would first take what others need.
void require_room(const os::Descriptor& file, std::uint64_t size, const std::string& object) {
  const auto space = os::space_of(file);
  if (!space) return;
  const bool has_a_limit = space.value.total_bytes != 0;  // a memfd and some tmpfs have none
  if (has_a_limit && size > space.value.free_bytes) {
    throw no_space(object, size, room_words(space.value));
  }
  if (!has_a_limit) require_machine_room(size, object);
}

}  // namespace

Place place_of_path(const std::string& path, const std::string& object) {
  const std::size_t slash = path.find_last_of('/');
  const bool has_directory = slash != std::string::npos;
  Place place{.directory = has_directory ? path.substr(0, slash) : ".",
              .name = has_directory ? path.substr(slash + 1) : path,
              .object = object};
  std::string why = why_not_a_file_name(place.name);
  if (why.empty() && path.find('\0') != std::string::npos) why = "it holds a zero byte";
  if (!why.empty()) throw memory_name_refused(object, "its last part: " + why);
  return place;
}

std::string why_not_a_file_name(const std::string& name) {
  if (name.empty()) return "it is empty";
  if (name == "." || name == "..") return "'" + name + "' is a directory";
  if (name.find('/') != std::string::npos) return "it holds a slash";
  if (name.find('\0') != std::string::npos) return "it holds a zero byte";
  if (name.size() > kFileNameMax) {
    return "it has " + std::to_string(name.size()) + " bytes, " + std::to_string(kFileNameMax) +
           " are allowed";
  }
  return {};
}

void require_size(std::uint64_t size, const std::string& object) {
  const auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
  if (size == 0 || size > largest) throw memory_size_refused(object, size);
}

void require_machine_room(std::uint64_t size, const std::string& object) {
  const std::uint64_t all = os::memory_and_swap();
  if (size > all) throw no_space(object, size, "a machine of " + bytes_text(all));
}

void make_room(const os::Descriptor& file, std::uint64_t size, const std::string& object) {
  require_room(file, size, object);
  const auto sized = os::set_size(file, size);
  if (!sized) throw system_error(object, "setting its size", sized.error);
  const auto allocated = os::allocate(file, 0, size);
  if (allocated) return;
  if (allocated.error == ENOSPC) throw no_room(object, size, file);
  throw system_error(object, "allocating its bytes", allocated.error);
}

std::uint64_t make_huge_room(const os::Descriptor& file, std::uint64_t size,
                             const std::string& object) {
  require_machine_room(size, object);
  const std::uint64_t page = os::page_size_of(file);
  const std::uint64_t whole = (size + page - 1) / page * page;
  const auto pool = os::huge_pool(page);
  // Beforehand, as in require_room(). What the pool may grow by on demand counts as there.
  const std::uint64_t there = pool.value.free_pages + pool.value.overcommit_pages;
  if (pool && whole / page > there) throw no_huge_pages(object, whole, page);
  const auto sized = os::set_size(file, whole);
  if (!sized) throw system_error(object, "setting its size", sized.error);
  const auto allocated = os::allocate(file, 0, whole);
  if (allocated) return whole;
  if (allocated.error == ENOSPC || allocated.error == ENOMEM) {
    throw no_huge_pages(object, whole, page);
  }
  throw system_error(object, "allocating its huge pages", allocated.error);
}

MappedBytes map_whole(const os::Descriptor& file, os::Access access, const std::string& object) {
  const auto facts = os::facts_of(file);
  if (!facts) throw system_error(object, "looking at the file", facts.error);
  if (facts.value.kind != os::FileKind::regular) throw memory_is_no_file(object, facts.value.kind);
  if (facts.value.size == 0) throw memory_is_empty(object);
  require_size(facts.value.size, object);
  auto mapping = os::Mapping::of_file(file, facts.value.size, access, os::Reserve::yes);
  if (mapping.error == ENOMEM && os::page_size_of(file) != os::page_size()) {
    throw no_huge_pages(object, facts.value.size, os::page_size_of(file));
  }
  if (!mapping) throw system_error(object, "mapping its bytes", mapping.error);
  return MappedBytes(std::move(mapping.value), facts.value.identity, access);
}

UnseenFile::UnseenFile(const Place& place, Birth birth) : directory_(open_directory_of(place)) {
  // A look beforehand spares the allocation; publishing decides.
  require_free_name(directory_, place);
  if (birth == Birth::temporary_name) {
    create_under_temporary_name(place);
    return;
  }
  auto unnamed = os::create_unnamed(directory_);
  if (unnamed) {
    file_ = std::move(unnamed.value);
  } else if (unnamed.error == EOPNOTSUPP || unnamed.error == EISDIR) {
    create_under_temporary_name(place);
  } else {
    throw system_error(place.object, "creating a file in " + place.directory, unnamed.error);
  }
}

void UnseenFile::create_under_temporary_name(const Place& place) {
  std::string name = ".new-memory-" + std::to_string(os::random_number());
  auto file = os::create_at(directory_, name);
  if (!file) {
    throw system_error(place.object, "creating a file in " + place.directory, file.error);
  }
  file_ = std::move(file.value);
  temporary_name_ = std::move(name);
}

UnseenFile::~UnseenFile() {
  if (temporary_name_.empty()) return;
  const auto unlinked = os::unlink_at(directory_, temporary_name_);
  static_cast<void>(unlinked);  // somebody else removed it, or nobody may: either way nothing to do
}

void UnseenFile::publish(const Place& place) {
  const auto linked = temporary_name_.empty()
                          ? os::link_unnamed(file_, directory_, place.name)
                          : os::link_named(directory_, temporary_name_, place.name);
  if (linked) return;
  if (linked.error == EEXIST) {
    require_free_name(directory_, place);
    throw memory_is_taken(place.object, "one that was taken a moment ago");  // and is free again
  }
  throw system_error(place.object, "giving it its name", linked.error);
}

MappedBytes create_named(const Place& place, std::uint64_t size, Birth birth) {
  require_size(size, place.object);
  UnseenFile unseen(place, birth);
  make_room(unseen.file(), size, place.object);
  MappedBytes bytes = map_whole(unseen.file(), os::Access::read_write, place.object);
  unseen.publish(place);
  return bytes;
}

os::Descriptor open_file(const Place& place, os::Access access) {
  const os::Descriptor directory = open_directory_of(place);
  auto file = os::open_at(directory, place.name, access);
  if (!file) throw system_error(place.object, "opening it", file.error);
  return std::move(file.value);
}

void require_regular(const os::Descriptor& file, const std::string& object) {
  const auto facts = os::facts_of(file);
  if (!facts) throw system_error(object, "looking at the file", facts.error);
  if (facts.value.kind != os::FileKind::regular) throw memory_is_no_file(object, facts.value.kind);
}

MappedBytes open_named(const Place& place, os::Access access) {
  return map_whole(open_file(place, access), access, place.object);
}

void remove_named(const Place& place) {
  const os::Descriptor directory = open_directory_of(place);
  const auto facts = os::facts_at(directory, place.name);
  if (!facts) throw system_error(place.object, "looking for the name", facts.error);
  if (facts.value.kind != os::FileKind::regular) {
    throw memory_is_no_file(place.object, facts.value.kind);
  }
  const auto unlinked = os::unlink_at(directory, place.name);
  if (!unlinked) throw system_error(place.object, "removing the name", unlinked.error);
}

os::Descriptor reopen_named(const Place& place, const MappedBytes& bytes) {
  const os::Descriptor directory = open_directory_of(place);
  auto file = os::open_at(directory, place.name, bytes.access());
  if (!file && file.error == ENOENT) throw memory_is_orphaned(place.object, "no such name");
  if (!file) throw system_error(place.object, "opening it anew", file.error);
  const auto facts = os::facts_of(file.value);
  if (!facts) throw system_error(place.object, "looking at the file", facts.error);
  if (facts.value.identity != bytes.identity()) {
    throw memory_is_orphaned(place.object, "another memory of that name");
  }
  return std::move(file.value);
}

}  // namespace kith::internal
