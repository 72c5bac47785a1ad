#include "tests/hostile/world.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/capability.h>
#include <memory>
#include <span>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <tuple>
#include <unistd.h>

#include "kith/channel/latest_bytes.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/member/member.hpp"
#include "kith/region/internal/satellite.hpp"
#include "kith/region/memfd_region.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/guarded_bytes.hpp"

#include "testkit/process.hpp"

namespace kith::hostile {
namespace {

using testkit::Mouth;
using testkit::Process;

constexpr std::uint64_t kPage = 4096;
// The word of a satellite's header that says which object it belongs to.
constexpr std::uint64_t kInodeInHeader =
    offsetof(internal::RegionHeader, geometry) + internal::kObjectInodeWord * sizeof(std::uint64_t);

testkit::TimePoint soon() {
  return testkit::within(std::chrono::seconds(60));
}

// Does its work, and is killed with all that it then holds in its hands.
class Doomed {
 public:
  template <class Work>
  explicit Doomed(Work work)
      : process_(Process::fork("maker", [work](Mouth& mouth) -> std::string {
          const auto held = work();
          mouth.say("done");
          (void)mouth.hear(soon());
          return "";
        })) {
    if (const std::string wrong = process_.expect("done", soon()); !wrong.empty()) {
      throw std::runtime_error("a world could not be made: " + wrong + "; " +
                               process_.finish(soon()).text());
    }
  }
  ~Doomed() { (void)process_.kill(); }
  Doomed(const Doomed&) = delete;
  Doomed& operator=(const Doomed&) = delete;

