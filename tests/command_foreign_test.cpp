// The command on what kith did not make: POSIX and System V memory, semaphores and queues, under
// names of this test alone; listed, shown, refused and removed.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/command.hpp"

namespace kith::tests {
namespace {

class CommandOnForeign : public testing::Test {
 protected:
  ~CommandOnForeign() override {
    for (const auto& undo : undo_) undo();
  }

  [[nodiscard]] std::string own_name() const { return "/kith-test-" + std::to_string(::getpid()); }
  // Whatever happens, nothing stays on the machine.
  void finally(std::function<void()> undo) { undo_.push_back(std::move(undo)); }

  [[nodiscard]] Ran kith(const std::string& arguments) const {
    return command_.run(arguments + " --domain " + scratch_.path());
  }
  [[nodiscard]] Json listed(const std::string& name) const {
    return find_in(kith("ls --all --json").document()["foreign"], "name", name);
  }
  [[nodiscard]] Json shown(const std::string& name) const {
    return kith("show --json " + name).document()["foreign"];
  }

  ScratchDirectory scratch_;
  Command command_;

 private:
  std::vector<std::function<void()>> undo_;
};

int make_posix_memory(const std::string& name, std::size_t size) {
  const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0640);
  if (file >= 0 && ::ftruncate(file, static_cast<off_t>(size)) != 0) std::abort();
  return file;
}

TEST_F(CommandOnForeign, PosixMemoryIsShownWithWhoMapsItAndKeptWhileSomebodyDoes) {
  const std::string path = own_name();
  const std::string name = "posix:" + path;
  finally([path] { ::shm_unlink(path.c_str()); });
  const int file = make_posix_memory(path, 20000);
  ASSERT_GE(file, 0);
  void* address = ::mmap(nullptr, 20000, PROT_READ, MAP_SHARED, file, 0);
  ASSERT_NE(address, MAP_FAILED);
  ::close(file);
  static_cast<void>(static_cast<const volatile char*>(address)[0]);

  const Json object = listed(name);
  ASSERT_TRUE(object.is_object());
  EXPECT_EQ(object["kind"], "posix_memory");
  EXPECT_EQ(object["size"], 20000);
  EXPECT_EQ(object["mode"], "0640");
  EXPECT_EQ(object["owner"]["id"], ::geteuid());
  EXPECT_EQ(object["state"], "in_use");
  const Json user = find_in(shown(name)["processes"], "pid", ::getpid());
  ASSERT_TRUE(user.is_object());
  char begin[32];
  std::snprintf(begin, sizeof begin, "0x%016lx", reinterpret_cast<unsigned long>(address));
  EXPECT_EQ(user["mappings"][0]["begin"], begin);
  EXPECT_EQ(user["mappings"][0]["write"], false);
  EXPECT_EQ(user["mappings"][0]["resident_bytes"], ::getpagesize());
  EXPECT_TRUE(kith("show " + name).said("read ")) << kith("show " + name).out;

  const Ran refused = kith("rm " + name);
  EXPECT_EQ(refused.status, 4) << refused.err;
  EXPECT_TRUE(refused.complained("process " + std::to_string(::getpid()))) << refused.err;
  ::munmap(address, 20000);
  EXPECT_EQ(kith("rm " + name).status, 0);
  EXPECT_EQ(kith("rm " + name).status, 3);
  EXPECT_EQ(kith("show " + name).status, 3);
}

TEST_F(CommandOnForeign, PosixMemoryThatIsOnlyOpenCountsAsUsed) {
  const std::string path = own_name();
  finally([path] { ::shm_unlink(path.c_str()); });
  const int file = make_posix_memory(path, 4096);
  EXPECT_EQ(kith("rm posix:" + path).status, 4);
  EXPECT_EQ(shown("posix:" + path)["processes"][0]["descriptors"], 1);
  EXPECT_EQ(kith("rm --force posix:" + path).status, 0);
  ::close(file);
}

TEST_F(CommandOnForeign, APosixSemaphoreIsOneByItsName) {
  const std::string path = own_name();
  finally([path] { ::sem_unlink(path.c_str()); });
  sem_t* semaphore = ::sem_open(path.c_str(), O_CREAT | O_EXCL, 0600, 1);
  ASSERT_NE(semaphore, SEM_FAILED);
  const std::string name = "posix:/sem." + path.substr(1);
  EXPECT_EQ(listed(name)["kind"], "posix_semaphore");
  EXPECT_EQ(kith("rm " + name).status, 4);
  ::sem_close(semaphore);
  EXPECT_EQ(kith("rm " + name).status, 0);
}

TEST_F(CommandOnForeign, ADomainIsNoPosixMemory) {
  const std::string name = "posix:/" + scratch_.path().substr(scratch_.path().rfind('/') + 1);
  for (const std::string verb : {"show ", "rm ", "rm --force "}) {
    const Ran ran = kith(verb + name);
    EXPECT_EQ(ran.status, 1);
    EXPECT_TRUE(ran.complained("a directory")) << ran.err;
  }
  EXPECT_TRUE(std::filesystem::is_directory(scratch_.path()));
  EXPECT_FALSE(listed(name).is_object());
}

TEST_F(CommandOnForeign, ASegmentIsKeptWhileItIsAttached) {
  const int id = ::shmget(IPC_PRIVATE, 12345, IPC_CREAT | 0600);
  ASSERT_GE(id, 0) << std::strerror(errno);
  finally([id] { ::shmctl(id, IPC_RMID, nullptr); });
  const std::string name = "sysv:shm:" + std::to_string(id);
  void* address = ::shmat(id, nullptr, 0);
  ASSERT_NE(address, reinterpret_cast<void*>(-1));
  static_cast<char*>(address)[0] = 1;

  const Json object = listed(name);
  ASSERT_TRUE(object.is_object());
  EXPECT_EQ(object["size"], 12345);
  EXPECT_EQ(object["attached"], 1);
  EXPECT_EQ(object["creator_pid"], ::getpid());
  EXPECT_EQ(object["key"], 0);
  EXPECT_EQ(object["state"], "in_use");
  const Json user = find_in(shown(name)["processes"], "pid", ::getpid());
  ASSERT_TRUE(user.is_object()) << shown(name);
  EXPECT_EQ(user["mappings"][0]["resident_bytes"], ::getpagesize());

  EXPECT_EQ(kith("rm " + name).status, 4);
  EXPECT_EQ(kith("rm --force " + name).status, 0);
  EXPECT_EQ(listed(name)["doomed"], true) << "it lives until the last detaches";
  ::shmdt(address);
  EXPECT_EQ(kith("show " + name).status, 3);
}

TEST_F(CommandOnForeign, ASetOfSemaphoresIsKeptWhileSomebodySleepsOnIt) {
  const int id = ::semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
  ASSERT_GE(id, 0) << std::strerror(errno);
  finally([id] { ::semctl(id, 0, IPC_RMID); });
  const std::string name = "sysv:sem:" + std::to_string(id);
  EXPECT_EQ(listed(name)["semaphores"], 3);
  Child sleeper([id] {
    sembuf take{};
    take.sem_num = 1;
    take.sem_op = -1;
    return ::semop(id, &take, 1) != 0 && errno == EIDRM ? 0 : 1;
  });
  // Until it sleeps, which the kernel counts.
  while (::semctl(id, 1, GETNCNT) == 0) ::usleep(1000);
  EXPECT_EQ(listed(name)["waiting"], 1);
  EXPECT_EQ(listed(name)["state"], "in_use");
  EXPECT_EQ(kith("rm " + name).status, 4);
  EXPECT_EQ(kith("rm --force " + name).status, 0);
  EXPECT_EQ(sleeper.wait(), 0);
}

TEST_F(CommandOnForeign, AQueueIsKeptWhileMessagesWait) {
  const int id = ::msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  ASSERT_GE(id, 0) << std::strerror(errno);
  finally([id] { ::msgctl(id, IPC_RMID, nullptr); });
  const std::string name = "sysv:msg:" + std::to_string(id);
  EXPECT_EQ(listed(name)["state"], "unused");
  struct {
    long type = 1;
    char text[5] = "four";
  } message;
  ASSERT_EQ(::msgsnd(id, &message, sizeof message.text, 0), 0);
  EXPECT_EQ(listed(name)["messages"], 1);
  EXPECT_EQ(listed(name)["size"], sizeof message.text);
  EXPECT_TRUE(kith("rm " + name).complained("never received"));
  EXPECT_EQ(kith("rm --force " + name).status, 0);
  EXPECT_FALSE(listed(name).is_object());
}

TEST_F(CommandOnForeign, APosixQueueIsKeptWhileItIsOpenOrMessagesWait) {
  const std::string path = own_name();
  mq_attr shape{};
  shape.mq_maxmsg = 4;
  shape.mq_msgsize = 16;
  const mqd_t queue = ::mq_open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600, &shape);
  if (queue < 0) GTEST_SKIP() << "no POSIX message queue could be made: " << std::strerror(errno);
  finally([path] { ::mq_unlink(path.c_str()); });
  const std::string name = "mqueue:" + path;
  ASSERT_EQ(::mq_send(queue, "four", 4, 0), 0);
  EXPECT_EQ(shown(name)["messages"], 1);
  EXPECT_EQ(shown(name)["processes"][0]["pid"], ::getpid());
  EXPECT_EQ(kith("rm " + name).status, 4);
  ::mq_close(queue);
  EXPECT_TRUE(kith("rm " + name).complained("never received"));
  const Json all = kith("ls --all --json").document();
  const bool may_list = all["unseen"].empty();
  EXPECT_EQ(find_in(all["foreign"], "name", name).is_object(), may_list) << all["unseen"];
  EXPECT_EQ(kith("rm --force " + name).status, 0);
  EXPECT_EQ(kith("show " + name).status, 3);
}

