#include "kith/memory/memory_socket.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "kith/memory/posix_shm.hpp"

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::code_of;
using tests::error_of;
using tests::Mouth;
using tests::patience;
using tests::ScratchDirectory;
using tests::soon;

constexpr std::uint64_t kSize = 10'000;
constexpr Seals kWhole{.shrink = true, .grow = true};

std::size_t open_descriptors() {
  const auto folder = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

Memfd sealed(const std::string& label, Seals seals = {.shrink = true, .grow = true}) {
  auto memory = Memfd::create(label, kSize);
  memory.seal(seals);
  return memory;
}

TEST(MemorySocket, HandsAMemoryOverWithItsBytesAndItsRights) {
  const auto [mine, other] = MemorySocket::pair();
  const auto memory = sealed("frame");
  mine.send(memory, patience());
  const Memfd received = other.receive(Access::read_write, kWhole, patience());
  EXPECT_EQ(received.size(), kSize);
  EXPECT_TRUE(received.is_size_sealed());
  received.writable_bytes()[3] = std::byte{3};
  EXPECT_EQ(memory.bytes()[3], std::byte{3});
  const os::Descriptor number = received.descriptor();
  EXPECT_EQ(::fcntl(number.number(), F_GETFD), FD_CLOEXEC);
}

TEST(MemorySocket, HandsOverAnyMemoryThatHasADescriptor) {
  const auto [mine, other] = MemorySocket::pair();
  const std::string name = "/kith-socket-test-" + std::to_string(::getpid());
  const auto memory = PosixShm::create(name, kSize);
  mine.send(memory, patience());
  PosixShm::remove(name);
  EXPECT_EQ(other.receive(Access::read_only, {}, patience()).size(), kSize);
}

TEST(MemorySocket, ConnectsByPathAndByAbstractNameToAnotherProcess) {
  const ScratchDirectory directory;
  const std::string path = directory.in("socket");
  const std::string abstract = "kith-socket-test-" + std::to_string(::getpid());
  auto by_path = MemoryListener::at(path, patience());
  auto by_name = MemoryListener::at_abstract(abstract);
  Child viewer([&] {
    const auto view = [](const MemorySocket& camera) {
      const Memfd frame = camera.receive(Access::read_write, kWhole, patience());
      frame.writable_bytes()[0] = std::byte{1};
    };
    view(MemorySocket::connect(path, patience()));
    view(MemorySocket::connect_abstract(abstract, patience()));
    return 0;
  });
  for (MemoryListener* listener : {&by_path, &by_name}) {
    const MemorySocket guest = listener->accept(patience());
    EXPECT_EQ(guest.peer().pid, static_cast<std::uint32_t>(viewer.pid()));
    EXPECT_EQ(guest.peer().user, ::geteuid());
    EXPECT_EQ(guest.peer().group, ::getegid());
    const auto memory = sealed("frame");
    guest.send(memory, patience());
    // It closes once it has written.
    EXPECT_EQ(code_of([&] { (void)guest.receive_descriptor(patience()); }),
              static_cast<int>(Errc::not_found));
    EXPECT_EQ(memory.bytes()[0], std::byte{1});
  }
  EXPECT_EQ(viewer.wait(), 0);
}

TEST(MemorySocket, WhoComesFirstWaitsForTheListener) {
  const ScratchDirectory directory;
  const std::string path = directory.in("socket");
  Child early([&](Mouth& parent) {
    parent.say("here");
    return MemorySocket::connect(path, patience()).receive(Access::read_only, {}, patience()) ? 0
                                                                                              : 1;
  });
  ASSERT_EQ(early.hear(), "here");
  auto listener = MemoryListener::at(path, patience());
  listener.accept(patience()).send(sealed("frame"), patience());
  EXPECT_EQ(early.wait(), 0);
}

TEST(MemorySocket, WithoutAListenerSaysSo) {
  const ScratchDirectory directory;
  EXPECT_EQ(code_of([&] { (void)MemorySocket::connect(directory.in("none"), Deadline::now()); }),
            static_cast<int>(Errc::not_found));
  EXPECT_EQ(
      code_of([&] { (void)MemorySocket::connect(directory.in("none"), Deadline::after(2ms)); }),
      static_cast<int>(Errc::timed_out));
  for (const std::string& name : {std::string(), std::string(108, 'a'), std::string("a\0b", 3)}) {
    EXPECT_EQ(code_of([&] { (void)MemorySocket::connect(name, Deadline::now()); }),
              static_cast<int>(Errc::invalid_name));
    EXPECT_EQ(code_of([&] { (void)MemoryListener::at_abstract(name); }),
              static_cast<int>(Errc::invalid_name));
  }
}

TEST(MemorySocket, WaitsUntilItsDeadlineOrThePeersEnd) {
  auto [mine, other] = MemorySocket::pair();
  EXPECT_EQ(code_of([&, &own = other] { (void)own.receive_descriptor(Deadline::now()); }),
            static_cast<int>(Errc::timed_out));
  EXPECT_EQ(code_of([&, &own = other] { (void)own.receive_descriptor(Deadline::after(2ms)); }),
            static_cast<int>(Errc::timed_out));
  Child dying([&, &own = mine](Mouth& parent) {
    parent.say("here");
    return own && parent.hear(soon()) == "never" ? 0 : 1;
  });
  ASSERT_EQ(dying.hear(), "here");
  mine = MemorySocket();
  dying.kill();
  EXPECT_EQ(code_of([&, &own = other] { (void)own.receive_descriptor(patience()); }),
            static_cast<int>(Errc::not_found));
  EXPECT_EQ(code_of([&, &own = other] { own.send(sealed("late"), patience()); }),
            static_cast<int>(Errc::not_found));
}

TEST(MemorySocket, WhatADeadPeerSentIsStillReceived) {
  const auto [mine, other] = MemorySocket::pair();
  Child sender([&, &own = mine] {
    const auto memory = sealed("last words");
    memory.writable_bytes()[0] = std::byte{42};
    own.send(memory, patience());
    return 0;
  });
  EXPECT_EQ(sender.wait(), 0);
  EXPECT_EQ(other.receive(Access::read_only, kWhole, patience()).bytes()[0], std::byte{42});
}

TEST(MemorySocket, AFullQueueIsWaitedForUntilTheDeadline) {
  const auto [mine, other] = MemorySocket::pair();
  const auto memory = sealed("frame");
  int sent = 0;
  const auto fill = [&, &own = mine] {
    for (; sent < 10'000; ++sent) own.send(memory, Deadline::after(2ms));
  };
  const Error full = error_of(fill);
  EXPECT_TRUE(full.errc() == Errc::timed_out || full.errc() == Errc::limit_reached) << full.what();
  EXPECT_GT(sent, 0);
  for (int i = 0; i < sent; ++i) (void)other.receive_descriptor(patience());
  mine.send(memory, patience());
}

TEST(MemorySocket, DemandedSealsAreCheckedAndTheErrorSaysWhichAreThere) {
  const auto [mine, other] = MemorySocket::pair();
  const auto unsealed = Memfd::create("unsealed", kSize);
  const auto receive = [&, &own = other] {
    (void)own.receive(Access::read_only, {.shrink = true}, patience());
  };
  mine.send(unsealed, patience());
  const Error without = error_of(receive);
  EXPECT_EQ(without.errc(), Errc::wrong_type);
  EXPECT_EQ(without.text().expected, "a memory sealed against shrinking");
  EXPECT_EQ(without.text().found, "a memory without seals");
  mine.send(sealed("grow", {.grow = true}), patience());
  EXPECT_EQ(error_of(receive).text().found, "a memory sealed against growing");
  for (const char* where : {"/var/tmp", "/dev/shm"}) {
    const ScratchDirectory directory(where);
    const auto file = os::create_path(directory.in("file"));
    ASSERT_TRUE(os::set_size(file.value, kSize));
    mine.send_descriptor(file.value, patience());
    EXPECT_EQ(error_of(receive).text().found, "a memory that cannot be sealed");
  }
  mine.send(sealed("sealed"), patience());
  receive();
}

TEST(MemorySocket, SealedAgainstFutureWritingOnlyItsCreatorWrites) {
  const auto [mine, other] = MemorySocket::pair();
  const auto memory = sealed("frame", {.shrink = true, .grow = true, .future_write = true});
  mine.send(memory, patience());
  const os::Descriptor received = other.receive_descriptor(patience());
  EXPECT_EQ(code_of([&] { (void)Memfd::open(received.number(), Access::read_write); }),
            static_cast<int>(Errc::permission_denied));
  const auto reader = Memfd::open(received.number(), Access::read_only, {.future_write = true});
  memory.writable_bytes()[0] = std::byte{1};
  EXPECT_EQ(reader.bytes()[0], std::byte{1});
  // Nor by opening it anew, which undoes a read-only descriptor.
  const auto anew = os::open_again(received, Access::read_write);
  ASSERT_TRUE(anew);
  EXPECT_FALSE(os::Mapping::of_file(anew.value, kSize, Access::read_write));
  EXPECT_FALSE(os::write_at(anew.value, "x", 1, 0));
  EXPECT_FALSE(os::give_back(anew.value, 0, 4096)) << "no holes either";
}

// ---- messages that are none; whatever they carry, no descriptor stays open.

// Sends `message` with copies of the descriptor 0, in as many control parts as told.
void send_raw(const MemorySocket& socket, const std::string& message, std::size_t descriptors) {
  std::vector<int> numbers(descriptors, socket.number());
  std::vector<char> control(CMSG_SPACE(descriptors * sizeof(int)));
  std::string bytes = message;
  iovec piece{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (descriptors > 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
    std::memcpy(CMSG_DATA(part), numbers.data(), descriptors * sizeof(int));
  }
  ASSERT_EQ(::sendmsg(socket.number(), &header, 0), static_cast<ssize_t>(message.size()));
}

std::string announcement(std::uint64_t size, std::uint32_t version = 1) {
  std::string bytes("kith\0mem\x04\x03\x02\x01", 12);
  bytes.append(reinterpret_cast<const char*>(&version), 4);
  bytes.append(reinterpret_cast<const char*>(&size), 8);
  return bytes.append(8, '\0');
}

TEST(MemorySocket, MalformedMessagesAreErrorsAndLeakNoDescriptor) {
  const auto [mine, other] = MemorySocket::pair();
  struct Case {
    std::string message;
    std::size_t descriptors;
    Errc code;
    std::string words;
  };
  const std::vector<Case> cases{
      {"hello", 0, Errc::not_ours, "another program's"},
      {"hello", 1, Errc::not_ours, "another program's"},
      {std::string(500, 'x'), 2, Errc::not_ours, "another program's"},
      {announcement(kSize) + "x", 1, Errc::not_ours, "another program's"},
      {announcement(kSize).substr(0, 31), 1, Errc::not_ours, "another program's"},
      {announcement(kSize, 2), 1, Errc::wrong_version, "version 2"},
      {announcement(kSize), 0, Errc::damaged, "0 descriptors"},
      {announcement(kSize), 2, Errc::damaged, "2 descriptors"},
      {announcement(kSize), 8, Errc::damaged, "8 descriptors"},
      {announcement(kSize), 9, Errc::damaged, "more than 8 descriptors"},
      {announcement(kSize), 253, Errc::damaged, "more than"},
      {announcement(kSize), 1, Errc::damaged, "announced"},
      {announcement(0), 1, Errc::not_ours, "pipe or socket"},
  };
  const std::size_t before = open_descriptors();
  for (const Case& each : cases) {
    send_raw(mine, each.message, each.descriptors);
    const Error error =
        error_of([&, &own = other] { (void)own.receive(Access::read_only, {}, patience()); });
    EXPECT_EQ(error.errc(), each.code) << error.what();
    EXPECT_NE(error.text().found.find(each.words), std::string::npos) << error.what();
    EXPECT_EQ(open_descriptors(), before) << error.what();
  }
  mine.send(sealed("afterwards"), patience());
  EXPECT_TRUE(other.receive(Access::read_only, kWhole, patience()));
}

TEST(MemorySocket, RandomMessagesAreErrorsToo) {
  const auto [mine, other] = MemorySocket::pair();
  std::uint64_t random = 88172645463325252;
  const std::size_t before = open_descriptors();
  for (int round = 0; round < 2000; ++round) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    std::string message = announcement(random % 3 * kSize);
    message[random % message.size()] = static_cast<char>(random >> 8);
    message.resize(1 + (random >> 16) % 40, 'x');
    send_raw(mine, message, (random >> 24) % 4);
    EXPECT_NE(code_of([&, &own = other] {
                (void)own.receive(Access::read_only, {.shrink = true}, patience());
              }),
              0);
    ASSERT_EQ(open_descriptors(), before);
  }
}

TEST(MemorySocket, WithoutAFreeDescriptorReceivingSaysSo) {
  const auto [mine, other] = MemorySocket::pair();
  mine.send(sealed("frame"), patience());
  Child child([&, &own = other] {
    const auto next = static_cast<rlim_t>(os::open_directory("/").value.number());
    const rlimit none{next, next};
    ::setrlimit(RLIMIT_NOFILE, &none);
    return code_of([&] { (void)own.receive_descriptor(patience()); });
  });
  EXPECT_EQ(child.wait(), static_cast<int>(Errc::limit_reached));
}

TEST(MemorySocket, TakesWhatOtherSoftwareSendsIfAsked) {
  const auto [mine, other] = MemorySocket::pair();
  const auto memory = Memfd::create("foreign", kSize);
  const os::Descriptor descriptor = memory.descriptor();
  const std::string word = "frame 1";
  ASSERT_TRUE(os::send_descriptor(os::duplicate(mine.number()).value,
                                  std::as_bytes(std::span(word)), descriptor));
  const Memfd received = other.receive(Access::read_only, {}, patience(), Sender::any);
  EXPECT_EQ(received.size(), kSize);
}

TEST(MemorySocket, OfADescriptorMustBeAConnectedUnixSocket) {
  EXPECT_EQ(code_of([] { (void)MemorySocket::of_descriptor(-1); }),
            static_cast<int>(Errc::invalid_argument));
  const auto file = os::create_memfd("no socket");
  EXPECT_EQ(code_of([&] { (void)MemorySocket::of_descriptor(file.value.number()); }),
            static_cast<int>(Errc::not_ours));
  const auto [mine, other] = MemorySocket::pair();
  const auto same = MemorySocket::of_descriptor(mine.number());
  same.send(sealed("frame"), patience());
  EXPECT_TRUE(other.receive(Access::read_only, {}, patience()));
}

// ---- listeners

TEST(MemoryListener, IsPrivateToItsUserAndTakesItsPathAway) {
  const ScratchDirectory directory;
  const std::string path = directory.in("socket");
  {
    const auto listener = MemoryListener::at(path, patience());
    EXPECT_EQ(os::facts_of_path(path).value.permissions, 0600U);
    const Error second = error_of([&] { (void)MemoryListener::at(path, Deadline::now()); });
    EXPECT_EQ(second.errc(), Errc::already_exists);
    EXPECT_NE(second.text().found.find("living"), std::string::npos);
  }
  EXPECT_TRUE(directory.is_empty());
  const auto open = MemoryListener::at(path, patience(), Peers::of_any_user, 0666);
  EXPECT_EQ(
      os::facts_of_path(path).value.permissions, 0666U & ~[] {
        const mode_t mask = ::umask(0);
        ::umask(mask);
        return mask;
      }());
}

TEST(MemoryListener, TakesOverWhatADeadOneLeftAndNothingElse) {
  const ScratchDirectory directory;
  const std::string path = directory.in("socket");
  Child dead([&](Mouth& parent) {
    const auto listener = MemoryListener::at(path, patience());
    parent.say("listening");
    return parent.hear(soon()) == "never" ? 0 : 1;
  });
  ASSERT_EQ(dead.hear(), "listening");
  dead.kill();
  ASSERT_TRUE(os::facts_of_path(path));
  EXPECT_TRUE(MemoryListener::at(path, patience()));
  ASSERT_TRUE(os::create_path(path));
  EXPECT_EQ(code_of([&] { (void)MemoryListener::at(path, patience()); }),
            static_cast<int>(Errc::not_ours));
  EXPECT_TRUE(os::facts_of_path(path));
}

TEST(MemoryListener, LeavesAPathThatStandsForAnother) {
  const ScratchDirectory directory;
  const std::string path = directory.in("socket");
  auto first = MemoryListener::at(path, patience());
  ASSERT_TRUE(os::unlink_path(path));
  const auto second = MemoryListener::at(path, patience());
  first.close();
  EXPECT_TRUE(MemorySocket::connect(path, Deadline::now()));
}

TEST(MemoryListener, WaitsForOthersWhoListenInItsDirectoryJustNow) {
  const ScratchDirectory directory;
  const auto held = directory.open();
  ASSERT_TRUE(os::try_lock_directory(held).value);
  EXPECT_EQ(code_of([&] { (void)MemoryListener::at(directory.in("socket"), Deadline::now()); }),
            static_cast<int>(Errc::timed_out));
  EXPECT_EQ(code_of([&] { (void)MemoryListener::at(directory.in("none/socket"), patience()); }),
            static_cast<int>(Errc::not_found));
  EXPECT_TRUE(directory.is_empty());
}

TEST(MemoryListener, TakesItsPathAlongWhenItMoves) {
  const ScratchDirectory directory;
  auto first = MemoryListener::at(directory.in("first"), patience());
  first = MemoryListener::at(directory.in("second"), patience());
  EXPECT_FALSE(os::facts_of_path(directory.in("first"))) << "it was closed";
  EXPECT_TRUE(MemorySocket::connect(directory.in("second"), Deadline::now()));
  EXPECT_TRUE(first.accept(patience()));
  EXPECT_EQ(first.turned_away(), 0u);
}

TEST(MemoryListener, OfAnAbstractNameIsAloneAndGoneWithItsEnd) {
  const std::string name = "kith-listener-test-" + std::to_string(::getpid());
  {
    const auto first = MemoryListener::at_abstract(name);
    EXPECT_EQ(code_of([&] { (void)MemoryListener::at_abstract(name); }),
              static_cast<int>(Errc::already_exists));
  }
  EXPECT_TRUE(MemoryListener::at_abstract(name));
}

TEST(MemoryListener, TurnsStrangersAwayUnlessTheyAreAskedFor) {
  Child server([&](Mouth& parent) {
    if (!tests::become_user(65533).empty()) return tests::kRefused;
    const std::string name = "kith-stranger-test-" + std::to_string(::getppid());
    auto listener = MemoryListener::at_abstract(name);
    auto open = MemoryListener::at_abstract(name + "-open", Peers::of_any_user);
    parent.say(name);
    // A stranger knocks twice, then a friend: only the friend is let in.
    if (open.accept(patience()).peer().user != 65532) return 1;
    if (parent.hear(soon()) != "go on") return 2;
    if (listener.accept(patience()).peer().user != 65533) return 3;
    return listener.turned_away() == 2 ? 0 : 4;
  });
  const std::string name = server.hear();
  if (name.empty()) GTEST_SKIP() << "becoming another user is refused: run as root";
  Child stranger([&] {
    if (!tests::become_user(65532).empty()) return tests::kRefused;
    const auto turned_away = MemorySocket::connect_abstract(name, patience(), Peers::of_any_user);
    const auto welcome =
        MemorySocket::connect_abstract(name + "-open", patience(), Peers::of_any_user);
    // Nor does it get to a stranger's socket without asking for one.
    return code_of([&] { (void)MemorySocket::connect_abstract(name, Deadline::now()); });
  });
  EXPECT_EQ(stranger.wait(), static_cast<int>(Errc::wrong_owner));
  Child friendly([&] {
    if (!tests::become_user(65533).empty()) return tests::kRefused;
    return MemorySocket::connect_abstract(name, patience()) ? 0 : 1;
  });
  EXPECT_EQ(friendly.wait(), 0);
  server.say("go on");
  EXPECT_EQ(server.wait(), 0);
}

}  // namespace
}  // namespace kith
