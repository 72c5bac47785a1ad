// ObjectView: all that can be seen of one object from outside, without taking part in it.
//
//   if (const auto view = object_view(domain, "pose")) print(view->facts.kind, view->roles.size());
//
// States       a snapshot; the object goes on meanwhile: two numbers in it may be of two moments.
// Callers      any thread. Nothing is locked, mapped or kept alive; the right to read is enough.
// A peer dies  its roles are shown as dead from then on, until somebody reaps it.
// Cost         about 100 us, and a survey of all processes (processes.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kith/inspect/inspect.hpp"
#include "kith/inspect/locks.hpp"
#include "kith/inspect/processes.hpp"
#include "kith/member/member_id.hpp"

namespace kith {

enum class RoleState {
  held,    // by a living member
  dead,    // its holder died and was not reaped yet
  vacant,  // a named role that waits for its name
};

struct RoleFacts {
  bool writer = false;      // otherwise a reader
  bool guest = false;       // a reader that may only read; it is no member, and has no pid here
  std::uint32_t index = 0;  // which of the readers
  std::string name;         // empty for an unnamed role
  RoleState state = RoleState::held;
  MemberId holder;                    // of a role that is held or dead
  std::uint32_t pid = 0;              // of the holder, where the domain still knows it; else 0
  std::string program;                // likewise
  bool pins = false;                  // it keeps a value from being overwritten
  std::uint64_t pinned_sequence = 0;  // which one
};

// What a latest-value channel counts, beside LatestFacts.
struct LatestCounters {
  LatestFacts books;
  bool commit_times = false;
  std::uint32_t slots = 0;             // that the channel may have in all
  std::uint64_t newest_size = 0;       // bytes of the newest value
  std::optional<std::int64_t> age_ns;  // of the newest value, if commit times are kept
};

// An object inside an ObjectRegion.
struct NamedObjectFacts {
  std::string name;
  std::string type_name;
  std::uint64_t fingerprint = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// A member that has noted in the domain's table that it uses the object.
struct AttachedMember {
  MemberId id;
  std::uint32_t pid = 0;
  std::string program;
  Liveness liveness = Liveness::unknown;
};

struct ObjectView {
  ObjectFacts facts;
  std::uint16_t format_major = 0;
  std::uint16_t format_minor = 0;
  std::uint32_t word_bits = 0;
  bool little_endian = true;
  std::uint64_t fingerprint = 0;  // of the type in it; 0 for bytes
  std::uint64_t file_size = 0;
  std::array<std::uint64_t, 8> geometry{};  // what the kind makes of it
  bool being_changed = false;               // somebody holds the administrative lock
  std::vector<RoleFacts> roles;             // of a channel; free ones are left out
  std::optional<LatestCounters> latest;     // of a latest-value channel
  std::vector<NamedObjectFacts> named;      // of an object region
  std::optional<MutexView> mutex;           // of a mutex
  std::optional<LockState> lock;            // of what else can be held or waited for
  std::vector<AttachedMember> attached;
  std::vector<ProcessUse> users;       // processes that map it, as far as they can be seen
  std::uint32_t processes_unseen = 0;  // that could not be looked at
};

// Empty if there is no such file. An object that cannot be read has only `facts.problem`.
[[nodiscard]] std::optional<ObjectView> object_view(const Domain& domain, const std::string& name,
                                                    const Progress& progress = {});

}  // namespace kith
