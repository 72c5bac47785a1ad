#include "kith/memory/memory_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "kith/base/contract.hpp"
#include "kith/memory/internal/memory_errors.hpp"
#include "kith/memory/internal/named_file.hpp"
#include "kith/os/fork.hpp"
#include "kith/os/futex.hpp"
#include "kith/os/process.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;

// What goes along with the descriptor, so that another program's message is not taken for ours.
struct Announcement {
  std::array<char, 8> magic;
  std::uint32_t byte_order;
  std::uint32_t version;
  std::uint64_t size;
  std::uint64_t reserved;
};
static_assert(sizeof(Announcement) == 32);

constexpr std::array<char, 8> kMagic{'k', 'i', 't', 'h', '\0', 'm', 'e', 'm'};
constexpr std::uint32_t kByteOrderMark = 0x01020304;
constexpr std::uint32_t kVersion = 1;

std::string object_of(const os::SocketName& name) {
  return name.abstract ? "abstract socket '" + name.name + "'" : "socket '" + name.name + "'";
}

void require_socket_name(const os::SocketName& name) {
  const std::size_t length_max = os::socket_name_max();
  std::string why;
  if (name.name.empty()) why = "it is empty";
  if (name.name.find('\0') != std::string::npos) why = "it holds a zero byte";
  if (name.name.size() > length_max) {
    why = "it has " + std::to_string(name.name.size()) + " bytes, " + std::to_string(length_max) +
          " are allowed";
  }
  if (!why.empty()) throw internal::memory_name_refused(object_of(name), why);
}

bool is_welcome(const os::SocketPeer& peer, Peers peers) {
  const bool of_this_user = peer.user == os::effective_user() || peer.user == 0;
  return peers == Peers::of_any_user || of_this_user;
}

Error closed_by_peer(const std::string& object) {
  return Error(Errc::not_found, {.object = object,
                                 .expected = "a peer at the other end",
                                 .found = "a connection that it has closed",
                                 .remedy = "connect again; it may have ended or been killed"});
}

Error no_memory_came(const std::string& object, Errc code, const std::string& found) {
  return Error(code, {.object = object,
                      .expected = "a memory: one message with one descriptor",
                      .found = found,
                      .remedy = "let both ends be a MemorySocket of one version of kith"});
}

Error too_late(const std::string& object, const std::string& expected) {
  return Error(Errc::timed_out, {.object = object,
                                 .expected = expected,
                                 .found = "nothing of the kind",
                                 .remedy = "allow a longer deadline, or look whether it runs"});
}

void wait_until(const os::Descriptor& socket, os::Ready ready, Deadline deadline,
                const std::string& object, const std::string& expected) {
  const auto waited = os::wait_until(socket, ready, deadline);
  if (waited.error == ETIMEDOUT) throw too_late(object, expected);
  if (!waited) throw internal::system_error(object, "waiting", waited.error);
}

// The one descriptor of a message as it must be; its owner closes whatever else came.
os::Descriptor take_descriptor(os::PassedMessage& message, std::span<const std::byte> bytes,
                               Sender sender, const std::string& object) {
  if (message.descriptors.empty() && message.descriptors_cut) {
    throw Error(Errc::limit_reached,
                {.object = object,
                 .expected = "a free descriptor",
                 .found = "a memory that this process may not open",
                 .remedy = "raise `ulimit -n` or close some; the memory has to be sent again"});
  }
  if (message.size == 0 && message.descriptors.empty()) throw closed_by_peer(object);
  Announcement told{};
  const bool whole = message.size == sizeof told && !message.message_cut;
  if (whole) std::memcpy(&told, bytes.data(), sizeof told);
  const bool ours = whole && told.magic == kMagic && told.byte_order == kByteOrderMark;
  if (sender == Sender::kith && !ours) {
    throw no_memory_came(object, Errc::not_ours, "another program's message");
  }
  if (sender == Sender::kith && told.version != kVersion) {
    throw no_memory_came(object, Errc::wrong_version, "version " + std::to_string(told.version));
  }
  if (message.descriptors.size() != 1 || message.descriptors_cut) {
    const std::string more = message.descriptors_cut ? "more than " : "";
    throw no_memory_came(object, Errc::damaged,
                         more + std::to_string(message.descriptors.size()) + " descriptors");
  }
  os::Descriptor memory = std::move(message.descriptors.front());
  const auto facts = os::facts_of(memory);
  if (sender == Sender::kith && (!facts || facts.value.size != told.size)) {
    throw no_memory_came(object, Errc::damaged,
                         internal::bytes_text(told.size) + " announced, and " +
                             internal::file_words(facts.value) + " sent");
  }
  return memory;
}

}  // namespace

