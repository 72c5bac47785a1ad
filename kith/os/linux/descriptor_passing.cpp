#include "kith/os/descriptor_passing.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace kith::os {
namespace {

// More than one is a broken message, and should be told from a cut one.
constexpr std::size_t kDescriptorsTaken = 8;
constexpr int kWaitingMax = 64;

struct Address {
  sockaddr_un bytes{};
  socklen_t size = 0;
};

Address address_of(const SocketName& name) {
  Address address;
  address.bytes.sun_family = AF_UNIX;
  const std::size_t zero = name.abstract ? 1 : 0;  // an abstract name begins with a zero byte
  const std::size_t length = std::min(name.name.size(), sizeof address.bytes.sun_path - zero);
  std::memcpy(address.bytes.sun_path + zero, name.name.data(), length);
  const std::size_t end = offsetof(sockaddr_un, sun_path) + zero + length;
  address.size = static_cast<socklen_t>(name.abstract ? end : sizeof address.bytes);
  return address;
}

const sockaddr* plain(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.bytes);
}

Outcome<Descriptor> new_socket(int type) {
  const int number = ::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (number < 0) return Outcome<Descriptor>::failed(errno);
  return {Descriptor(number), 0};
}

// Every descriptor in the control data, of however many parts.
std::vector<Descriptor> descriptors_in(msghdr& header) {
  std::vector<Descriptor> taken;
  taken.reserve(kDescriptorsTaken);
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      taken.emplace_back(number);
    }
  }
  return taken;
}

}  // namespace

std::size_t socket_name_max() noexcept {
  return sizeof(sockaddr_un::sun_path) - 1;
}

Outcome<std::pair<Descriptor, Descriptor>> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return Outcome<std::pair<Descriptor, Descriptor>>::failed(errno);
  }
  return {{Descriptor(ends[0]), Descriptor(ends[1])}, 0};
}

Outcome<Descriptor> listening_socket(const SocketName& name, std::uint32_t permissions) {
  auto socket = new_socket(SOCK_SEQPACKET);
  if (!socket) return socket;
  const Address address = address_of(name);
  const int number = socket.value.number();
  // Beforehand: the path then has these permissions from its first instant.
  if (::fchmod(number, permissions) != 0) return Outcome<Descriptor>::failed(errno);
  if (::bind(number, plain(address), address.size) != 0 || ::listen(number, kWaitingMax) != 0) {
    return Outcome<Descriptor>::failed(errno);
  }
  return socket;
}

Outcome<Descriptor> connected_socket(const SocketName& name) {
  auto socket = new_socket(SOCK_SEQPACKET);
  if (!socket) return socket;
  const Address address = address_of(name);
  if (::connect(socket.value.number(), plain(address), address.size) != 0) {
    return Outcome<Descriptor>::failed(errno);
  }
  return socket;
}

Outcome<bool> socket_is_bound(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return Outcome<bool>::failed(errno);
  if (!S_ISSOCK(status.st_mode)) return Outcome<bool>::failed(ENOTSOCK);
  // With a socket of another kind: a living one refuses its kind, a dead one the connection.
  const auto socket = new_socket(SOCK_DGRAM);
  if (!socket) return Outcome<bool>::failed(socket.error);
  const Address address = address_of({.name = path});
  const bool connected =
      ::connect(socket.value.number(), plain(address), address.size) == 0;  // to another datagram's
  if (connected || errno == EPROTOTYPE) return {true, 0};
  if (errno == ECONNREFUSED) return {false, 0};
  return Outcome<bool>::failed(errno);
}

Outcome<Descriptor> accept_one(const Descriptor& listener) {
  const int number = ::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (number < 0) return Outcome<Descriptor>::failed(errno);
  return {Descriptor(number), 0};
}

Outcome<SocketPeer> peer_of(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return Outcome<SocketPeer>::failed(errno);
  }
  return {{static_cast<std::uint32_t>(peer.pid), peer.uid, peer.gid}, 0};
}

Done wait_until(const Descriptor& socket, Ready ready, Deadline deadline) noexcept {
  const short events = ready == Ready::to_read ? POLLIN : POLLOUT;
  while (true) {
    pollfd waiting{socket.number(), events, 0};
    int patience = -1;
    if (!deadline.is_never()) {
      // Rounded up, so that the last wait is none of zero.
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining()).count();
      patience = static_cast<int>(std::min<std::int64_t>(left, INT_MAX));
    }
    const int answer = ::poll(&waiting, 1, patience);
    if (answer > 0) return {};
    if (answer < 0 && errno != EINTR) return {errno};
    if (deadline.has_passed()) return {ETIMEDOUT};
  }
}

Done send_descriptor(const Descriptor& socket, std::span<const std::byte> message,
                     const Descriptor& passed) noexcept {
  iovec piece{const_cast<std::byte*>(message.data()), message.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* const part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = passed.number();
  std::memcpy(CMSG_DATA(part), &number, sizeof number);
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket.number(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return {errno};
  return {static_cast<std::size_t>(sent) == message.size() ? 0 : EMSGSIZE};
}

Outcome<PassedMessage> receive_message(const Descriptor& socket, std::span<std::byte> room) {
  iovec piece{room.data(), room.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsTaken * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket.number(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Outcome<PassedMessage>::failed(errno);
  PassedMessage message;
  message.descriptors = descriptors_in(header);
  message.size = static_cast<std::uint64_t>(got);
  message.message_cut = (header.msg_flags & MSG_TRUNC) != 0;
  message.descriptors_cut = (header.msg_flags & MSG_CTRUNC) != 0;
  return {std::move(message), 0};
}

Outcome<bool> try_lock_directory(const Descriptor& directory) {
  if (::flock(directory.number(), LOCK_EX | LOCK_NB) == 0) return {true, 0};
  if (errno == EWOULDBLOCK) return {false, 0};
  return Outcome<bool>::failed(errno);
}

}  // namespace kith::os
