// What a modelled kernel remembers, and how its calls enter and leave.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <vector>

#include "testkit/explore/internal/engine.hpp"
#include "testkit/explore/internal/hash.hpp"
#include "testkit/explore/kernel.hpp"

namespace kith::testkit::explore {
namespace internal {

inline constexpr std::uint64_t kFileMax = 1 << 20;  // of address space; only what is touched costs

struct FreeBytes {
  void operator()(std::byte* bytes) const noexcept { ::munmap(bytes, kFileMax); }
};

struct Inode {
  std::uint64_t number = 0;
  std::uint64_t size = 0;
  std::uint32_t mode = 0600;
  std::uint32_t links = 0;
  std::uint32_t opens = 0;
  std::uint64_t written = 0;  // a hash of all that write() did
  std::unique_ptr<std::byte, FreeBytes> bytes;
};

struct Directory {
  std::uint64_t number = 0;
  std::uint32_t mode = 0700;
  std::map<std::string, std::uint64_t> entries;
};

// An open of a file, which lives by descriptors and mappings; its locks end with it.
struct Open {
  std::size_t process = 0;
  std::uint64_t inode = 0;  // of a file, or
  std::string directory;    // a path
  std::uint32_t references = 0;
};

struct HeldLock {
  std::uint64_t inode;
  std::uint64_t byte;
  std::uint64_t open;
  Kernel::Lock kind;
};

// Of a process that sleeps, or is about to.
struct Sleeper {
  std::array<const void*, Kernel::kWordsMax> words{};  // that it can be woken on; null: no more
  std::int64_t until = 0;

  [[nodiscard]] bool is_on(const void* word) const {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
  // A wake that is used up, also if it sleeps on that word twice.
  void taken_off(const void* word) {
    *std::find(words.begin(), words.end(), word) = nullptr;
    ++wakes;
  }
  std::uint32_t wakes = 0;
};

inline std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = text.size();
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t part = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), part);
    text.remove_prefix(part);
    hash = mixed(hash, word);
  }
  return hash;
}

}  // namespace internal

struct Kernel::State final : internal::Attachment {
  internal::Engine* engine = nullptr;
  std::map<std::string, internal::Directory> directories;
  std::map<std::uint64_t, internal::Inode> inodes;
  std::map<std::uint64_t, internal::Open> opens;
  std::map<int, std::uint64_t> descriptors;
  // Every process finds a file's bytes at one address, so a mapping is known by its size as well.
  struct Mapped {
    std::size_t process;
    const std::byte* address;
    std::uint64_t size;
    std::uint64_t open;
    bool for_children = true;
  };
  std::vector<Mapped> mappings;
  std::vector<std::uint64_t> of_children;         // opens that forked children hold, each as often
  std::set<std::uint64_t> described_in_children;  // those that they hold by a descriptor
  std::set<int> not_for_children;
  std::array<std::vector<bool>, kProcessesMax + 1> guards{};
  // What a child would inherit has changed since it was last asked whether one is born.
  std::array<bool, kProcessesMax + 1> inheritance_changed{};
  std::uint32_t forks_left = 0;
  std::vector<internal::HeldLock> locks;
  std::map<std::size_t, internal::Sleeper> sleepers;
  std::size_t set_up_as = kProcessesMax;
  std::uint64_t run = 0;
  std::uint64_t next_inode = 100;
  std::uint64_t next_open = 1;
  int next_descriptor = 3;
  std::int64_t now = 1'000'000'000;
  std::array<std::uint64_t, kProcessesMax + 1> randoms{};

  // ---- a call: others may go on before it; what it answers becomes part of the caller
  [[nodiscard]] std::size_t enter() {
    if (!engine->in_process()) return set_up_as;
    may_fork(engine->running());
    engine->before_access();
    engine->memory().synchronize(engine->running());
    return engine->running();
  }
  void may_fork(std::size_t process) {
    const std::vector<bool>& guarded = guards[process];
    const bool forbidden = std::find(guarded.begin(), guarded.end(), true) != guarded.end();
    if (forks_left == 0 || forbidden || !inheritance_changed[process]) return;
    inheritance_changed[process] = false;
    if (engine->choose(2) == 0) return;
    --forks_left;
    tell("forks");
    for (const auto& [number, open] : descriptors) {
      if (opens.at(open).process == process && !not_for_children.contains(number)) {
        of_children.push_back(open);
        described_in_children.insert(open);
      }
    }
    for (const Mapped& mapped : mappings) {
      if (mapped.process == process && mapped.for_children) of_children.push_back(mapped.open);
    }
    for (const std::uint64_t open : of_children) ++opens.at(open).references;
  }
  void changed() {
    if (engine->in_process()) engine->self().changed = true;
  }
  int answer(int error) {
    engine->note(static_cast<std::uint64_t>(error));
    return error;
  }
  void tell(const std::string& what) {
    if (engine->tells()) engine->tell(what, {});
  }

