// One body for every kind of memory: what the concept promises in words, each kind must keep.
#include <algorithm>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <type_traits>
#include <unistd.h>

#include "kith/memory/file_memory.hpp"
#include "kith/memory/memfd.hpp"
#include "kith/memory/memory.hpp"
#include "kith/memory/posix_shm.hpp"

#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::code_of;
using tests::enter_own_mounts;
using tests::error_of;
using tests::kRefused;
using tests::mount_tmpfs;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;

constexpr std::uint64_t kSize = 10'000;  // no multiple of a page
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string fresh_word() {
  static int count = 0;
  return "kith-memory-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

// What differs between the kinds: how a fresh name looks, where it lies, how it is opened again.
struct PosixShmKind {
  using Type = PosixShm;
  std::string name = "/" + fresh_word();
  std::string file = "/dev/shm" + name;
  [[nodiscard]] static std::string folder() { return "/dev/shm"; }
  [[nodiscard]] PosixShm again(const PosixShm&, Access access) const {
    return PosixShm::open(name, access);
  }
};

struct FileKind {
  using Type = FileMemory;
  ScratchDirectory directory;
  std::string name = directory.in("memory");
  std::string file = name;
  [[nodiscard]] std::string folder() const { return directory.path(); }
  [[nodiscard]] FileMemory again(const FileMemory&, Access access) const {
    return FileMemory::open(name, access);
  }
};

// The same kind on a disk, where the bytes are allocated and zeroed in other ways.
struct DiskFileKind : FileKind {
  DiskFileKind() : on_disk("/var/tmp") {
    name = on_disk.in("memory");
    file = name;
  }
  [[nodiscard]] std::string folder() const { return on_disk.path(); }
  ScratchDirectory on_disk;
};

struct MemfdKind {
  using Type = Memfd;
  std::string name = fresh_word();
  [[nodiscard]] static Memfd again(const Memfd& memory, Access access) {
    return Memfd::open(memory.descriptor().number(), access);
  }
};

template <class Kind>
struct MemoryConformance : testing::Test {
  Kind kind;

  [[nodiscard]] auto create(std::uint64_t size = kSize) const {
    return Kind::Type::create(kind.name, size);
  }
  void TearDown() override {
    if constexpr (NamedMemory<typename Kind::Type>) ::unlink(kind.file.c_str());
  }
  void expect_named(const Error& error) const {
    EXPECT_NE(error.text().object.find(kind.name), std::string::npos) << error.what();
  }
};

using AllKinds = testing::Types<PosixShmKind, FileKind, DiskFileKind, MemfdKind>;
TYPED_TEST_SUITE(MemoryConformance, AllKinds);

TYPED_TEST(MemoryConformance, IsZeroedWritableAndOfTheAskedSizeAtBirth) {
  const auto memory = this->create();
  EXPECT_TRUE(memory);
  EXPECT_TRUE(memory.is_writable());
  EXPECT_EQ(memory.size(), kSize);
  ASSERT_EQ(memory.bytes().size(), kSize);
  ASSERT_EQ(memory.writable_bytes().size(), kSize);
  EXPECT_EQ(memory.writable_bytes().data(), memory.bytes().data());
  EXPECT_TRUE(std::all_of(memory.bytes().begin(), memory.bytes().end(),
                          [](std::byte byte) { return byte == std::byte{0}; }));
}

TYPED_TEST(MemoryConformance, IsAllocatedWholeAtBirth) {
  const auto memory = this->create(3 * kMiB);
  const auto facts = os::facts_of(memory.descriptor());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts.value.size, 3 * kMiB);
  EXPECT_GE(facts.value.allocated_bytes, 3 * kMiB);
}

TYPED_TEST(MemoryConformance, TwoMappingsInOneProcessShowTheSameBytesAtTwoAddresses) {
  const auto first = this->create();
  const auto second = this->kind.again(first, Access::read_write);
  EXPECT_EQ(second.size(), kSize);
  EXPECT_NE(first.bytes().data(), second.bytes().data());
  first.writable_bytes()[kSize - 1] = std::byte{42};
  EXPECT_EQ(second.bytes()[kSize - 1], std::byte{42});
  second.writable_bytes()[0] = std::byte{17};
  EXPECT_EQ(first.bytes()[0], std::byte{17});
}