 private:
  Process process_;
};

LatestOptions options_of(const ChannelSize& size, const std::string& role = "") {
  LatestOptions options;
  options.readers_max = size.readers_max;
  options.spare_slots = size.spare_slots;
  options.role = role;
  if (size.guests_max > 0) options.rights = {0644, ""};
  options.guests_max = size.guests_max;
  options.commit_time = true;
  return options;
}

// One that was told a value and holds it.
struct Holder {
  LatestBytesReader reader;
  PinnedBytes pinned;
};
Holder hold(const Domain& domain, const ChannelSize& size, const std::string& role) {
  LatestBytesReader reader(domain, kObject, options_of(size, role));
  PinnedBytes pinned = reader.acquire();
  if (!pinned) throw std::runtime_error("the maker of a world read nothing");
  return {std::move(reader), std::move(pinned)};
}

Holder hold_as_guest(const Domain& domain) {
  const std::string path = domain.path() + "/" + kObject;
  const ObeyingModes obeying;
  ::chmod(path.c_str(), 0);
  Holder holder = hold(
      domain, {kGuestChannel.readers_max, kGuestChannel.guests_max, kGuestChannel.spare_slots, 0},
      "visitor");
  ::chmod(path.c_str(), 0600);
  return holder;
}

// A dead writer; a dead named reader with a value, an unnamed one with a newer value, a name that
// waits for its next holder; with guests also one of them. Two dead members.
void make_channel(const Domain& domain, const ChannelSize& size) {
  const std::vector<std::byte> value(size.payload_max, std::byte{0x5a});
  const Doomed writer([&] {
    LatestBytesWriter made(domain, kObject, size.payload_max, options_of(size));
    for (int i = 0; i < 3; ++i) (void)made.write(value);
    return made;
  });
  const Doomed reader([&] {
    { LatestBytesReader left(domain, kObject, options_of(size, "logger")); }
    std::vector<Holder> held;
    held.push_back(hold(domain, size, "viewer"));
    held.push_back(hold(domain, size, ""));
    if (size.guests_max > 0) held.push_back(hold_as_guest(domain));
    return held;
  });
}

void make_objects(const Domain& domain) {
  const Doomed maker([&] {
    auto world = ObjectRegion::create(domain, kObject, {.bytes = 512, .objects_max = kObjectsMax});
    (void)world.create_object<std::atomic<std::uint64_t>>("count", Deadline::now());
    (void)world.create_object<Thing>("thing", Deadline::now());
    return std::pair(std::move(world), Member::join(domain));
  });
}

template <class Make>
void make_region(const Domain& domain, Make make) {
  const Doomed maker([&] { return std::pair(make(), Member::join(domain)); });
}

// A dead holder, and one who died waiting for it.
template <class Open>
void make_mutex(Open open) {
  const auto doomed = [open](Deadline deadline) {
    return Doomed([=] {
      Mutex mutex = open();
      (void)mutex.acquire(deadline);
      return mutex;
    });
  };
  const Doomed holder = doomed(Deadline::now());
  const Doomed waiter = doomed(Deadline::after(std::chrono::milliseconds(1)));
}

// One who died holding a permit and sitting at the barrier, with one who is not asleep any more.
void make_waits(const Domain& domain) {
  const Doomed maker([&] {
    const auto region = Region<Waits>::create(domain, kObject);
    auto waiters = std::make_unique<Waiters>(region);
    (void)waiters->permits.try_acquire();
    (void)waiters->automatic.wait(Deadline::after(std::chrono::milliseconds(1)));
    (void)waiters->step.arrive_and_wait(Deadline::after(std::chrono::milliseconds(1)));
    (void)waiters->signals.release(3);
    return waiters;
  });
}

void make_permits(const Domain& domain) {
  const Doomed maker([&] {
    auto permits = std::make_unique<Semaphore>(domain, kObject, kPermits);
    (void)permits->try_acquire();
    return permits;
  });
}

// Calls `work(stay)` in a thread, which calls `stay()` where it is to be killed.
template <class Work>
void stay_inside(Work work) {
  const auto inside = std::make_shared<std::atomic<bool>>(false);
  std::thread([work, inside] {
    work([inside] {
      inside->store(true);
      inside->notify_all();
      for (;;) ::pause();
    });
  }).detach();
  inside->wait(false);
}

// A dead reader, and a writer that died while it waited for it.
void make_rw_lock(const Domain& domain) {
  const auto open = [domain] { return std::make_shared<RwLock>(domain, kObject); };
  const Doomed reader([open] {
    auto lock = open();
    (void)lock->try_acquire_shared();
    return lock;
  });
  const Doomed writer([open] {
    auto lock = open();
    std::thread([lock] { (void)lock->acquire(Deadline::never()); }).detach();
    while (!lock->facts().draining) std::this_thread::yield();
    return lock;
  });
}

void change_for_ever(const std::shared_ptr<Guarded<Thing>>& value) {
  (void)value->set(Thing{.number = 3}, Deadline::now());
  stay_inside([value](const auto& stay) {
    const auto change = [&](Thing& now) {
      now.number = 4;
      stay();
    };
    (void)value->change(change, Deadline::never());
  });
}

void run_for_ever(const std::shared_ptr<Once>& once) {
  stay_inside([once](const auto& stay) { (void)once->call(stay, Deadline::never()); });
}

void make_guarded(const Domain& domain) {
  const Doomed maker([domain] {
    auto value = std::make_shared<Guarded<Thing>>(domain, kObject);
    change_for_ever(value);
    return value;
  });
}

void make_guarded_bytes(const Domain& domain) {
  const Doomed maker([domain] {
    GuardedBytes bytes(domain, kObject, kGuardedSize);
    return bytes.try_acquire();
  });
}

void make_once(const Domain& domain) {
  const Doomed maker([domain] {
    auto once = std::make_shared<Once>(domain, kObject);
    run_for_ever(once);
    return once;
  });
}

void make_barrier(const Domain& domain) {
  const Doomed maker([domain] {
    auto step = std::make_unique<Barrier>(domain, kObject, kParties);
    (void)step->arrive_and_wait(Deadline::after(std::chrono::milliseconds(1)));
    return step;
  });
}

void make_cells(const Domain& domain) {
  const Doomed maker([domain] {
    const auto region = Region<Cells>::create(domain, kObject);
    auto lock = std::make_shared<RwLock>(region, region->lock);
    (void)lock->try_acquire();
    auto value = std::make_shared<Guarded<Thing>>(region, region->value);
    change_for_ever(value);
    auto once = std::make_shared<Once>(region, region->once);
    run_for_ever(once);
    return std::tuple(lock, value, once);
  });
}

void make_domain(Kind kind, const Domain& domain) {
  switch (kind) {
    case Kind::channel:
      return make_channel(domain, kChannel);
    case Kind::guests:
      return make_channel(domain, kGuestChannel);
    case Kind::objects:
      return make_objects(domain);
    case Kind::type:
      return make_region(domain, [&] { return Region<Thing>::create(domain, kObject); });
    case Kind::bytes:
      return make_region(domain, [&] { return Region<>::create(domain, kObject, 5000); });
    case Kind::mutex:
      return make_mutex([domain] { return Mutex(domain, kObject); });
    case Kind::cell:
      return make_mutex([domain] {
        const auto region = Region<GuardedThing>::open_or_create(domain, kObject);
        return Mutex(region, region->lock);
      });
    case Kind::waits:
      return make_waits(domain);
    case Kind::permits:
      return make_permits(domain);
    case Kind::rw_lock:
      return make_rw_lock(domain);
    case Kind::guarded:
      return make_guarded(domain);
    case Kind::guarded_bytes:
      return make_guarded_bytes(domain);
    case Kind::once:
      return make_once(domain);
    case Kind::barrier:
      return make_barrier(domain);
    case Kind::cells:
      return make_cells(domain);
    case Kind::memory_type:
    case Kind::memory_bytes:
    case Kind::sealed_type:
    case Kind::sealed_bytes:
      break;
  }
}

std::vector<FileImage::Extent> extents_of(int file, std::uint64_t size) {
  std::vector<FileImage::Extent> extents;
  std::vector<std::uint8_t> page(kPage);
  for (std::uint64_t offset = 0; offset < size; offset += kPage) {
    const ssize_t got = ::pread(file, page.data(), page.size(), static_cast<off_t>(offset));
    if (got <= 0) throw std::runtime_error("a world could not be read");
    const auto end = page.begin() + got;
    if (std::all_of(page.begin(), end, [](std::uint8_t byte) { return byte == 0; })) continue;
    extents.push_back({offset, {page.begin(), end}});
  }
  return extents;
}

FileImage image_of(int file, FileImage::Role role, std::uint64_t inode) {
  struct stat status {};
  ::fstat(file, &status);
  FileImage image;
  image.role = role;
  image.size = static_cast<std::uint64_t>(status.st_size);
  image.mode = status.st_mode & 07777;
  image.object_inode = inode;
  image.extents = extents_of(file, image.size);
  return image;
}

FileImage image_of_memory(Kind kind) {
  if (kind == Kind::memory_type || kind == Kind::sealed_type) {
    const auto made = MemfdRegion<Thing>::create(kObject);
    return image_of(made.descriptor().number(), FileImage::Role::object, 0);
  }
  const auto made = MemfdRegion<>::create(kObject, 5000);
  return image_of(made.descriptor().number(), FileImage::Role::object, 0);
}

std::string file_name(FileImage::Role role, std::uint64_t inode) {
  const os::FileIdentity object{.device = 0, .inode = inode};
  switch (role) {
    case FileImage::Role::members:
      return internal::kMembersName;
    case FileImage::Role::data:
      return internal::satellite_name(object, internal::kDataSatellite);
    case FileImage::Role::seats:
      return internal::satellite_name(object, internal::kSeatsSatellite);
    case FileImage::Role::object:
      break;
  }
  return kObject;
}

std::vector<FileImage> images_in(const std::string& directory) {
  struct stat status {};
  if (::stat((directory + "/" + kObject).c_str(), &status) != 0) {
    throw std::runtime_error("a world has no object");
  }
  std::vector<FileImage> images;
  for (const auto role : {FileImage::Role::object, FileImage::Role::members, FileImage::Role::data,
                          FileImage::Role::seats}) {
    const std::string path = directory + "/" + file_name(role, status.st_ino);
    const os::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file && role == FileImage::Role::data) break;
    if (!file) throw std::runtime_error("a world lacks " + path);
    images.push_back(image_of(file.number(), role, status.st_ino));
  }
  return images;
}

Places places_of(Kind kind, const FileImage& image) {
  const ChannelSize& channel = kind == Kind::guests ? kGuestChannel : kChannel;
  switch (image.role) {
    case FileImage::Role::members:
      return places_of_members(image.size, kMembersMax,
                               kind == Kind::rw_lock || kind == Kind::cells);
    case FileImage::Role::data:
      return places_of_data(image.size, channel);
    case FileImage::Role::seats:
      return places_of_seats(image.size, channel);
    case FileImage::Role::object:
      break;
  }
  if (kind == Kind::channel || kind == Kind::guests) return places_of_channel(image.size, channel);
  if (kind == Kind::objects) return places_of_objects(image.size, kObjectsMax);
  if (kind == Kind::mutex) return places_of_mutex(image.size);
  if (kind == Kind::cell) return places_of_cell(image.size);
  if (kind == Kind::waits || kind == Kind::permits) return places_of_waits(image.size);
  if (kind == Kind::rw_lock) return places_of_rw_lock(image.size);
  if (kind == Kind::cells) return places_of_cells(image.size);
  if (kind == Kind::guarded || kind == Kind::guarded_bytes) return places_of_guarded(image.size);
  if (kind == Kind::once || kind == Kind::barrier) return places_of_words(image.size);
  return places_of_bytes(image.size);
}

// Where a world's other files speak of the object's own by its number.
std::vector<std::uint64_t> inode_places(const FileImage& image) {
  if (image.role == FileImage::Role::data || image.role == FileImage::Role::seats) {
    return {kInodeInHeader};
  }
  std::vector<std::uint64_t> places;
  if (image.role != FileImage::Role::members) return places;
  const std::uint64_t lists = internal::kRegionHeaderSize + internal::lists_offset(kMembersMax);
  for (const FileImage::Extent& extent : image.extents) {
    for (std::uint64_t i = 0; extent.offset >= lists && i + 8 <= extent.bytes.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, extent.bytes.data() + i, sizeof word);
      if (word == image.object_inode) places.push_back(extent.offset + i);
    }
  }
  return places;
}

