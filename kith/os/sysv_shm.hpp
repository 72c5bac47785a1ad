// System V shared memory: segments under keys and ids.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kith/os/file.hpp"
#include "kith/os/mapping.hpp"

namespace kith::os {

inline constexpr std::int32_t kSysvPrivateKey = 0;  // IPC_PRIVATE

struct SysvSegment {
  std::int32_t id = 0;
  std::int32_t key = 0;  // private, and again so once it is marked for destruction
  std::uint64_t size = 0;
  std::uint32_t owner = 0;  // user id
  std::uint32_t group = 0;
  std::uint32_t creator = 0;      // user id
  std::uint32_t permissions = 0;  // the low nine bits of the mode
  std::uint64_t attached = 0;     // attachments, of all processes
  std::uint32_t creator_pid = 0;  // 0 if it is outside of this PID namespace
  std::uint32_t last_pid = 0;     // who attached or detached last; 0 likewise
  std::int64_t attached_at = 0;   // seconds of the wall clock; 0: never
  std::int64_t detached_at = 0;
  std::int64_t changed_at = 0;
  bool marked_for_destruction = false;
};

// What the machine (its IPC namespace) allows, and how much of it is used.
struct SysvLimits {
  std::uint64_t segment_bytes_max = 0;  // kernel.shmmax
  std::uint64_t segments_max = 0;       // kernel.shmmni
  std::uint64_t pages_max = 0;          // kernel.shmall
  std::uint64_t segments = 0;
  std::uint64_t pages = 0;
};

// ftok(). The file is looked at through links, as ftok does.
Outcome<std::int32_t> sysv_key_of(const std::string& path, int project);
// Exclusively: EEXIST if the key has a segment. Under kSysvPrivateKey always a new one.
Outcome<std::int32_t> create_sysv_segment(std::int32_t key, std::uint64_t size,
                                          std::uint32_t permissions);
Outcome<std::int32_t> find_sysv_segment(std::int32_t key);
Outcome<SysvSegment> facts_of_sysv_segment(std::int32_t id);
// Marked for destruction: gone with its last attachment, at once if there is none.
Done remove_sysv_segment(std::int32_t id);
Done set_sysv_permissions(std::int32_t id, std::uint32_t permissions);
Outcome<SysvLimits> sysv_limits();
// All segments that this process may look at.
std::vector<SysvSegment> sysv_segments();

// No process of this PID namespace has the creator's number any more (or again).
[[nodiscard]] bool creator_is_gone(const SysvSegment& segment) noexcept;

// At `address`, or where the kernel likes if it is null. EINVAL if something is mapped there.
Outcome<Mapping> attach_sysv_segment(std::int32_t id, std::uint64_t size, Access access,
                                     void* address);

}  // namespace kith::os