std::pair<MemorySocket, MemorySocket> MemorySocket::pair() {
  auto ends = os::socket_pair();
  const std::string object = "pair of sockets";
  if (!ends) throw internal::system_error(object, "creating it", ends.error);
  return {MemorySocket(std::move(ends.value.first), object),
          MemorySocket(std::move(ends.value.second), object)};
}

MemorySocket MemorySocket::connect(const std::string& path, Deadline deadline, Peers peers) {
  return connect_to({.name = path, .abstract = false}, deadline, peers);
}

MemorySocket MemorySocket::connect_abstract(const std::string& name, Deadline deadline,
                                            Peers peers) {
  return connect_to({.name = name, .abstract = true}, deadline, peers);
}

MemorySocket MemorySocket::connect_to(const os::SocketName& name, Deadline deadline, Peers peers) {
  require_socket_name(name);
  const std::string object = object_of(name);
  // A listener that is not there yet, was killed, or has too many guests waiting.
  const auto may_come = [](int error) {
    return error == ENOENT || error == ECONNREFUSED || error == EAGAIN;
  };
  auto socket = os::connected_socket(name);
  for (auto pause = 100us; may_come(socket.error) && !deadline.has_passed();
       pause = std::min(pause * 2, 5000us)) {
    os::pause_for(pause, deadline);
    socket = os::connected_socket(name);
  }
  if (may_come(socket.error)) {
    if (deadline != Deadline::now()) throw too_late(object, "a listener");
    throw Error(Errc::not_found, {.object = object,
                                  .expected = "a listener",
                                  .found = "none",
                                  .remedy = "start the program that listens there"});
  }
  if (!socket) throw internal::system_error(object, "connecting", socket.error);
  MemorySocket connected(std::move(socket.value), object);
  const PeerFacts peer = connected.peer();
  if (is_welcome(peer, peers)) return connected;
  throw Error(Errc::wrong_owner,
              {.object = object,
               .expected = "a listener of user " + std::to_string(os::effective_user()),
               .found = "one of user " + std::to_string(peer.user),
               .remedy = "ask for Peers::of_any_user if that user is meant"});
}

MemorySocket MemorySocket::of_descriptor(int number) {
  const std::string object = "socket of descriptor " + std::to_string(number);
  auto socket = os::duplicate(number);
  if (!socket) throw internal::system_error(object, "duplicating it", socket.error);
  MemorySocket adopted(std::move(socket.value), object);
  static_cast<void>(adopted.peer());  // throws if it is no such socket
  return adopted;
}

PeerFacts MemorySocket::peer() const {
  KITH_REQUIRE(socket_, "a socket that was moved from has no peer");
  const auto peer = os::peer_of(socket_);
  if (peer.error == ENOTSOCK || peer.error == ENOTCONN || peer.error == ENOPROTOOPT) {
    throw Error(Errc::not_ours, {.object = object_,
                                 .expected = "a connected Unix socket",
                                 .found = "something else",
                                 .remedy = "hand over one end of a connection"});
  }
  if (!peer) throw internal::system_error(object_, "asking who the peer is", peer.error);
  return peer.value;
}

