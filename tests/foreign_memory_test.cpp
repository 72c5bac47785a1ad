// Memory made by other software opens as bytes, and the other way round: plain system calls,
// Python's multiprocessing.shared_memory, Boost.Interprocess. Each side reads what the other wrote.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "kith/memory/posix_shm.hpp"
#include "kith/memory/sysv_shm.hpp"

#include "testkit/process.hpp"
#include "tests/support/refusal.hpp"

namespace kith {
namespace {

namespace interprocess = boost::interprocess;
using testkit::Process;
using tests::soon;

constexpr std::uint64_t kSize = 10'000;
constexpr std::string_view kTheirs = "written by them";
constexpr std::string_view kOurs = "written by us..";

std::string fresh_name() {
  static int count = 0;
  return "/kith-foreign-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

template <class M>
std::string_view text_in(const M& memory) {
  return {reinterpret_cast<const char*>(memory.bytes().data()), kTheirs.size()};
}
template <class M>
void put(const M& memory, std::string_view text) {
  std::memcpy(memory.writable_bytes().data(), text.data(), text.size());
}

TEST(ForeignMemory, OfPlainSystemCallsOpensAndIsSharedBothWays) {
  const std::string name = fresh_name();
  const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  ASSERT_GE(file, 0);
  ASSERT_EQ(::ftruncate(file, kSize), 0);
  void* const address = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ASSERT_NE(address, MAP_FAILED);
  std::memcpy(address, kTheirs.data(), kTheirs.size());
  const auto memory = PosixShm::open(name, Access::read_write);
  PosixShm::remove(name);
  EXPECT_EQ(memory.size(), kSize);
  EXPECT_EQ(text_in(memory), kTheirs);
  put(memory, kOurs);
  EXPECT_EQ(std::memcmp(address, kOurs.data(), kOurs.size()), 0);
  ::munmap(address, kSize);
  ::close(file);
}

TEST(ForeignMemory, OfShmgetOpensByKeyAndByIdAndIsSharedBothWays) {
  const key_t key = ::ftok("/proc/self/exe", 11);
  const int id = ::shmget(key, kSize, IPC_CREAT | IPC_EXCL | 0600);
  ASSERT_GE(id, 0);
  auto* const address = static_cast<char*>(::shmat(id, nullptr, 0));
  std::memcpy(address, kTheirs.data(), kTheirs.size());
  {
    const auto by_key = SysvShm::open(SysvKey::of_path("/proc/self/exe", 11), Access::read_write);
    const auto by_id = SysvShm::open_id(id, Access::read_only);
    EXPECT_EQ(by_key.size(), kSize);
    EXPECT_EQ(text_in(by_key), kTheirs);
    put(by_key, kOurs);
    EXPECT_EQ(text_in(by_id), kOurs);
    EXPECT_EQ(std::string_view(address, kOurs.size()), kOurs);
  }
  ::shmdt(address);
  ::shmctl(id, IPC_RMID, nullptr);
}

TEST(ForeignMemory, OfOursIsFoundByShmget) {
  const SysvKey key = SysvKey::of_path("/proc/self/exe", 12);
  const auto memory = SysvShm::create(key, kSize);
  put(memory, kOurs);
  const int id = ::shmget(::ftok("/proc/self/exe", 12), kSize, 0600);
  EXPECT_EQ(id, memory.id());
  auto* const address = static_cast<char*>(::shmat(id, nullptr, SHM_RDONLY));
  EXPECT_EQ(std::string_view(address, kOurs.size()), kOurs);
  ::shmdt(address);
  SysvShm::remove(key);
}

// A Python that runs `script` with the memory's bare name and says what the script prints.
Process python(const std::string& script, const std::string& name) {
  return Process::start(
      "python",
      {.path = "python3", .arguments = {"-u", "-c", script, name.substr(1)}, .extra = {}});
}

// Python's resource tracker removes what a process attached to, once that ends: a known trap, so
// the scripts tell it to forget.
constexpr const char* kOfPython = R"(
import sys
from multiprocessing import resource_tracker, shared_memory
theirs, ours = b'written by them', b'written by us..'
)";

TEST(ForeignMemory, OfPythonOpensAndIsSharedBothWays) {
  const std::string name = fresh_name();
  Process script = python(std::string(kOfPython) + R"(
memory = shared_memory.SharedMemory(sys.argv[1], create=True, size=10000)
memory.buf[:len(theirs)] = theirs
print('made')
sys.stdin.readline()
print('seen' if bytes(memory.buf[:len(ours)]) == ours else 'other')
memory.close()
memory.unlink()
)",
                          name);
  const auto first = script.next_word(soon());
  ASSERT_EQ(first.value_or("nothing: is python3 there?"), "made");
  {
    const auto memory = PosixShm::open(name, Access::read_write);
    EXPECT_GE(memory.size(), kSize);
    EXPECT_EQ(text_in(memory), kTheirs);
    put(memory, kOurs);
  }
  script.tell("go on");
  EXPECT_EQ(script.expect("seen", soon()), "");
  EXPECT_EQ(script.finish(soon()).text(), "");
}

TEST(ForeignMemory, OfOursIsOpenedByPython) {
  const std::string name = fresh_name();
  const auto memory = PosixShm::create(name, kSize);
  put(memory, kOurs);
  Process script = python(std::string(kOfPython) + R"(
memory = shared_memory.SharedMemory(sys.argv[1])
resource_tracker.unregister(memory._name, 'shared_memory')
print('seen' if bytes(memory.buf[:len(ours)]) == ours else 'other')
memory.buf[:len(theirs)] = theirs
memory.close()
)",
                          name);
  EXPECT_EQ(script.expect("seen", soon()), "");
  EXPECT_EQ(script.finish(soon()).text(), "");
  EXPECT_EQ(text_in(memory), kTheirs);
  PosixShm::remove(name);
}

