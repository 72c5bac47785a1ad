// Creating each kind of memory that has a name, listening under a name, and a region in a memfd:
// killed anywhere, they leave a whole one or none, and nothing in the way of the next.
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

#include "kith/memory/file_memory.hpp"
#include "kith/memory/memory_socket.hpp"
#include "kith/memory/posix_shm.hpp"
#include "kith/memory/sysv_shm.hpp"
#include "kith/region/memfd_region.hpp"

#include "tests/prove/subjects.hpp"

namespace kith::prove {
namespace {

using namespace std::chrono_literals;
using testkit::Subject;

constexpr std::uint64_t kSize = 10'000;

template <class M>
std::optional<M> opened(const typename M::Name& name) {
  try {
    return M::open(name, Access::read_write);
  } catch (const Error& error) {
    if (error.errc() == Errc::not_found) return std::nullopt;
    throw;
  }
}

// Whatever the victim left: the name opens whole, or can be created, and again.
template <class M>
std::string usable(const typename M::Name& name) {
  for (int round = 0; round < 2; ++round) {
    auto memory = opened<M>(name);
    if (!memory) memory = M::create(name, kSize);
    if (memory->size() != kSize) return "a memory that is not whole can be seen";
    for (const std::byte byte : memory->bytes()) {
      if (byte != std::byte{0}) return "a new memory is not zeroed";
    }
    M::remove(name);
  }
  return opened<M>(name) ? "the name is still there" : "";
}

template <class M>
void remove_if_there(const typename M::Name& name) {
  if (opened<M>(name)) M::remove(name);
}

template <class M>
Subject creating(const World& world, const std::string& what, const typename M::Name& name) {
  Subject subject = world.subject(what);
  subject.prepare = [world] { std::filesystem::create_directory(world.path()); };
  subject.operation = [name] { new M(M::create(name, kSize)); };
  subject.survivor = [name] { return usable<M>(name); };
  subject.restart = subject.survivor;
  subject.balance = [world] {
    return demand(std::filesystem::is_empty(world.path()), "leak: a file is left in the folder");
  };
  subject.clean_up = [name, clean = subject.clean_up] {
    remove_if_there<M>(name);
    clean();
  };
  return subject;
}

template <class M>
Subject removing(const World& world, const std::string& what, const typename M::Name& name) {
  Subject subject = creating<M>(world, what, name);
  subject.prepare = [world, name] {
    std::filesystem::create_directory(world.path());
    static_cast<void>(M::create(name, kSize));
  };
  subject.operation = [name] { M::remove(name); };
  return subject;
}

// System V knows no step that creates, attaches and marks at once: what a death in between leaves
// must be found by abandoned(), and be all there is.
Subject sysv_until_last_user(const World& world) {
  Subject subject = world.subject("sysv create until last user");
  subject.operation = [] { new SysvShm(SysvShm::create_until_last_user(kSize)); };
  subject.balance = [] {
    std::size_t unknown = 0;
    for (const SysvFacts& segment : os::sysv_segments()) {
      unknown += segment.size == kSize && segment.key == 0 && segment.attached == 0 ? 1U : 0U;
    }
    std::size_t told = 0;
    for (const SysvFacts& segment : SysvShm::abandoned()) {
      if (segment.size != kSize) continue;
      ++told;
      SysvShm::remove_id(segment.id);
    }
    if (told != unknown) return std::string("leak: a segment that abandoned() does not tell of");
    return demand(told <= 1, "leak: more than one segment is left");
  };
  return subject;
}

Subject listening(const World& world) {
  Subject subject = world.subject("listen at a path");
  const std::string path = world.path() + "/socket";
  subject.prepare = [world] { std::filesystem::create_directory(world.path()); };
  subject.operation = [path] { new MemoryListener(MemoryListener::at(path, Deadline::after(1s))); };
  subject.survivor = [path] {
    auto listener = MemoryListener::at(path, Deadline::after(1s));
    const auto guest = MemorySocket::connect(path, Deadline::after(1s));
    const auto host = listener.accept(Deadline::after(1s));
    const auto memory = Memfd::create("frame", kSize);
    host.send(memory, Deadline::after(1s));
    const auto received = guest.receive(Access::read_only, {}, Deadline::after(1s));
    return demand(received.size() == kSize, "what was sent did not arrive");
  };
  subject.restart = subject.survivor;
  subject.balance = [world] {
    return demand(std::filesystem::is_empty(world.path()), "leak: a socket is left in the folder");
  };
  return subject;
}

struct Robot {
  std::atomic<std::int64_t> speed = 3;
};

// The bystander's end of a socket, by which the victim's region may arrive.
Subject sending_a_region(const World& world) {
  Subject subject = world.subject("memfd region create and send");
  const auto ends = std::make_shared<std::pair<MemorySocket, MemorySocket>>(MemorySocket::pair());
  subject.operation = [ends] {
    const auto robot = MemfdRegion<Robot>::create("robot", Writers::creator);
    ends->first.send(robot, Deadline::after(1s));
  };
  subject.survivor = [ends] {
    try {
      const auto robot = MemfdRegion<const Robot>::receive(ends->second, Deadline::now());
      // relaxed: the socket orders what was written before it was sent.
      return demand(robot->speed.load(std::memory_order_relaxed) == 3,
                    "a region that is not whole arrived");
    } catch (const Error& error) {
      return demand(error.errc() == Errc::timed_out, error.what());
    }
  };
  subject.restart = [ends] {
    const auto robot = MemfdRegion<Robot>::create("robot", Writers::creator);
    ends->first.send(robot, Deadline::after(1s));
    return demand(
        static_cast<bool>(MemfdRegion<const Robot>::receive(ends->second, Deadline::after(1s))),
        "a region sent after the death did not arrive");
  };
  return subject;
}

}  // namespace

std::vector<Subject> memory_subjects(const World& world) {
  const std::string own = "kith-proof-" + std::to_string(::getpid());
  const std::string file = world.path() + "/memory";
  const SysvKey key = SysvKey::of_number(0x6d000000 | static_cast<std::int32_t>(::getpid()));
  return {creating<PosixShm>(world, "posix create", own),
          removing<PosixShm>(world, "posix remove", own),
          creating<FileMemory>(world, "file create", file),
          removing<FileMemory>(world, "file remove", file),
          creating<SysvShm>(world, "sysv create", key),
          removing<SysvShm>(world, "sysv remove", key),
          sysv_until_last_user(world),
          listening(world),
          sending_a_region(world)};
}

}  // namespace kith::prove