void MemorySocket::send_descriptor(const os::Descriptor& memory, Deadline deadline) const {
  KITH_REQUIRE(socket_, "a socket that was moved from cannot send");
  const auto facts = os::facts_of(memory);
  if (!facts) throw internal::system_error(object_, "looking at the memory", facts.error);
  const Announcement told{.magic = kMagic,
                          .byte_order = kByteOrderMark,
                          .version = kVersion,
                          .size = facts.value.size,
                          .reserved = 0};
  while (true) {
    const auto sent = os::send_descriptor(socket_, std::as_bytes(std::span(&told, 1)), memory);
    if (sent) return;
    if (sent.error == EPIPE || sent.error == ECONNRESET || sent.error == ENOTCONN) {
      throw closed_by_peer(object_);
    }
    if (sent.error == ETOOMANYREFS) {
      throw Error(Errc::limit_reached,
                  {.object = object_,
                   .expected = "room for one more descriptor on its way",
                   .found = "as many in flight as this user may have open",
                   .remedy = "let the receivers take what was sent, or raise `ulimit -n`"});
    }
    if (sent.error != EAGAIN) throw internal::system_error(object_, "sending", sent.error);
    wait_until(socket_, os::Ready::to_write, deadline, object_, "a peer that receives");
  }
}

os::Descriptor MemorySocket::receive_descriptor(Deadline deadline, Sender sender) const {
  KITH_REQUIRE(socket_, "a socket that was moved from cannot receive");
  std::array<std::byte, sizeof(Announcement)> bytes{};
  while (true) {
    auto message = os::receive_message(socket_, bytes);
    if (message) return take_descriptor(message.value, bytes, sender, object_);
    if (message.error == ECONNRESET) throw closed_by_peer(object_);
    if (message.error != EAGAIN) {
      throw internal::system_error(object_, "receiving", message.error);
    }
    wait_until(socket_, os::Ready::to_read, deadline, object_, "a memory");
  }
}

Memfd MemorySocket::receive(Access access, Seals demanded, Deadline deadline, Sender sender) const {
  const os::Descriptor received = receive_descriptor(deadline, sender);
  return Memfd::open(received.number(), access, demanded);
}

MemoryListener& MemoryListener::operator=(MemoryListener&& other) noexcept {
  if (this != &other) {
    close();
    socket_ = std::move(other.socket_);
    object_ = std::move(other.object_);
    path_ = std::move(other.path_);
    path_stands_for_ = other.path_stands_for_;
    peers_ = other.peers_;
    turned_away_ = other.turned_away_;
  }
  return *this;
}