TEST(ForeignMemory, OfABoostSharedMemoryObjectOpensAndIsSharedBothWays) {
  const std::string name = fresh_name();
  interprocess::shared_memory_object object(interprocess::create_only, name.c_str(),
                                            interprocess::read_write);
  object.truncate(kSize);
  const interprocess::mapped_region region(object, interprocess::read_write);
  std::memcpy(region.get_address(), kTheirs.data(), kTheirs.size());
  const auto memory = PosixShm::open(name, Access::read_write);
  EXPECT_EQ(memory.size(), kSize);
  EXPECT_EQ(text_in(memory), kTheirs);
  put(memory, kOurs);
  EXPECT_EQ(std::memcmp(region.get_address(), kOurs.data(), kOurs.size()), 0);
  interprocess::shared_memory_object::remove(name.c_str());
}

TEST(ForeignMemory, OfOursIsOpenedByBoost) {
  const std::string name = fresh_name();
  const auto memory = PosixShm::create(name, kSize);
  put(memory, kOurs);
  const interprocess::shared_memory_object object(interprocess::open_only, name.c_str(),
                                                  interprocess::read_write);
  const interprocess::mapped_region region(object, interprocess::read_write);
  EXPECT_EQ(std::memcmp(region.get_address(), kOurs.data(), kOurs.size()), 0);
  std::memcpy(region.get_address(), kTheirs.data(), kTheirs.size());
  EXPECT_EQ(text_in(memory), kTheirs);
  PosixShm::remove(name);
}

// Its own structures lie around an object, so its bytes are found by looking for them.
TEST(ForeignMemory, OfABoostManagedSegmentOpensAsItsBytes) {
  const std::string name = fresh_name();
  interprocess::managed_shared_memory segment(interprocess::create_only, name.c_str(), 65'536);
  char* const text = segment.construct<char>("text")[kTheirs.size()]('\0');
  std::memcpy(text, kTheirs.data(), kTheirs.size());
  const auto memory = PosixShm::open(name, Access::read_write);
  EXPECT_EQ(memory.size(), 65'536U);
  const std::string_view all(reinterpret_cast<const char*>(memory.bytes().data()), memory.size());
  const std::size_t place = all.find(kTheirs);
  ASSERT_NE(place, std::string_view::npos);
  std::memcpy(memory.writable_bytes().data() + place, kOurs.data(), kOurs.size());
  EXPECT_EQ(std::string_view(text, kOurs.size()), kOurs);
  interprocess::shared_memory_object::remove(name.c_str());
}

}  // namespace
}  // namespace kith
