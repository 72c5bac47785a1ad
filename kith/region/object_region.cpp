#include "kith/region/object_region.hpp"

#include <atomic>
#include <cstring>

#include "kith/base/name.hpp"
#include "kith/region/internal/errors.hpp"
#include "kith/region/internal/object_table.hpp"

namespace kith {
namespace {

using internal::kObjectsMaxMax;

std::uint64_t objects_offset(std::uint64_t objects_max) {
  return internal::kEntriesOffset + objects_max * sizeof(internal::ObjectEntry);
}

std::uint64_t objects_max_of(const internal::MappedRegion& region) {
  return region.facts().geometry[internal::kObjectsMaxWord];
}

internal::ObjectEntry* entries_of(const internal::MappedRegion& region) {
  return reinterpret_cast<internal::ObjectEntry*>(region.content() + internal::kEntriesOffset);
}

RealAtomics::Word<std::uint32_t>& count_of(const internal::MappedRegion& region) {
  return reinterpret_cast<internal::ObjectTable*>(region.content())->count;
}

[[noreturn]] void throw_damaged(const internal::MappedRegion& region, const std::string& found) {
  throw Error(Errc::damaged, {.object = region.object(),
                              .expected = "a whole table of objects",
                              .found = found,
                              .remedy = "remove it with `kith rm --force`"});
}

// How many entries count, checked.
std::uint32_t committed(const internal::MappedRegion& region) {
  // acquire: pairs with the release in append(), so the entries and objects below are complete.
  // unseen if relaxed: these are plain bytes of a file, of which a model shows the newest.
  const std::uint32_t count = count_of(region).load(std::memory_order_acquire);
  if (count > objects_max_of(region)) throw_damaged(region, std::to_string(count) + " objects");
  return count;
}

// An entry as read once, inside the region for certain.
internal::ObjectEntry checked_entry(const internal::MappedRegion& region, std::uint32_t index) {
  internal::ObjectEntry entry;
  std::memcpy(&entry, entries_of(region) + index, sizeof entry);
  const std::uint64_t size = region.content_size();
  const bool inside = entry.offset >= objects_offset(objects_max_of(region)) &&
                      entry.offset <= size && entry.size <= size - entry.offset;
  if (!inside) throw_damaged(region, "an object outside of it");
  return entry;
}

// To open: with this room at the least.
struct ObjectsSpec final : internal::RegionSpec {
  explicit ObjectsSpec(const ObjectRegionOptions& options) : wanted(options) {
    kind = internal::kObjectsKind;
    lifetime = options.lifetime;
  }
  void accept(const internal::RegionFacts& facts, const std::string& object) const override {
    const std::uint64_t objects_max = facts.geometry[internal::kObjectsMaxWord];
    const std::uint64_t beside =
        objects_offset(std::min<std::uint64_t>(objects_max, kObjectsMaxMax));
    if (objects_max > kObjectsMaxMax || beside > facts.content_size) {
      throw Error(Errc::damaged, {.object = object,
                                  .expected = "room for its own table",
                                  .found = std::to_string(objects_max) + " names",
                                  .remedy = "remove it with `kith rm --force`"});
    }
    if (objects_max < wanted.objects_max || facts.content_size - beside < wanted.bytes) {
      throw Error(Errc::wrong_type, {.object = object,
                                     .expected = internal::bytes_text(wanted.bytes) + " for " +
                                                 std::to_string(wanted.objects_max) + " objects",
                                     .found = internal::bytes_text(facts.content_size - beside) +
                                              " for " + std::to_string(objects_max),
                                     .remedy = "agree on one size, or remove the old object"});
    }
  }