  internal::Open* open_of(int descriptor) {
    const auto found = descriptors.find(descriptor);
    return found == descriptors.end() ? nullptr : &opens.at(found->second);
  }
  internal::Inode* inode_of(int descriptor) {
    const internal::Open* open = open_of(descriptor);
    return open == nullptr || open->inode == 0 ? nullptr : &inodes.at(open->inode);
  }
  internal::Directory* directory_of(int descriptor) {
    const internal::Open* open = open_of(descriptor);
    if (open == nullptr || open->directory.empty()) return nullptr;
    const auto found = directories.find(open->directory);
    // Removed, it lives on without entries and takes none.
    return found == directories.end() ? nullptr : &found->second;
  }

  int add_descriptor(std::uint64_t open) {
    ++opens.at(open).references;
    if (opens.at(open).process <= kProcessesMax) inheritance_changed[opens.at(open).process] = true;
    descriptors[next_descriptor] = open;
    return next_descriptor++;
  }
  int add_open(std::size_t process, std::uint64_t inode, const std::string& directory) {
    opens[next_open] = {process, inode, directory, 0};
    if (inode != 0) ++inodes.at(inode).opens;
    return add_descriptor(next_open++);
  }
  void drop(std::uint64_t number) {
    internal::Open& open = opens.at(number);
    if (--open.references > 0) return;
    std::erase_if(locks, [&](const internal::HeldLock& lock) { return lock.open == number; });
    if (open.inode != 0) {
      --inodes.at(open.inode).opens;
      drop_inode(open.inode);
    }
    opens.erase(number);
  }
  void drop_inode(std::uint64_t number) {
    const internal::Inode& inode = inodes.at(number);
    // Its bytes stay to the run's end: a killed process may lie half-way through them.
    if (inode.links == 0 && inode.opens == 0) buried.push_back(inodes.extract(number));
  }
  std::vector<std::map<std::uint64_t, internal::Inode>::node_type> buried;

  [[nodiscard]] const internal::HeldLock* conflict(const internal::Open& open, std::uint64_t number,
                                                   std::uint64_t byte, Lock kind) const {
    for (const internal::HeldLock& lock : locks) {
      const bool same_byte = lock.inode == open.inode && lock.byte == byte;
      const bool compatible = kind == Lock::shared && lock.kind == Lock::shared;
      if (same_byte && lock.open != number && !compatible) return &lock;
    }
    return nullptr;
  }

  [[nodiscard]] std::uint32_t look(const void* word, std::size_t process);
  void wake(std::size_t process, const void* word);
  // True if it was woken for no reason.
  bool sleep(std::size_t process) {
    const internal::Sleeper& how = sleepers.at(process);
    if (how.wakes == 0) engine->sleep();
    const bool for_no_reason = how.wakes == 0 && (how.until == 0 || now < how.until);
    sleepers.erase(process);
    return for_no_reason;
  }

  // ---- what the engine asks
  void on_death(std::size_t process) override {
    // Its locks are freed after all that it stored: who finds them free has seen that.
    engine->memory().synchronize(process);
    sleepers.erase(process);
    std::set<std::uint64_t> dead;
    for (const auto& [number, open] : opens) {
      if (open.process == process) dead.insert(number);
    }
    std::erase_if(descriptors, [&](const auto& one) { return dead.contains(one.second); });
    std::erase_if(mappings, [&](const Mapped& one) { return dead.contains(one.open); });
    guards[process].clear();
    for (const std::uint64_t number : dead) {
      // Its children's references stay.
      const auto kept = std::count(of_children.begin(), of_children.end(), number);
      opens.at(number).references = 1 + static_cast<std::uint32_t>(kept);
      drop(number);
    }
  }

  // Everybody waits: time moves on to the first who waits for that.
  bool on_idle() override {
    const internal::Sleeper* first = nullptr;
    std::size_t process = 0;
    for (const auto& [who, sleeper] : sleepers) {
      if (sleeper.until == 0 || (first != nullptr && sleeper.until >= first->until)) continue;
      first = &sleeper;
      process = who;
    }
    if (first == nullptr) return false;
    now = std::max(now, first->until);
    engine->wake(process);
    return true;
  }

  [[nodiscard]] std::uint64_t state() const override {
    std::uint64_t sum = static_cast<std::uint64_t>(now);
    for (const auto& [path, directory] : directories) {
      sum += internal::mixed(internal::hash_of(path), directory.number * 8 + directory.mode);
      for (const auto& [name, inode] : directory.entries) {
        sum += internal::mixed(internal::mixed(internal::hash_of(path), internal::hash_of(name)),
                               inode);
      }
    }
    for (const auto& [number, inode] : inodes) {
      sum += internal::mixed(internal::mixed(number, inode.size),
                             internal::mixed(inode.written, inode.mode * 64 + inode.links));
    }
    for (const internal::HeldLock& lock : locks) {
      const std::uint64_t owner = opens.at(lock.open).process;
      sum += internal::mixed(internal::mixed(lock.inode, lock.byte),
                             owner * 2 + (lock.kind == Lock::shared));
    }
    for (const std::uint64_t open : of_children) sum += internal::mixed(open, 4711);
    for (const auto& [process, sleeper] : sleepers) {
      std::uint64_t words = 0;
      for (const void* word : sleeper.words) words = words * 2 + (word != nullptr);
      sum += internal::mixed(internal::mixed(process + 1000, words),
                             static_cast<std::uint64_t>(sleeper.until));
    }
    return sum;
  }
};

}  // namespace kith::testkit::explore
