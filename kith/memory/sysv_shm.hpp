// SysvShm: a segment of System V shared memory, for programs that speak shmget and shmat.
//
//   auto frame = SysvShm::create(SysvKey::of_path("/etc/camera.conf", 1), 640 * 480);
//   auto other = SysvShm::open(SysvKey::of_path("/etc/camera.conf", 1), Access::read_only);
//   SysvShm::remove(frame.name());               // gone with its last attachment
//
//   auto ours = SysvShm::create_until_last_user(1 << 20);   // no key: told by its id
//   auto theirs = SysvShm::open_id(ours.id(), Access::read_write);
//
// States       see memory.hpp, with one more: marked for destruction. remove() (IPC_RMID) takes the
//              key away at once; the segment stays until the last process detaches, by whatever
//              end, and on Linux its id opens it until then. is_marked_for_destruction() tells.
//              A segment that nobody removes stays until the machine restarts, attached or not.
// Callers      see memory.hpp; create, open and remove: any thread.
// A peer dies  the kernel detaches it. A segment is zeroed and of its size from the first instant,
//              so a creator killed half-way leaves a whole one, perhaps without all its pages yet,
//              or none: under a key the next open finds it, and facts() tells that its creator is
//              gone. create_until_last_user() marks the segment as soon as it is attached, so that
//              no death of any user leaves it behind. Only a creator killed in between, within a
//              few system calls, leaves a segment that nobody can know the id of; System V has no
//              step that does both (the setting kernel.shm_rmid_forced=1 closes the gap for the
//              whole machine). abandoned() lists such segments; to remove them is the caller's
//              decision.
// Cost         creating: 4 system calls and the kernel's zeroing; opening: 3. No descriptor.
//
// Use it only to meet such programs. PosixShm, FileMemory and Memfd have names that say what they
// are for, file rights, and sizes one can look up; and a Region cannot lie in a segment: there is
// no file to hold the kernel locks that tell who lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kith/memory/internal/mapped_bytes.hpp"
#include "kith/memory/memory.hpp"
#include "kith/os/sysv_shm.hpp"

namespace kith {

// What two programs must agree on to meet. Zero (IPC_PRIVATE) is the key of those without one.
class SysvKey {
 public:
  // No key.
  SysvKey() noexcept = default;
  // ftok(): made of 16 bits of the file's inode number, 8 of its device and 8 of `project` (1 to
  // 255). Other files may have the same key; and a file that was replaced, as editors and package
  // managers do, has another one. Throws not_found, invalid_argument.
  [[nodiscard]] static SysvKey of_path(const std::string& path, int project);
  // Throws invalid_argument for 0.
  [[nodiscard]] static SysvKey of_number(std::int32_t key);

  [[nodiscard]] std::int32_t number() const noexcept { return number_; }
  // "0x0105f2a3", and the path it was made of: for people.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_of_path() const noexcept { return !path_.empty(); }
  friend bool operator==(const SysvKey& a, const SysvKey& b) noexcept {
    return a.number_ == b.number_;
  }

 private:
  std::int32_t number_ = os::kSysvPrivateKey;
  std::string path_;
};

using SysvFacts = os::SysvSegment;

struct SysvAttach {
  // Where the bytes are to lie: a whole page's address at which nothing is mapped, in this process
  // alone. Null: where the kernel likes. For data that holds pointers into itself.
  void* address = nullptr;
  // Opening: the size that is expected; 0 opens any.
  std::uint64_t size = 0;
};

class SysvShm : public internal::MappedBytes {
 public:
  using Name = SysvKey;

  SysvShm() noexcept = default;

  // Exclusively; `permissions` as a file's. Throws already_exists (its text tells who made it and
  // who is attached), no_space and limit_reached with the kernel's setting named,
  // permission_denied, invalid_argument.
  [[nodiscard]] static SysvShm create(const SysvKey& key, std::uint64_t size,
                                      std::uint32_t permissions = 0600, SysvAttach attach = {});
  // Without a key (IPC_PRIVATE), to be opened by its id, until it is removed.
  [[nodiscard]] static SysvShm create_private(std::uint64_t size, std::uint32_t permissions = 0600,
                                              SysvAttach attach = {});
  // The same, marked for destruction already: gone with its last user, however that ends.
  [[nodiscard]] static SysvShm create_until_last_user(std::uint64_t size,
                                                      std::uint32_t permissions = 0600,
                                                      SysvAttach attach = {});
  // Throws not_found, permission_denied, wrong_type (another size than expected), in_use (something
  // is mapped at the address), limit_reached.
  [[nodiscard]] static SysvShm open(const SysvKey& key, Access access, SysvAttach attach = {});
  [[nodiscard]] static SysvShm open_id(std::int32_t id, Access access, SysvAttach attach = {});
  // Takes the key away; the bytes go with the last attachment. Throws not_found, permission_denied.
  static void remove(const SysvKey& key);
  static void remove_id(std::int32_t id);

  // No key where it was created without one, or opened by its id and has none.
  [[nodiscard]] const SysvKey& name() const noexcept { return key_; }
  [[nodiscard]] std::int32_t id() const noexcept { return id_; }
  // Throws permission_denied without the right to read it.
  [[nodiscard]] SysvFacts facts() const;
  [[nodiscard]] bool is_marked_for_destruction() const;

  // This user's segments without a key that nobody is attached to and whose creator is dead. No
  // proof that nobody knows the id: another program may keep it for later.
  [[nodiscard]] static std::vector<SysvFacts> abandoned();

 private:
  SysvShm(internal::MappedBytes bytes, SysvKey key, std::int32_t id) noexcept
      : MappedBytes(std::move(bytes)), key_(std::move(key)), id_(id) {}

  static SysvShm attach_to(std::int32_t id, SysvKey key, Access access, SysvAttach attach,
                           const std::string& object);
  static SysvShm create_segment(const SysvKey& key, std::uint64_t size, std::uint32_t permissions,
                                SysvAttach attach, bool until_last_user);

  SysvKey key_;
  std::int32_t id_ = -1;
};

static_assert(NamedMemory<SysvShm>);

}  // namespace kith