TYPED_TEST(MemoryConformance, WhatAChildWritesIsThereAfterItsEnd) {
  const auto memory = this->create();
  Child inheriting([&] {
    memory.writable_bytes()[1] = std::byte{1};
    return 0;
  });
  Child opening([&] {
    this->kind.again(memory, Access::read_write).writable_bytes()[2] = std::byte{2};
    return 0;
  });
  EXPECT_EQ(inheriting.wait(), 0);
  EXPECT_EQ(opening.wait(), 0);
  EXPECT_EQ(memory.bytes()[1], std::byte{1});
  EXPECT_EQ(memory.bytes()[2], std::byte{2});
}

TYPED_TEST(MemoryConformance, StaysAsAKilledProcessLeftIt) {
  const auto memory = this->create();
  Child child([&](Mouth& parent) {
    const auto own = this->kind.again(memory, Access::read_write);
    own.writable_bytes()[3] = std::byte{3};
    parent.say("w");
    return parent.hear(soon()) == "e" ? 0 : 1;
  });
  ASSERT_EQ(child.hear(), "w");
  child.signal(SIGKILL);
  EXPECT_EQ(child.wait(), -SIGKILL);
  EXPECT_EQ(memory.bytes()[3], std::byte{3});
}

TYPED_TEST(MemoryConformance, OpenedToReadItOffersNothingToWriteOn) {
  const auto memory = this->create();
  const auto reader = this->kind.again(memory, Access::read_only);
  EXPECT_FALSE(reader.is_writable());
  EXPECT_TRUE(reader.writable_bytes().empty());
  EXPECT_EQ(reader.bytes().size(), kSize);
  memory.writable_bytes()[5] = std::byte{5};
  EXPECT_EQ(reader.bytes()[5], std::byte{5});
}

TYPED_TEST(MemoryConformance, MovesAndIsEmptyAfterwards) {
  using Type = typename TypeParam::Type;
  static_assert(std::is_nothrow_move_constructible_v<Type>);
  static_assert(std::is_nothrow_move_assignable_v<Type>);
  static_assert(!std::is_copy_constructible_v<Type> && !std::is_copy_assignable_v<Type>);
  Type first = this->create();
  const std::byte* const address = first.bytes().data();
  Type second = std::move(first);
  EXPECT_EQ(second.bytes().data(), address);
  EXPECT_FALSE(first);  // NOLINT: looking at a moved-from handle is what is tested
  EXPECT_FALSE(first.is_writable());
  EXPECT_EQ(first.size(), 0U);
  EXPECT_TRUE(first.bytes().empty() && first.writable_bytes().empty());
  Type null;
  EXPECT_FALSE(null);
  null = std::move(second);
  EXPECT_EQ(null.bytes().data(), address);
}

TYPED_TEST(MemoryConformance, AMovedFromHandleHasNoDescriptor) {
  const typename TypeParam::Type null;
  EXPECT_DEATH(static_cast<void>(null.descriptor()), "broken contract.*moved from");
}

TYPED_TEST(MemoryConformance, ADescriptorOfItCanBeHad) {
  const auto memory = this->create();
  const os::Descriptor descriptor = memory.descriptor();
  const auto through = Memfd::open(descriptor.number(), Access::read_write);
  through.writable_bytes()[9] = std::byte{9};
  EXPECT_EQ(memory.bytes()[9], std::byte{9});
}

TYPED_TEST(MemoryConformance, CannotHaveNoBytesOrMoreThanCanBeMapped) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    const Error error = error_of([&] { static_cast<void>(this->create(size)); });
    EXPECT_EQ(error.errc(), Errc::invalid_argument);
    EXPECT_EQ(error.text().found, std::to_string(size) + " bytes");
    this->expect_named(error);
  }
}