void write_at(int file, const void* from, std::size_t size, std::uint64_t offset) {
  if (::pwrite(file, from, size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size)) {
    throw std::runtime_error("a world could not be laid out: no room?");
  }
}

// The image's bytes, in a file that is empty so far.
void write_image(int file, const FileImage& image, std::uint64_t inode) {
  if (::ftruncate(file, static_cast<off_t>(image.size)) != 0) {
    throw std::runtime_error("a world could not be laid out: no room?");
  }
  for (const FileImage::Extent& extent : image.extents) {
    write_at(file, extent.bytes.data(), extent.bytes.size(), extent.offset);
  }
  for (const std::uint64_t place : inode_places(image)) {
    write_at(file, &inode, sizeof inode, place);
  }
}

}  // namespace

World::World() {
  for (std::uint8_t i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    DomainOptions options{.members_max = kMembersMax};
    if (kind == Kind::guests) options.rights = {0755, ""};
    domains_.push_back(Domain::at(scratch_.in(name_of(kind)), options));
    (void)domains_.back().open_or_create();
    std::vector<FileImage>& images = images_[i];
    if (is_memory(kind)) {
      images.push_back(image_of_memory(kind));
    } else {
      make_domain(kind, domains_[i]);
      images = images_in(domains_[i].path());
    }
    for (FileImage& image : images) image.places = places_of(kind, image);
  }
}