namespace {

// The lock under which listeners of kith replace what a dead one left; a child born meanwhile must
// not keep it.
class DirectoryLock {
 public:
  DirectoryLock(const std::string& directory, Deadline deadline, const std::string& object) {
    for (auto pause = 100us;; pause = std::min(pause * 2, 5000us)) {
      {
        const os::ForkGuard no_forks;
        auto opened = os::open_directory(directory + "/.");
        if (!opened) {
          throw internal::system_error(object, "opening the directory " + directory, opened.error);
        }
        directory_ = std::move(opened.value);
        os::close_in_children(directory_.number());
      }
      const auto locked = os::try_lock_directory(directory_);
      if (!locked) throw internal::system_error(object, "locking " + directory, locked.error);
      if (locked.value) return;
      release();
      if (deadline.has_passed()) throw too_late(object, "the lock of " + directory);
      os::pause_for(pause, deadline);
    }
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock() { release(); }

  [[nodiscard]] const os::Descriptor& directory() const noexcept { return directory_; }

 private:
  void release() noexcept {
    const os::ForkGuard no_forks;
    if (directory_) os::forget_descriptor(directory_.number());
    directory_.close();
  }

  os::Descriptor directory_;
};

// Removes a socket that nobody living is bound to; throws if somebody is.
void clear_way(const os::Descriptor& directory, const internal::Place& place,
               const std::string& path) {
  const auto bound = os::socket_is_bound(path);
  if (bound.error == ENOENT) return;
  if (bound.error == ENOTSOCK) {
    const auto facts = os::facts_at(directory, place.name);
    throw Error(Errc::not_ours, {.object = place.object,
                                 .expected = "a free path, or the socket of a dead listener",
                                 .found = internal::describe(facts.value.kind),
                                 .remedy = "choose another path, or remove it yourself"});
  }
  if (!bound) throw internal::system_error(place.object, "looking who listens", bound.error);
  if (bound.value) {
    throw Error(Errc::already_exists, {.object = place.object,
                                       .expected = "a free path",
                                       .found = "a living process that listens there",
                                       .remedy = "connect to it, or choose another path"});
  }
  const auto removed = os::unlink_at(directory, place.name);
  if (!removed) {
    throw internal::system_error(place.object, "removing what a dead listener left", removed.error);
  }
}

}  // namespace

MemoryListener MemoryListener::at(const std::string& path, Deadline deadline, Peers peers,
                                  std::uint32_t permissions) {
  const os::SocketName name{.name = path, .abstract = false};
  require_socket_name(name);
  const internal::Place place = internal::place_of_path(path, object_of(name));
  const DirectoryLock lock(place.directory, deadline, place.object);
  clear_way(lock.directory(), place, path);
  auto socket = os::listening_socket(name, permissions);
  if (socket.error == EADDRINUSE) {
    throw internal::memory_is_taken(place.object, "something that was put there just now");
  }
  if (!socket) throw internal::system_error(place.object, "listening", socket.error);
  const auto facts = os::facts_at(lock.directory(), place.name);
  MemoryListener listener;
  listener.socket_ = std::move(socket.value);
  listener.object_ = place.object;
  listener.path_ = path;
  listener.path_stands_for_ = facts.value.identity;
  listener.peers_ = peers;
  return listener;
}

MemoryListener MemoryListener::at_abstract(const std::string& name, Peers peers) {
  const os::SocketName abstract{.name = name, .abstract = true};
  require_socket_name(abstract);
  auto socket = os::listening_socket(abstract, 0);
  if (socket.error == EADDRINUSE) {
    throw internal::memory_is_taken(object_of(abstract), "a living process that listens there");
  }
  if (!socket) throw internal::system_error(object_of(abstract), "listening", socket.error);
  MemoryListener listener;
  listener.socket_ = std::move(socket.value);
  listener.object_ = object_of(abstract);
  listener.peers_ = peers;
  return listener;
}

MemorySocket MemoryListener::accept(Deadline deadline) {
  KITH_REQUIRE(socket_, "a closed listener has no peers");
  while (true) {
    auto accepted = os::accept_one(socket_);
    if (accepted) {
      MemorySocket socket(std::move(accepted.value), object_ + ", accepted");
      if (is_welcome(socket.peer(), peers_)) return socket;
      ++turned_away_;
    } else if (accepted.error == EAGAIN || accepted.error == ECONNABORTED) {
      wait_until(socket_, os::Ready::to_read, deadline, object_, "a peer");
    } else if (accepted.error != EINTR) {
      throw internal::system_error(object_, "accepting", accepted.error);
    }
  }
}

void MemoryListener::close() noexcept {
  if (!socket_) return;
  const os::Descriptor closing = std::move(socket_);
  if (path_.empty()) return;
  try {
    const internal::Place place = internal::place_of_path(path_, object_);
    // Somebody at it just now, or a directory that is gone: then the path stays, as after a kill.
    const DirectoryLock lock(place.directory, Deadline::now(), object_);
    const auto facts = os::facts_at(lock.directory(), place.name);
    if (facts && facts.value.identity == path_stands_for_) {
      static_cast<void>(os::unlink_at(lock.directory(), place.name));
    }
  } catch (const std::exception&) {
    // The next listener takes it over.
  }
}

}  // namespace kith