  ObjectRegionOptions wanted;
};

ObjectsSpec creation_spec(const ObjectRegionOptions& options, const std::string& name) {
  if (options.objects_max == 0 || options.objects_max > kObjectsMaxMax || options.bytes == 0 ||
      options.bytes > internal::kRegionSizeMax / 2) {
    throw Error(Errc::invalid_argument, {.object = "objects '" + name + "'",
                                         .expected = "at least one byte and 1 to " +
                                                     std::to_string(kObjectsMaxMax) + " objects",
                                         .found = internal::bytes_text(options.bytes) + " and " +
                                                  std::to_string(options.objects_max),
                                         .remedy = {}});
  }
  ObjectsSpec spec(options);
  spec.content_size = objects_offset(options.objects_max) + options.bytes;
  spec.geometry[internal::kObjectsMaxWord] = options.objects_max;
  return spec;
}

}  // namespace

ObjectRegion ObjectRegion::create(const Domain& domain, const std::string& name,
                                  ObjectRegionOptions options) {
  return ObjectRegion(internal::MappedRegion::create(domain, name, creation_spec(options, name)));
}

ObjectRegion ObjectRegion::open(const Domain& domain, const std::string& name, Deadline deadline) {
  const ObjectRegionOptions any{.bytes = 0, .objects_max = 0};
  return ObjectRegion(internal::MappedRegion::open(domain, name, ObjectsSpec(any), deadline));
}

ObjectRegion ObjectRegion::open_or_create(const Domain& domain, const std::string& name,
                                          ObjectRegionOptions options) {
  ObjectsSpec spec = creation_spec(options, name);
  // A larger one that is there already will do: `accept` compares.
  spec.any_size_opens = true;
  return ObjectRegion(internal::MappedRegion::open_or_create(domain, name, spec, options.deadline));
}

std::vector<std::string> ObjectRegion::object_names() const {
  std::vector<std::string> names;
  const std::uint32_t count = committed(region_);
  for (std::uint32_t i = 0; i < count; ++i) {
    names.push_back(internal::get_text(checked_entry(region_, i).name));
  }
  return names;
}

std::byte* ObjectRegion::place_of(const Request& request) const {
  KITH_REQUIRE(region_, "a closed or moved-from region has no objects");
  const std::uint32_t count = committed(region_);
  for (std::uint32_t i = 0; i < count; ++i) {
    const internal::ObjectEntry entry = checked_entry(region_, i);
    if (internal::get_text(entry.name) != request.name) continue;
    const bool same = entry.fingerprint == request.fingerprint && entry.size == request.size &&
                      entry.offset % request.alignment == 0;
    if (!same) {
      throw Error(
          Errc::wrong_type,
          {.object = "object '" + request.name + "' of " + region_.object(),
           .expected = request.type_name + ", " + internal::bytes_text(request.size),
           .found = internal::get_text(entry.type_name) + ", " + internal::bytes_text(entry.size),
           .remedy = "build both programs from one definition"});
    }
    return region_.content() + entry.offset;
  }
  return nullptr;
}

std::byte* ObjectRegion::make(const Request& request, Deadline deadline, Existing existing) {
  KITH_REQUIRE(region_, "a closed or moved-from region has no objects");
  const std::string object = "object '" + request.name + "' of " + region_.object();
  const std::string why = why_not_a_name(request.name, sizeof(internal::ObjectEntry::name) - 1);
  if (!why.empty()) throw internal::invalid_name("object", request.name, why);
  const internal::AdminLock lock(region_.domain(), region_.name(), region_.identity(), deadline);
  lock.require(object);
  if (std::byte* found = place_of(request)) {
    if (existing == Existing::accept) return found;
    throw Error(Errc::already_exists,
                {.object = object, .expected = "a free name", .found = {}, .remedy = "find it"});
  }
  return append(request);
}

// Under the administrative lock. A kill before the last store leaves `count` as it was, and the
// next object takes the same entry and the same bytes.
std::byte* ObjectRegion::append(const Request& request) {
  const std::uint32_t count = committed(region_);
  const std::uint64_t objects_max = objects_max_of(region_);
  if (count == objects_max) {
    throw Error(Errc::table_full, {.object = region_.object(),
                                   .expected = "a free place for '" + request.name + "'",
                                   .found = std::to_string(count) + " objects",
                                   .remedy = "create it with a larger objects_max"});
  }
  std::uint64_t offset = objects_offset(objects_max);
  if (count > 0) {
    const internal::ObjectEntry last = checked_entry(region_, count - 1);
    offset = last.offset + last.size;
  }
  offset = (offset + request.alignment - 1) / request.alignment * request.alignment;
  const std::uint64_t size = region_.content_size();
  if (offset > size || request.size > size - offset) {
    throw Error(Errc::no_space,
                {.object = region_.object(),
                 .expected = internal::bytes_text(request.size) + " for '" + request.name + "'",
                 .found = internal::bytes_text(size - std::min(offset, size)),
                 .remedy = "create it with more bytes"});
  }
  std::byte* place = region_.content() + offset;
  std::memset(place, 0, request.size);  // a killed creator may have left something here
  request.construct(place);
  internal::ObjectEntry& entry = entries_of(region_)[count];
  internal::put_text(entry.name, request.name);
  internal::put_text(entry.type_name, request.type_name);
  entry.fingerprint = request.fingerprint;
  entry.offset = offset;
  entry.size = request.size;
  // release: publishes the entry and the object to committed().
  // unseen if relaxed: as there.
  count_of(region_).store(count + 1, std::memory_order_release);
  return place;
}

}  // namespace kith
