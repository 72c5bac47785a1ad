// ObjectRegion: several named objects in one region.
//
//   auto world = ObjectRegion::open_or_create(domain, "world", {.bytes = 1 << 20});
//   auto& tick = world.find_or_create<std::atomic<std::uint64_t>>("tick", Deadline::after(1s));
//   if (auto* map = world.find<Map>("map")) ...
//
// States       an object is there, whole, or not there; it stays as long as the region.
// Callers      the handle: one thread at a time; the objects: whoever their types admit.
// A peer dies  while creating: the object does not exist, its place is used for the next one; the
//              kernel lock it held is gone with it. A stopped creator makes others time out.
// Cost         find: up to `objects_max` name comparisons; create: a file lock, about 20 us.
//
// References stay valid until the handle closes. To remove an object, remove the region.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kith/region/region.hpp"

namespace kith {

struct ObjectRegionOptions {
  std::uint64_t bytes = 64 * 1024;  // room for the objects; decided by the creator
  std::uint32_t objects_max = 64;   // names there can be; decided by the creator
  Lifetime lifetime = Lifetime::until_removed;
  Deadline deadline = Deadline::now();
};

class ObjectRegion : public RegionHandle {
 public:
  [[nodiscard]] static ObjectRegion create(const Domain& domain, const std::string& name,
                                           ObjectRegionOptions options = {});
  [[nodiscard]] static ObjectRegion open(const Domain& domain, const std::string& name,
                                         Deadline deadline = Deadline::now());
  // Throws wrong_type if it is there with less room or fewer names than asked for.
  [[nodiscard]] static ObjectRegion open_or_create(const Domain& domain, const std::string& name,
                                                   ObjectRegionOptions options = {});

  // The object, or null. Throws wrong_type if the name stands for another type.
  template <class T>
  [[nodiscard]] T* find(const std::string& name) const {
    return reinterpret_cast<T*>(place_of(request<T>(name)));
  }
  // The deadline is for the region's administrative lock. Throws already_exists, no_space,
  // table_full, orphaned, timed_out.
  template <class T>
  T& create_object(const std::string& name, Deadline deadline) {
    return *reinterpret_cast<T*>(make(request<T>(name), deadline, Existing::refuse));
  }
  template <class T>
  T& find_or_create(const std::string& name, Deadline deadline) {
    if (T* found = find<T>(name)) return *found;
    return *reinterpret_cast<T*>(make(request<T>(name), deadline, Existing::accept));
  }
  [[nodiscard]] std::vector<std::string> object_names() const;

 private:
  enum class Existing { refuse, accept };
  struct Request {
    std::string name;
    std::uint64_t fingerprint;
    std::string type_name;
    std::uint64_t size;
    std::uint64_t alignment;
    void (*construct)(std::byte* place);
  };

  explicit ObjectRegion(internal::MappedRegion region) noexcept : RegionHandle(std::move(region)) {}

  template <class T>
  static Request request(const std::string& name) {
    require_shareable<T>();
    static_assert(alignof(T) <= internal::kRegionHeaderSize);
    return {name,
            fingerprint<T>(),
            std::string(type_name<T>()),
            sizeof(T),
            alignof(T),
            [](std::byte* place) { ::new (static_cast<void*>(place)) T(); }};
  }
  [[nodiscard]] std::byte* place_of(const Request& request) const;
  std::byte* make(const Request& request, Deadline deadline, Existing existing);
  std::byte* append(const Request& request);
};

}  // namespace kith