void World::begin(Kind kind) {
  kind_ = kind;
  files_.clear();
  empty_the_directory();
  if (is_memory(kind)) {
    lay_out_memory();
  } else {
    lay_out_domain();
  }
}

void World::empty_the_directory() const {
  for (const auto& entry : std::filesystem::directory_iterator(path())) {
    std::filesystem::remove(entry.path());
  }
}

void World::lay_out_domain() {
  std::uint64_t inode = 0;
  for (const FileImage& image : images()) {
    const std::string path = this->path() + "/" + file_name(image.role, inode);
    files_.emplace_back(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const int file = files_.back().number();
    struct stat status {};
    if (::fstat(file, &status) != 0 || ::fchmod(file, image.mode) != 0) {
      throw std::runtime_error("a world could not be laid out");
    }
    if (image.role == FileImage::Role::object) inode = status.st_ino;
    write_image(file, image, inode);
  }
}

void World::lay_out_memory() {
  files_.emplace_back(::memfd_create(kObject, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  write_image(files_.back().number(), images().front(), 0);
  constexpr int kSizeSealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (is_sealed(kind_)) ::fcntl(files_.back().number(), F_ADD_SEALS, kSizeSealed);
}

namespace {

constexpr std::uint32_t kOverrides = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;

// The effective capabilities of this thread; false if the kernel refuses.
bool change_capabilities(std::uint32_t take, std::uint32_t give) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  const std::uint32_t wanted = (data[0].effective & ~take) | (give & data[0].permitted);
  if (wanted == data[0].effective) return false;
  data[0].effective = wanted;
  return ::syscall(SYS_capset, &header, data) == 0;
}

}  // namespace

ObeyingModes::ObeyingModes() : changed_(change_capabilities(kOverrides, 0)) {}

ObeyingModes::~ObeyingModes() {
  if (changed_) (void)change_capabilities(0, kOverrides);
}

}  // namespace kith::hostile