TYPED_TEST(MemoryConformance, LargerThanThereIsRoomIsRefusedBeforeAnythingIsTaken) {
  const Error error = error_of([&] { static_cast<void>(this->create(std::uint64_t{1} << 60)); });
  EXPECT_EQ(error.errc(), Errc::no_space);
  EXPECT_EQ(error.text().expected, "1152921504606846976 bytes free");
  EXPECT_FALSE(error.text().found.empty());
  EXPECT_FALSE(error.text().remedy.empty());
  this->expect_named(error);
  EXPECT_TRUE(this->create(1));
}

// No more descriptors in this process while one lives. A scope, because sanitizers need some too.
class NoFreeDescriptor {
 public:
  NoFreeDescriptor() {
    // The undefined-behaviour sanitizer looks at an object's type through a pipe, but only once:
    // let it look at what an error is made of as long as there is a descriptor for that pipe.
    code_of([] { static_cast<void>(Memfd::open(-1, Access::read_only)); });
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const auto next = static_cast<rlim_t>(os::open_directory("/").value.number());
    const rlimit none{next, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoFreeDescriptor(const NoFreeDescriptor&) = delete;
  NoFreeDescriptor& operator=(const NoFreeDescriptor&) = delete;
  ~NoFreeDescriptor() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TYPED_TEST(MemoryConformance, WithoutAFreeDescriptorCreationIsAnErrorThatSaysSo) {
  const std::string name = this->kind.name;
  Child child([&] {
    return code_of([&] {
      const NoFreeDescriptor limit;
      static_cast<void>(TypeParam::Type::create(name, kSize));
    });
  });
  EXPECT_EQ(child.wait(), static_cast<int>(Errc::limit_reached));
}

template <class Kind>
struct NamedMemoryConformance : MemoryConformance<Kind> {};

using NamedKinds = testing::Types<PosixShmKind, FileKind, DiskFileKind>;
TYPED_TEST_SUITE(NamedMemoryConformance, NamedKinds);

TYPED_TEST(NamedMemoryConformance, SurvivesItsLastHandle) {
  using Type = typename TypeParam::Type;
  this->create().writable_bytes()[77] = std::byte{77};
  const auto again = Type::open(this->kind.name, Access::read_only);
  EXPECT_EQ(again.size(), kSize);
  EXPECT_EQ(again.bytes()[77], std::byte{77});
}

TYPED_TEST(NamedMemoryConformance, RemovalLeavesSurvivorsTheirMapping) {
  using Type = typename TypeParam::Type;
  const auto survivor = this->create();
  survivor.writable_bytes()[0] = std::byte{1};
  Type::remove(this->kind.name);
  EXPECT_EQ(code_of([&] { static_cast<void>(Type::open(this->kind.name, Access::read_only)); }),
            static_cast<int>(Errc::not_found));
  const auto newer = this->create();
  EXPECT_EQ(newer.bytes()[0], std::byte{0});
  EXPECT_EQ(survivor.bytes()[0], std::byte{1});
}

TYPED_TEST(NamedMemoryConformance, ADescriptorIsRefusedOnceTheNameIsGoneOrStandsForAnother) {
  using Type = typename TypeParam::Type;
  const auto survivor = this->create();
  Type::remove(this->kind.name);
  EXPECT_EQ(error_of([&] { static_cast<void>(survivor.descriptor()); }).errc(), Errc::orphaned);
  const auto newer = this->create();
  const Error error = error_of([&] { static_cast<void>(survivor.descriptor()); });
  EXPECT_EQ(error.errc(), Errc::orphaned);
  EXPECT_EQ(error.text().found, "another memory of that name");
  EXPECT_TRUE(newer.descriptor());
}

TYPED_TEST(NamedMemoryConformance, HoldsNoDescriptorWhileOpen) {
  const int before = os::open_directory("/").value.number();
  const auto memory = this->create();
  const auto again = this->kind.again(memory, Access::read_write);
  EXPECT_EQ(os::open_directory("/").value.number(), before);
}

TYPED_TEST(NamedMemoryConformance, CreationIsExclusive) {
  const auto first = this->create();
  first.writable_bytes()[0] = std::byte{1};
  const Error error = error_of([&] { static_cast<void>(this->create(5 * kSize)); });
  EXPECT_EQ(error.errc(), Errc::already_exists);
  EXPECT_EQ(error.text().found, "a regular file of 10000 bytes");
  EXPECT_NE(error.text().remedy.find("open"), std::string::npos);
  this->expect_named(error);
  EXPECT_EQ(first.bytes()[0], std::byte{1});
}

TYPED_TEST(NamedMemoryConformance, WhatIsNotThereIsNamed) {
  using Type = typename TypeParam::Type;
  const Error opening =
      error_of([&] { static_cast<void>(Type::open(this->kind.name, Access::read_write)); });
  EXPECT_EQ(opening.errc(), Errc::not_found);
  this->expect_named(opening);
  const Error removing = error_of([&] { Type::remove(this->kind.name); });
  EXPECT_EQ(removing.errc(), Errc::not_found);
  this->expect_named(removing);
}

TYPED_TEST(NamedMemoryConformance, OpensWhatOtherSoftwareMadeAtItsSizeOfThatMoment) {
  using Type = typename TypeParam::Type;
  const os::Descriptor file = std::move(os::create_path(this->kind.file).value);
  ASSERT_TRUE(os::set_size(file, 5));
  ASSERT_EQ(::pwrite(file.number(), "hello", 5, 0), 5);
  const auto memory = Type::open(this->kind.name, Access::read_only);
  ASSERT_EQ(memory.size(), 5U);
  EXPECT_EQ(std::memcmp(memory.bytes().data(), "hello", 5), 0);
  ASSERT_TRUE(os::set_size(file, 9));
  EXPECT_EQ(memory.size(), 5U);
  EXPECT_EQ(Type::open(this->kind.name, Access::read_only).size(), 9U);
}

TYPED_TEST(NamedMemoryConformance, AFileWithoutBytesIsAnErrorThatSaysWhy) {
  using Type = typename TypeParam::Type;
  ASSERT_TRUE(os::create_path(this->kind.file));
  const Error error =
      error_of([&] { static_cast<void>(Type::open(this->kind.name, Access::read_only)); });
  EXPECT_EQ(error.errc(), Errc::damaged);
  EXPECT_EQ(error.text().found, "0 bytes");
  EXPECT_NE(error.text().remedy.find("remove it"), std::string::npos);
  this->expect_named(error);
}

// Whatever stands in the place of a memory: nothing is opened, replaced, or removed.
template <class Type>
void expect_untouched(const std::string& name, const std::string& file) {
  struct stat before {};
  ASSERT_EQ(::lstat(file.c_str(), &before), 0);
  for (const Access access : {Access::read_only, Access::read_write}) {
    const Error error = error_of([&] { static_cast<void>(Type::open(name, access)); });
    EXPECT_EQ(error.errc(), Errc::not_ours) << error.what();
    EXPECT_NE(error.text().object.find(name), std::string::npos) << error.what();
    EXPECT_FALSE(error.text().remedy.empty());
  }
  EXPECT_EQ(error_of([&] { static_cast<void>(Type::create(name, kSize)); }).errc(),
            Errc::already_exists);
  EXPECT_EQ(error_of([&] { Type::remove(name); }).errc(), Errc::not_ours);
  struct stat after {};
  ASSERT_EQ(::lstat(file.c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
}

TYPED_TEST(NamedMemoryConformance, ADirectoryInItsPlaceIsRefused) {
  ASSERT_TRUE(os::make_directory(this->kind.file, 0700));
  expect_untouched<typename TypeParam::Type>(this->kind.name, this->kind.file);
  EXPECT_TRUE(os::remove_directory(this->kind.file));
}

TYPED_TEST(NamedMemoryConformance, ASymbolicLinkInItsPlaceIsRefusedWhereverItLeads) {
  for (const char* target : {"/etc/passwd", "nowhere"}) {
    ASSERT_EQ(::symlink(target, this->kind.file.c_str()), 0);
    expect_untouched<typename TypeParam::Type>(this->kind.name, this->kind.file);
    ASSERT_TRUE(os::unlink_path(this->kind.file));
  }
}

TYPED_TEST(NamedMemoryConformance, APipeInItsPlaceIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(this->kind.file.c_str(), 0600), 0);
  expect_untouched<typename TypeParam::Type>(this->kind.name, this->kind.file);
}

// Method: a child gives up root's rights (if it has them) and meets a memory of mode 0000.
TYPED_TEST(NamedMemoryConformance, WithoutRightsOpeningIsRefusedByName) {
  using Type = typename TypeParam::Type;
  const auto memory = this->create();
  ASSERT_TRUE(os::set_permissions(memory.descriptor(), 0));
  Child child([&] {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return kRefused;
    return code_of([&] { static_cast<void>(Type::open(this->kind.name, Access::read_only)); });
  });
  EXPECT_EQ(child.wait(), static_cast<int>(Errc::permission_denied));
}

TYPED_TEST(NamedMemoryConformance, IsPrivateToItsUserAtBirth) {
  const auto memory = this->create();
  EXPECT_EQ(os::facts_of(memory.descriptor()).value.permissions, 0600U);
}

// Method: a child mounts 1 MiB, visible to itself alone, over the folder of the name.
TYPED_TEST(NamedMemoryConformance, AFullFileSystemIsAnErrorThatLeavesNothingBehind) {
  using Type = typename TypeParam::Type;
  Child child([&] {
    const std::string folder = this->kind.folder();
    if (!enter_own_mounts().empty() || !mount_tmpfs(folder, "1m").empty()) return kRefused;
    const os::Descriptor directory = std::move(os::open_directory(folder).value);
    const auto create = [&](std::uint64_t size) {
      return code_of([&] { static_cast<void>(Type::create(this->kind.name, size)); });
    };
    if (create(2 * kMiB) != static_cast<int>(Errc::no_space)) return 101;
    if (!os::names_in(directory).value.empty()) return 102;
    if (os::space_of(directory).value.free_bytes != kMiB) return 103;
    const auto filler = os::create_unnamed(directory);
    if (!os::allocate(filler.value, 0, kMiB - os::page_size())) return 104;
    if (create(2 * os::page_size()) != static_cast<int>(Errc::no_space)) return 105;
    if (!os::names_in(directory).value.empty()) return 106;
    return create(os::page_size());
  });
  const int end = child.wait();
  if (end == kRefused) GTEST_SKIP() << "mounting a tmpfs is refused: run as root";
  EXPECT_EQ(end, 0);
}

// Method: a child that tries to create is killed at whatever moment it has reached; the name must
// be absent, or stand for a whole memory.
TYPED_TEST(NamedMemoryConformance, AKilledCreatorLeavesAWholeMemoryOrNone) {
  using Type = typename TypeParam::Type;
  for (int round = 0; round < 20; ++round) {
    Child child([&](Mouth& parent) {
      parent.say("b");
      while (true) {
        const auto memory = this->create(kMiB);
        Type::remove(this->kind.name);
      }
      return 0;
    });
    ASSERT_EQ(child.hear(), "b");
    for (int i = 0; i < 50 * round; ++i) ::sched_yield();
    child.signal(SIGKILL);
    ASSERT_EQ(child.wait(), -SIGKILL);
    if (!os::facts_of_path(this->kind.file)) continue;
    const auto memory = Type::open(this->kind.name, Access::read_only);
    EXPECT_EQ(memory.size(), kMiB);
    EXPECT_GE(os::facts_of(memory.descriptor()).value.allocated_bytes, kMiB);
    Type::remove(this->kind.name);
  }
  for (const std::string& left :
       os::names_in(os::open_directory(this->kind.folder()).value).value) {
    EXPECT_EQ(left.find(".new-memory-"), std::string::npos);
  }
}

}  // namespace
}  // namespace kith
