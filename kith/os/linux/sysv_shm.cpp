#include "kith/os/sysv_shm.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>

namespace kith::os {
namespace {

SysvSegment facts_from(int id, const struct shmid_ds& status) {
  SysvSegment facts;
  facts.id = id;
  facts.key = status.shm_perm.__key;
  facts.size = status.shm_segsz;
  facts.owner = status.shm_perm.uid;
  facts.group = status.shm_perm.gid;
  facts.creator = status.shm_perm.cuid;
  const auto mode = static_cast<std::uint32_t>(status.shm_perm.mode);
  facts.permissions = mode & 0777U;
  facts.attached = status.shm_nattch;
  facts.creator_pid = static_cast<std::uint32_t>(status.shm_cpid);
  facts.last_pid = static_cast<std::uint32_t>(status.shm_lpid);
  facts.attached_at = status.shm_atime;
  facts.detached_at = status.shm_dtime;
  facts.changed_at = status.shm_ctime;
  facts.marked_for_destruction = (mode & SHM_DEST) != 0;
  return facts;
}

std::uint64_t number_in(const char* path) {
  std::uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

}  // namespace

Outcome<std::int32_t> sysv_key_of(const std::string& path, int project) {
  // Not by the answer of ftok, whose -1 may be a key too.
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Outcome<std::int32_t>::failed(errno);
  return {::ftok(path.c_str(), project), 0};
}

Outcome<std::int32_t> create_sysv_segment(std::int32_t key, std::uint64_t size,
                                          std::uint32_t permissions) {
  const int flags = IPC_CREAT | IPC_EXCL | static_cast<int>(permissions & 0777U);
  const int id = ::shmget(key, size, flags);
  if (id < 0) return Outcome<std::int32_t>::failed(errno);
  return {id, 0};
}

Outcome<std::int32_t> find_sysv_segment(std::int32_t key) {
  const int id = ::shmget(key, 0, 0);
  if (id < 0) return Outcome<std::int32_t>::failed(errno);
  return {id, 0};
}

Outcome<SysvSegment> facts_of_sysv_segment(std::int32_t id) {
  struct shmid_ds status {};
  if (::shmctl(id, IPC_STAT, &status) != 0) return Outcome<SysvSegment>::failed(errno);
  return {facts_from(id, status), 0};
}

Done remove_sysv_segment(std::int32_t id) {
  return {::shmctl(id, IPC_RMID, nullptr) == 0 ? 0 : errno};
}

Done set_sysv_permissions(std::int32_t id, std::uint32_t permissions) {
  struct shmid_ds status {};
  if (::shmctl(id, IPC_STAT, &status) != 0) return {errno};
  status.shm_perm.mode = static_cast<decltype(status.shm_perm.mode)>(permissions & 0777U);
  return {::shmctl(id, IPC_SET, &status) == 0 ? 0 : errno};
}

Outcome<SysvLimits> sysv_limits() {
  struct shm_info used {};
  if (::shmctl(0, SHM_INFO, reinterpret_cast<struct shmid_ds*>(&used)) < 0) {
    return Outcome<SysvLimits>::failed(errno);
  }
  SysvLimits limits;
  limits.segment_bytes_max = number_in("/proc/sys/kernel/shmmax");
  limits.segments_max = number_in("/proc/sys/kernel/shmmni");
  limits.pages_max = number_in("/proc/sys/kernel/shmall");
  limits.segments = static_cast<std::uint64_t>(used.used_ids);
  limits.pages = used.shm_tot;
  return {limits, 0};
}

std::vector<SysvSegment> sysv_segments() {
  struct shm_info used {};
  const int last = ::shmctl(0, SHM_INFO, reinterpret_cast<struct shmid_ds*>(&used));
  std::vector<SysvSegment> segments;
  for (int place = 0; place <= last; ++place) {
    struct shmid_ds status {};
    const int id = ::shmctl(place, SHM_STAT, &status);
    if (id >= 0) segments.push_back(facts_from(id, status));
  }
  return segments;
}

bool creator_is_gone(const SysvSegment& segment) noexcept {
  const bool known = segment.creator_pid != 0;
  return known && ::kill(static_cast<pid_t>(segment.creator_pid), 0) != 0 && errno == ESRCH;
}

Outcome<Mapping> attach_sysv_segment(std::int32_t id, std::uint64_t size, Access access,
                                     void* address) {
  void* const at = ::shmat(id, address, access == Access::read_only ? SHM_RDONLY : 0);
  if (at == reinterpret_cast<void*>(-1)) return Outcome<Mapping>::failed(errno);
  // To munmap all of an attachment is to detach it, as to let it go by exit or exec.
  return {Mapping::adopt(static_cast<std::byte*>(at), size), 0};
}

}  // namespace kith::os
