// Descriptors from process to process over Unix sockets (SCM_RIGHTS). All sockets are of the kind
// that keeps the borders of messages (SOCK_SEQPACKET), close-on-exec, and never block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kith/base/deadline.hpp"
#include "kith/os/file.hpp"

namespace kith::os {

// `name` is a path, or with `abstract` a name that lies in no file system.
struct SocketName {
  std::string name;
  bool abstract = false;
};

struct SocketPeer {
  std::uint32_t pid = 0;  // 0 if it is outside of this PID namespace
  std::uint32_t user = 0;
  std::uint32_t group = 0;
};

// The longest name the kernel takes.
[[nodiscard]] std::size_t socket_name_max() noexcept;

Outcome<std::pair<Descriptor, Descriptor>> socket_pair();
// EADDRINUSE if the name is taken. `permissions` are those of a path; an abstract name has none.
Outcome<Descriptor> listening_socket(const SocketName& name, std::uint32_t permissions);
// ENOENT or ECONNREFUSED if nobody listens, EAGAIN if too many are waiting already.
Outcome<Descriptor> connected_socket(const SocketName& name);
// True if a living socket is bound to the path; ENOENT if there is no such name, ENOTSOCK if
// something else stands there. Its owner does not notice.
Outcome<bool> socket_is_bound(const std::string& path);
// EAGAIN if nobody asks to be connected.
Outcome<Descriptor> accept_one(const Descriptor& listener);
Outcome<SocketPeer> peer_of(const Descriptor& socket);

enum class Ready { to_read, to_write };
// Until the socket is ready, or ETIMEDOUT.
Done wait_until(const Descriptor& socket, Ready ready, Deadline deadline) noexcept;

// One message and one descriptor. EAGAIN if the peer's queue is full, EPIPE if it is gone.
Done send_descriptor(const Descriptor& socket, std::span<const std::byte> message,
                     const Descriptor& passed) noexcept;

// A message as it came, whatever it is; the descriptors are owned from the first moment.
struct PassedMessage {
  std::uint64_t size = 0;  // 0 with no descriptors: the peer has closed
  std::vector<Descriptor> descriptors;
  bool message_cut = false;      // it was longer than the room for it
  bool descriptors_cut = false;  // there were more than fit, or than this process may open
};
// EAGAIN if there is none yet.
Outcome<PassedMessage> receive_message(const Descriptor& socket, std::span<std::byte> room);

// The lock on a directory that serialises who replaces names in it; gone with the descriptor.
Outcome<bool> try_lock_directory(const Descriptor& directory);

}  // namespace kith::os
