// Foreign objects: shared memory, semaphores and message queues of this machine that kith did not
// make: POSIX and System V. To look at, and to remove, as ipcs and ipcrm do.
//
//   for (const ForeignFacts& object : list_foreign().objects) print(foreign_name(object.id));
//   remove_foreign(*parse_foreign_name("sysv:shm:12"), Force::no);
//
// States       a snapshot; whoever uses such an object says so to nobody.
// Callers      any thread. Looking attaches, maps and locks nothing.
// A peer dies  the kernel detaches its segments and mappings; semaphores and messages stay.
// Cost         a survey of all processes (processes.hpp), and 10 us an object.
//
// Names, as they are written:
//   posix:/x       the object of shm_open("/x"); posix:/sem.x is the semaphore of sem_open("/x")
//   sysv:shm:12    the segment of id 12; sysv:sem:3 a set of semaphores, sysv:msg:4 a queue
//   mqueue:/q      the queue of mq_open("/q")
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kith/inspect/processes.hpp"
#include "kith/region/lifetime.hpp"

namespace kith {

enum class ForeignKind {
  posix_memory,
  posix_semaphore,
  system_v_segment,
  system_v_semaphores,
  system_v_queue,
  posix_queue,
};

struct ForeignId {
  ForeignKind kind = ForeignKind::posix_memory;
  std::string name{};  // of the POSIX kinds, with its slash; bytes of a stranger, not yet printable
  std::uint32_t id = 0;  // of the System V kinds
};

// Empty unless the text is a name as above.
[[nodiscard]] std::optional<ForeignId> parse_foreign_name(std::string_view text);
[[nodiscard]] std::string foreign_name(const ForeignId& id);

enum class InUse { no, yes, unknown };

struct ForeignFacts {
  ForeignId id;
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::uint32_t permissions = 0;
  std::uint64_t size = 0;             // bytes; of queues: of the messages in it, where it is known
  std::uint64_t allocated_bytes = 0;  // of memory: bytes that occupy memory
  std::uint32_t key = 0;              // System V: 0 is a private one
  std::uint64_t attached = 0;         // segments: how often it is attached
  std::uint64_t semaphores = 0;       // sets: how many there are in it
  std::uint64_t waiting = 0;          // sets: processes that sleep on one
  std::uint64_t messages = 0;         // queues: sent and not received
  std::uint32_t creator_pid = 0;      // segments
  std::uint32_t last_pid = 0;         // who attached, sent or received last
  std::int64_t changed_s = 0;         // System V: seconds of the wall clock
  bool doomed = false;                // segments: removed already, gone with the last to detach
  os::FileIdentity identity;          // of the POSIX kinds
  std::vector<ProcessUse> users;      // that could be seen
  InUse in_use = InUse::unknown;
  std::string in_use_why;  // "process 12 (cat) maps it"; for InUse::unknown what is not known
  std::string problem;     // why it could not be looked at; then the rest may be missing
};

struct ForeignListing {
  std::vector<ForeignFacts> objects;  // by kind, then by name or id
  std::vector<std::string> unseen;    // kinds that could not be listed, and why
  std::uint32_t processes_unseen = 0;
};

// Everything of the machine's that this process's namespaces show. Directories in /dev/shm are left
// out, and domains with them.
[[nodiscard]] ForeignListing list_foreign(const Progress& progress = {});

struct ForeignView {
  ForeignFacts facts;
  std::uint32_t processes_unseen = 0;
};
// One of them, with the resident bytes of each mapping. Empty if there is none of that name.
[[nodiscard]] std::optional<ForeignView> foreign_view(const ForeignId& id,
                                                      const Progress& progress = {});

struct ForeignRemoval {
  Removal answer = Removal::not_found;
  std::string
      why;  // in_use: by whom; removed: what could not be known about its users, if anything
};

// Refuses, unless by force, what somebody maps, opened or attaches, sets that a process sleeps on,
// and queues with messages in them. It refuses on evidence only: most users see few of the others'
// processes. Who has a mapping keeps its memory in any case. Throws Error if the kernel refuses, or
// if the name stands for a directory.
[[nodiscard]] ForeignRemoval remove_foreign(const ForeignId& id, Force force,
                                            const Progress& progress = {});

}  // namespace kith
