// Actors: all that a process can hold of kith at once, used in every way. Whatever stands in the
// world's bytes, each call gives an answer, or throws kith::Error.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kith/channel/latest_bytes.hpp"
#include "kith/member/member.hpp"
#include "kith/region/memfd_region.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/guarded_bytes.hpp"
#include "kith/sync/mutex.hpp"

#include "tests/hostile/books.hpp"
#include "tests/hostile/world.hpp"

namespace kith::hostile {

// A reader, what it holds, and what it has seen.
class ReaderActor {
 public:
  ReaderActor(const Domain& domain, const std::string& role, Inherited inherited);

  [[nodiscard]] LatestBytesReader& reader() { return reader_; }
  void acquire(Books& books);
  void refresh(Books& books);
  void resume(Books& books);
  void copy(std::uint64_t room, Books& books);
  void release() { pinned_ = PinnedBytes(); }

 private:
  void look(const PinnedBytes& pinned, Books& books);

  LatestBytesReader reader_;
  PinnedBytes pinned_;
  std::uint64_t payload_max_;
  std::uint64_t sequence_ = 0;
};

class Actors {
 public:
  Actors(World& world, Books& books) : world_(world), books_(books) {}
  Actors(const Actors&) = delete;
  Actors& operator=(const Actors&) = delete;

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] const Domain& domain() const { return world_.domain(); }
  [[nodiscard]] Books& books() { return books_; }

  std::unique_ptr<LatestBytesWriter> writer;
  DraftBytes draft;
  std::array<std::unique_ptr<ReaderActor>, 2> readers;
  std::unique_ptr<ObjectRegion> objects;
  std::unique_ptr<Region<Thing>> type;
  std::unique_ptr<Region<>> bytes;
  std::unique_ptr<Mutex> mutex;
  std::unique_ptr<Waiters> waiters;
  std::unique_ptr<Semaphore> permits;
  std::array<std::unique_ptr<Barrier>, kParties> parties;
  std::unique_ptr<RwLock> lock;
  std::unique_ptr<Guarded<Thing>> guarded;
  std::unique_ptr<GuardedBytes> guarded_bytes;
  std::optional<HeldBytes> held;  // goes before what it is held of
  std::unique_ptr<Once> once;
  std::unique_ptr<Member> member;
  std::unique_ptr<MemfdRegion<Thing>> memory_type;
  std::unique_ptr<MemfdRegion<const Thing>> memory_to_read;
  std::unique_ptr<MemfdRegion<>> memory_bytes;

 private:
  World& world_;
  Books& books_;
};

// Reads every byte, and, of memory that can be written, writes it back.
void touch(std::span<const std::byte> bytes);
void touch(std::span<std::byte> bytes);

}  // namespace kith::hostile
