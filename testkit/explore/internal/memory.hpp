// The memory of a model: what each shared word holds, and, under weak memory, what it held before
// and who may still read that.
//
// Sequential: a word holds one value, and everybody reads it.
// Weak: each word keeps the order of its stores; each process has a view, the oldest store of each
// word that it may still read. An acquiring load takes over the view that a releasing store left,
// through fences and chains of read-modify-writes; a seq_cst load reads nothing older than the last
// seq_cst store. That is C++20 without what could only happen if a load saw a later store, and with
// the stores of a word ordered as they were executed.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "testkit/explore/explore.hpp"

namespace kith::testkit::explore::internal {

inline constexpr std::size_t kTracksMax = 96;
// What a process has seen of each track: of a word, its oldest readable store; of a payload, its
// last change; and how often each process had read the payload.
using View = std::array<std::uint16_t, kTracksMax>;

struct Store {
  std::uint64_t value = 0;
  View released{};  // what who acquires from it gets to know
};

inline constexpr std::uint32_t kNoTrack = 0xFFFFFFFF;

struct Location {
  std::uint64_t key = 0;           // the same in every execution, whatever the addresses
  std::uint32_t track = kNoTrack;  // until its first use; a model may have many words it never uses
  bool payload = false;
  std::uint64_t value = 0;
  std::uint32_t oldest_ordered = 0;  // index of the last seq_cst store
  std::vector<Store> stores;         // weak only
};

// From addresses to indices; emptied at no cost.
class AddressTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  void clear() noexcept {
    ++generation_;
    count_ = 0;
  }
  [[nodiscard]] std::uint32_t find(const void* address) const noexcept {
    for (std::size_t at = start(address);; ++at) {
      const Entry& entry = entries_[at & (entries_.size() - 1)];
      if (entry.generation != generation_) return kNone;
      if (entry.address == address) return entry.index;
    }
  }
  void insert(const void* address, std::uint32_t index);

 private:
  struct Entry {
    const void* address = nullptr;
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
  };
  [[nodiscard]] static std::size_t start(const void* address) noexcept {
    return static_cast<std::size_t>(
        (reinterpret_cast<std::uintptr_t>(address) >> 2) * 0x9E3779B97F4A7C15u >> 32);
  }

  std::vector<Entry> entries_ = std::vector<Entry>(1024);
  std::size_t count_ = 0;
  std::uint32_t generation_ = 1;
};

class Memory {
 public:
  explicit Memory(bool weak) : weak_(weak) {}

  [[nodiscard]] bool is_weak() const noexcept { return weak_; }
  // As new, but for the memory it has: there are millions of runs.
  void reset();

  // A word constructed in the model; its key is its turn.
  void add(const void* address, std::uint64_t value, bool payload);
  // Bytes in which words come to be where they are first used; their key is their place in it.
  void add_range(const void* begin, std::uint64_t size, std::uint64_t key);

  [[nodiscard]] Location& at(const void* address, std::uint64_t value);

  // How many stores the process may read: 1 is the newest alone.
  [[nodiscard]] std::size_t readable(const Location& location, std::size_t process,
                                     std::memory_order order) const;
  // `older` steps back from the newest.
  std::uint64_t load(Location& location, std::size_t process, std::memory_order order,
                     std::size_t older);
  void store(Location& location, std::size_t process, std::memory_order order, std::uint64_t value);
  // The newest value, replaced as one step.
  std::uint64_t exchange(Location& location, std::size_t process, std::memory_order order,
                         std::uint64_t value);
  [[nodiscard]] std::uint64_t peek(const Location& location, std::size_t older) const;
  void fence(std::size_t process, std::memory_order order);
  // A call of the kernel: who makes one later sees all that came before this one, as with locks.
  // It is no fence for what is relaxed.
  void synchronize(std::size_t process);

  // "" or the race that the access is.
  [[nodiscard]] std::string read_payload(Location& location, std::size_t process);
  [[nodiscard]] std::string write_payload(Location& location, std::size_t process,
                                          std::uint64_t value);

  // A process that begins knows all that was done before the first began.
  void begin(std::size_t process);
  // Whoever will not run again holds no old stores.
  void end(std::size_t process);
  // Whoever was killed races with nobody by what it had read.
  void forget_reads(std::size_t process);

  [[nodiscard]] std::uint64_t state() const;

 private:
  struct Known {
    View seen{};      // what it may no longer read
    View acquired{};  // what an acquire fence would add
    View released{};  // what its relaxed stores carry since its last release fence
    bool alive = false;
  };
  struct Range {
    const std::byte* begin;
    std::uint64_t size;
    std::uint64_t key;
  };

  Location& new_location(const void* address, std::uint64_t key, std::uint64_t value);
  void set(Location& location, std::uint64_t value);
  void take(Location& location, std::size_t process, std::memory_order order, std::size_t index);
  void append(Location& location, std::size_t process, std::memory_order order, std::uint64_t value,
              bool continues);
  void give_tracks(Location& location);
  [[nodiscard]] std::uint64_t state_of(const View& view, const View& base) const;

  bool weak_;
  std::uint64_t values_ = 0;  // a sum over all locations, kept up to date
  AddressTable known_;
  std::vector<Location> locations_;  // the first used_ of them
  std::size_t used_ = 0;
  std::vector<Range> ranges_;
  std::vector<std::uint64_t> tracks_;  // their keys
  std::array<Known, kProcessesMax> processes_{};
  View born_{};  // what the set-up did
  View kernel_{};
  View fences_{};  // what seq_cst fences have seen
};

}  // namespace kith::testkit::explore::internal
