// What the machine tells of itself and of others: text of /proc, System V objects, message queues.
// Numbers and bytes as the kernel gives them; what they mean is decided above this floor.
#pragma once

#include <cstdint>
#include <string>

#include "kith/os/file.hpp"

namespace kith::os {

// A file whose size nobody knows beforehand, as those of /proc; no more than `most` bytes of it.
Outcome<std::string> read_text(const std::string& path, std::uint64_t most);
// What a name leads to, links followed: the file behind /proc/PID/fd/3, or a mount's root.
Outcome<FileFacts> facts_behind(const std::string& path);
// As FileIdentity::device has it, from the two numbers that /proc shows.
[[nodiscard]] std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) noexcept;

enum class SystemVKind { segment, semaphores, queue };

// IPC_RMID. A segment that somebody has attached lives on until the last detaches.
Done remove_system_v(SystemVKind kind, std::uint32_t id);
// Processes that sleep on any semaphore of the set. Needs the right to read it.
Outcome<std::uint64_t> semaphore_waiters(std::uint32_t id);

// POSIX message queues of this IPC namespace as a directory, whether or not anything is mounted.
// Without a mount at /dev/mqueue this needs CAP_SYS_ADMIN; no mount table changes. A queue's file
// says its bytes, `QSIZE:...`.
Outcome<Descriptor> open_message_queues();

struct MessageQueueFacts {
  FileFacts file;
  std::uint64_t messages = 0;      // sent and not received
  std::uint64_t messages_max = 0;  // room for so many
  std::uint64_t message_size = 0;  // bytes of the longest that fits
};
// The name begins with a slash. Needs the right to read it.
Outcome<MessageQueueFacts> message_queue_facts(const std::string& name);
Done unlink_message_queue(const std::string& name);

}  // namespace kith::os
