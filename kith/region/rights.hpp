// Rights: who beside its owner may enter a domain or use an object, said the way chmod says it.
//
//   const Domain robots = Domain::at("/dev/shm/robots", {.rights = {0770, "robots"}});   // members
//   LatestWriter<Pose> pose(domain, "pose", {.rights = {0640, "robots"}});                // guests
//
// Without a word about rights a domain is its owner's alone, and an object is for whoever may make
// objects in its domain. For an object each of owner, group and others has
//   rw  members: they do everything, trusting each other with the whole object
//   r   guests of a channel: they read, and can neither change nor hold up what they read
//   -   nothing
// For a domain: rwx to make objects in it, rx to use those that are there, nothing to stay outside.
//
// States       a value; nothing happens before a domain or object is made or opened with it.
// Callers      any thread.
// A peer dies  rights stand in the file system; the dead hold none of them.
// Cost         looking up a group's name may read files or ask the network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kith {

struct Rights {
  std::uint32_t mode = 0;  // as chmod takes it; 0: what the place gives
  std::string group{};     // name or number; empty: the domain's, or the process's own
  // Of a domain: the user, by name or number, who alone makes it; empty: whoever comes first.
  // Guests of a domain in a directory that everybody may write, as /dev/shm, name its owner: a
  // stranger could have made one of the same name.
  std::string owner{};

  [[nodiscard]] bool are_given() const noexcept { return mode != 0; }

  // "0770:robots", "0750:robots@alice", "0700", or empty, as KITH_RIGHTS has it. Throws
  // invalid_argument.
  [[nodiscard]] static Rights from_text(std::string_view text);
  [[nodiscard]] std::string text() const;
};

}  // namespace kith