TEST_F(CommandOnForeign, LsHasASectionForEachKindThatIsThere) {
  const std::string path = own_name();
  finally([path] { ::shm_unlink(path.c_str()); });
  ::close(make_posix_memory(path, 4096));
  const Ran all = kith("ls --all");
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_TRUE(all.said("Domain " + scratch_.path())) << all.out;
  EXPECT_TRUE(all.said("POSIX shared memory\nNAME")) << all.out;
  EXPECT_TRUE(all.said("posix:" + path + " ")) << all.out;
  EXPECT_TRUE(kith("ls --all --names").said("posix:" + path + "\n"));
}

// Method: a name that would clear the screen, and one that is no UTF-8.
TEST_F(CommandOnForeign, AHostileFileNameIsShownHarmless) {
  const std::string path = own_name() + "\x1b[2J\xff";
  finally([path] { ::shm_unlink(path.c_str()); });
  ::close(make_posix_memory(path, 4096));
  const Ran all = kith("ls --all");
  EXPECT_EQ(all.out.find('\x1b'), std::string::npos);
  EXPECT_TRUE(all.said("posix:" + own_name() + "?[2J? ")) << all.out;
  EXPECT_FALSE(kith("ls --all --json").document()["foreign"].empty());
  EXPECT_EQ(kith("rm 'posix:" + path + "'").status, 0);
}

}  // namespace
}  // namespace kith::tests
