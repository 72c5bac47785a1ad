// MemorySocket: hands memories from one process to another, over a Unix socket.
//
//   auto listener = MemoryListener::at("/run/camera.sock", Deadline::after(1s));   // one process
//   auto viewer = listener.accept(Deadline::after(10s));
//   viewer.send(frame, Deadline::after(1s));               // a Memfd, or whatever has descriptor()
//
//   auto camera = MemorySocket::connect("/run/camera.sock", Deadline::after(10s));  // another
//   Memfd frame = camera.receive(Access::read_only, {.shrink = true}, Deadline::after(1s));
//
//   auto [mine, childs] = MemorySocket::pair();            // or, before fork, without a name
//
// States       connected; closed by the peer (receive says not_found, send says not_found: there is
//              nobody); moved from (using it is a broken contract). What was sent before the peer
//              closed or died can still be received.
// Callers      one thread at a time for each handle.
// A peer dies  its side is closed by the kernel; whoever waits is woken at once. A memory in flight
//              belongs to the socket: it ends with it, or is received whole. A killed listener
//              leaves its path behind, which the next listener there takes over; an abstract name
//              is free at once.
// Cost         one descriptor each; a memory: 2 system calls to send, about 6 to receive and map.
//
// Deny by default: a path has mode 0600, and both sides refuse a peer of another user (root is
// welcome) unless Peers::of_any_user is asked for; peer() tells who it is, as the kernel saw it
// when the connection was made. What arrives is a stranger's: exactly one descriptor of a regular
// file, of the size that was announced and with the seals that were demanded, is a memory; anything
// else is an error, and leaves no descriptor open. Not for other bytes: it is no message channel.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "kith/base/deadline.hpp"
#include "kith/memory/memfd.hpp"
#include "kith/memory/memory.hpp"
#include "kith/os/descriptor_passing.hpp"

namespace kith {

enum class Peers { of_this_user, of_any_user };

// Whether the sender must be a MemorySocket, or may be any program that sends one descriptor with
// one message of a socket of its own.
enum class Sender { kith, any };

using PeerFacts = os::SocketPeer;

class MemorySocket {
 public:
  MemorySocket() noexcept = default;

  // Two ends, for a child to inherit one.
  [[nodiscard]] static std::pair<MemorySocket, MemorySocket> pair();
  // Waits for the listener until the deadline. Throws timed_out (not_found if it did not wait),
  // wrong_owner if the listener belongs to another user, permission_denied, invalid_name.
  [[nodiscard]] static MemorySocket connect(const std::string& path, Deadline deadline,
                                            Peers peers = Peers::of_this_user);
  // A name in no file system, of this network namespace, that anybody may take.
  [[nodiscard]] static MemorySocket connect_abstract(const std::string& name, Deadline deadline,
                                                     Peers peers = Peers::of_this_user);
  // A connected Unix socket of the caller's own, which is duplicated and not consumed.
  [[nodiscard]] static MemorySocket of_descriptor(int number);

  [[nodiscard]] PeerFacts peer() const;
  // To wait on, or for a child to inherit; stays the handle's. It is closed on exec unless the
  // caller changes that.
  [[nodiscard]] int number() const noexcept { return socket_.number(); }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }

  // The peer gets a descriptor with the same rights as `memory` has here. Throws timed_out (its
  // queue stays full), not_found (it has closed).
  template <class M>
  void send(const M& memory, Deadline deadline) const {
    send_descriptor(memory.descriptor(), deadline);
  }
  void send_descriptor(const os::Descriptor& memory, Deadline deadline) const;

  // Throws timed_out, not_found (the peer has closed), wrong_type (a demanded seal is missing),
  // not_ours and damaged (no memory came), permission_denied (`access` is more than was sent),
  // limit_reached (this process may open no more descriptors).
  [[nodiscard]] Memfd receive(Access access, Seals demanded, Deadline deadline,
                              Sender sender = Sender::kith) const;
  // The same, unmapped.
  [[nodiscard]] os::Descriptor receive_descriptor(Deadline deadline,
                                                  Sender sender = Sender::kith) const;

 private:
  friend class MemoryListener;
  MemorySocket(os::Descriptor socket, std::string object) noexcept
      : socket_(std::move(socket)), object_(std::move(object)) {}

  static MemorySocket connect_to(const os::SocketName& name, Deadline deadline, Peers peers);

  os::Descriptor socket_;
  std::string object_;  // for errors
};

class MemoryListener {
 public:
  MemoryListener() noexcept = default;
  MemoryListener(MemoryListener&&) noexcept = default;
  MemoryListener& operator=(MemoryListener&& other) noexcept;
  // Takes the path away, if it is still its own.
  ~MemoryListener() { close(); }

  // A socket file; one that a dead listener left is taken over. The deadline is for others who
  // listen in that directory just now. Throws already_exists if somebody living listens there,
  // not_ours if something else stands there, permission_denied, invalid_name (107 bytes are all).
  [[nodiscard]] static MemoryListener at(const std::string& path, Deadline deadline,
                                         Peers peers = Peers::of_this_user,
                                         std::uint32_t permissions = 0600);
  [[nodiscard]] static MemoryListener at_abstract(const std::string& name,
                                                  Peers peers = Peers::of_this_user);

  // The next peer; strangers are turned away and counted meanwhile. Throws timed_out.
  [[nodiscard]] MemorySocket accept(Deadline deadline);
  [[nodiscard]] std::uint64_t turned_away() const noexcept { return turned_away_; }
  // To wait on; stays the handle's.
  [[nodiscard]] int number() const noexcept { return socket_.number(); }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  void close() noexcept;

 private:
  os::Descriptor socket_;
  std::string object_;  // for errors
  std::string path_;    // empty for an abstract name
  os::FileIdentity path_stands_for_;
  Peers peers_ = Peers::of_this_user;
  std::uint64_t turned_away_ = 0;
};

}  // namespace kith
