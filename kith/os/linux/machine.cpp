#include "kith/os/machine.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace kith::os {
namespace {

constexpr std::uint64_t kPiece = 64 * 1024;
constexpr const char* kUsualMount = "/dev/mqueue";
constexpr long kMessageQueueMagic =
    0x19800202;  // linux/magic.h of newer kernels has no name for it

// The kernel's own type; the C library wants it from the caller.
union SemaphoreArgument {
  int value;
  semid_ds* status;
  unsigned short* values;
};

bool is_message_queues(const Descriptor& directory) {
  struct statfs status {};
  return ::fstatfs(directory.number(), &status) == 0 && status.f_type == kMessageQueueMagic;
}

// A mount that no name leads to: it ends with its descriptor.
Outcome<Descriptor> detached_message_queues() {
#if defined(SYS_fsopen) && defined(SYS_fsconfig) && defined(SYS_fsmount)
  constexpr unsigned kCloseOnExec = 1;
  constexpr unsigned kCreate = 6;
  const Descriptor context(static_cast<int>(::syscall(SYS_fsopen, "mqueue", kCloseOnExec)));
  if (!context) return Outcome<Descriptor>::failed(errno);
  if (::syscall(SYS_fsconfig, context.number(), kCreate, nullptr, nullptr, 0) != 0) {
    return Outcome<Descriptor>::failed(errno);
  }
  const long mounted = ::syscall(SYS_fsmount, context.number(), kCloseOnExec, 0);
  if (mounted < 0) return Outcome<Descriptor>::failed(errno);
  const Descriptor mount(static_cast<int>(mounted));
  // What fsmount gives is a path only; listing wants a directory that is open for reading.
  const int root = ::openat(mount.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return Outcome<Descriptor>::failed(errno);
  return {Descriptor(root), 0};
#else
  return Outcome<Descriptor>::failed(ENOSYS);
#endif
}

}  // namespace

Outcome<std::string> read_text(const std::string& path, std::uint64_t most) {
  const auto file = open_path(path, Access::read_only);
  if (!file) return Outcome<std::string>::failed(file.error);
  std::string text;
  while (text.size() < most) {
    const std::uint64_t begin = text.size();
    const std::uint64_t piece = std::min(kPiece, most - begin);
    text.resize(begin + piece);
    const auto got = read_at(file.value, text.data() + begin, piece, begin);
    if (!got) return Outcome<std::string>::failed(got.error);
    text.resize(begin + got.value);
    if (got.value < piece) break;
  }
  return {std::move(text), 0};
}

Outcome<FileFacts> facts_behind(const std::string& path) {
  // A path only: nothing behind the name is opened, so no device and no FIFO notices.
  const Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) return Outcome<FileFacts>::failed(errno);
  return facts_of(file);
}

std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) noexcept {
  return gnu_dev_makedev(major, minor);
}

Done remove_system_v(SystemVKind kind, std::uint32_t id) {
  const int number = static_cast<int>(id);
  int answer = -1;
  switch (kind) {
    case SystemVKind::segment:
      answer = ::shmctl(number, IPC_RMID, nullptr);
      break;
    case SystemVKind::semaphores:
      answer = ::semctl(number, 0, IPC_RMID);
      break;
    case SystemVKind::queue:
      answer = ::msgctl(number, IPC_RMID, nullptr);
      break;
  }
  return {answer == 0 ? 0 : errno};
}

Outcome<std::uint64_t> semaphore_waiters(std::uint32_t id) {
  using Answer = Outcome<std::uint64_t>;
  const int set = static_cast<int>(id);
  semid_ds status{};
  if (::semctl(set, 0, IPC_STAT, SemaphoreArgument{.status = &status}) != 0) {
    return Answer::failed(errno);
  }
  std::uint64_t waiters = 0;
  for (unsigned long i = 0; i < status.sem_nsems; ++i) {
    const int for_more = ::semctl(set, static_cast<int>(i), GETNCNT);
    const int for_zero = ::semctl(set, static_cast<int>(i), GETZCNT);
    if (for_more < 0 || for_zero < 0) return Answer::failed(errno);
    waiters += static_cast<std::uint64_t>(for_more) + static_cast<std::uint64_t>(for_zero);
  }
  return {waiters, 0};
}

Outcome<Descriptor> open_message_queues() {
  auto usual = open_directory(kUsualMount);
  if (usual && is_message_queues(usual.value)) return usual;
  auto detached = detached_message_queues();
  if (!detached && usual) return Outcome<Descriptor>::failed(ENOENT);  // a directory, no mount
  return detached;
}

Outcome<MessageQueueFacts> message_queue_facts(const std::string& name) {
  using Answer = Outcome<MessageQueueFacts>;
  // A message queue is a descriptor on Linux, which Descriptor closes as it does any other.
  const Descriptor queue(::mq_open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!queue) return Answer::failed(errno);
  mq_attr attributes{};
  if (::mq_getattr(queue.number(), &attributes) != 0) return Answer::failed(errno);
  const auto file = facts_of(queue);
  if (!file) return Answer::failed(file.error);
  Answer answer;
  answer.value.file = file.value;
  answer.value.messages = static_cast<std::uint64_t>(attributes.mq_curmsgs);
  answer.value.messages_max = static_cast<std::uint64_t>(attributes.mq_maxmsg);
  answer.value.message_size = static_cast<std::uint64_t>(attributes.mq_msgsize);
  return answer;
}

Done unlink_message_queue(const std::string& name) {
  return {::mq_unlink(name.c_str()) == 0 ? 0 : errno};
}

}  // namespace kith::os
