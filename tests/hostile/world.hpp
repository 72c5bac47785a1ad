// World: what an execution begins with: a valid domain, made by kith itself in processes that were
// killed while they held what can be held, kept as bytes and laid out afresh each time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kith/os/file.hpp"
#include "kith/region/domain.hpp"
#include "kith/sync/barrier.hpp"
#include "kith/sync/condition.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/guarded.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/once.hpp"
#include "kith/sync/rw_lock.hpp"
#include "kith/sync/semaphore.hpp"

#include "tests/hostile/layout.hpp"
#include "tests/hostile/script.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::hostile {

inline constexpr const char* kObject = "it";  // the object of every domain here
inline constexpr ChannelSize kChannel{
    .readers_max = 4, .guests_max = 0, .spare_slots = 1, .payload_max = 200};
inline constexpr ChannelSize kGuestChannel{
    .readers_max = 3, .guests_max = 2, .spare_slots = 0, .payload_max = 200};
inline constexpr std::uint32_t kMembersMax = 3;
inline constexpr std::uint32_t kObjectsMax = 5;
inline constexpr std::uint32_t kPermits = 2;

// What stands in the worlds of types, and in an ObjectRegion beside other things.
struct Thing {
  std::uint64_t number = 1;
  std::array<std::uint32_t, 14> rest{};
};

// What stands in the world of a mutex inside a region.
struct GuardedThing {
  std::uint64_t before = 1;
  MutexCell lock;
  std::uint64_t after = 2;
};

// What stands in the world of what is waited for.
struct Waits {
  EventCell manual;
  EventCell automatic;
  CountingSemaphoreCell signals;
  MutexCell lock;
  ConditionCell changed;
  SemaphoreCell<kPermits> permits;
  BarrierCell<2> step;
};

// Handles on all of it.
struct Waiters {
  explicit Waiters(const Region<Waits>& region)
      : manual(region, region->manual),
        automatic(region, region->automatic, {.reset = EventReset::automatic}),
        signals(region, region->signals),
        lock(region, region->lock),
        changed(region, region->changed),
        permits(region, region->permits),
        step(region, region->step) {}
  Event manual;
  Event automatic;
  CountingSemaphore signals;
  Mutex lock;
  Condition changed;
  Semaphore permits;
  Barrier step;
};

// What stands in the world of locks with something of their own.
struct Cells {
  RwLockCell lock;
  GuardedCell<Thing> value;
  OnceCell once;
};
inline constexpr std::uint64_t kGuardedSize = 100;
inline constexpr std::uint32_t kParties = 2;

// One file of a world, as its makers left it. Files of worlds are few and their pages mostly empty.
struct FileImage {
  enum class Role { object, members, data, seats };
  struct Extent {
    std::uint64_t offset;
    std::vector<std::uint8_t> bytes;
  };
  Role role = Role::object;
  std::uint64_t size = 0;
  std::uint32_t mode = 0600;
  std::uint64_t object_inode = 0;  // as it stood in this file when the image was taken
  std::vector<Extent> extents;
  Places places;
};

class World {
 public:
  // Makes the images: forks, so that it must come before any thread.
  World();

  // Lays out a world of that kind; what was left of the one before it goes.
  void begin(Kind kind);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const Domain& domain() const { return domains_[static_cast<std::size_t>(kind_)]; }
  [[nodiscard]] std::string path() const { return domain().path(); }
  [[nodiscard]] static const char* object() { return kObject; }
  // The files as a vandal has them: open, whatever becomes of their names. Of a memory: just one.
  [[nodiscard]] std::size_t files() const { return files_.size(); }
  [[nodiscard]] int file(std::size_t index) const { return files_[index].number(); }
  [[nodiscard]] std::uint64_t size(std::size_t index) const { return images()[index].size; }
  [[nodiscard]] const std::vector<FileImage>& images() const { return images(kind_); }
  [[nodiscard]] const std::vector<FileImage>& images(Kind kind) const {
    return images_[static_cast<std::size_t>(kind)];
  }

 private:
  void empty_the_directory() const;
  void lay_out_domain();
  void lay_out_memory();

  tests::ScratchDirectory scratch_;
  Kind kind_ = Kind::channel;
  std::vector<Domain> domains_;
  std::array<std::vector<FileImage>, kKinds> images_;
  std::vector<os::Descriptor> files_;
};

// While one lives, file modes count for root, too: so that it can be refused a channel, and become
// a guest there.
class ObeyingModes {
 public:
  ObeyingModes();
  ~ObeyingModes();
  ObeyingModes(const ObeyingModes&) = delete;
  ObeyingModes& operator=(const ObeyingModes&) = delete;

 private:
  bool changed_ = false;
};

}  // namespace kith::hostile
