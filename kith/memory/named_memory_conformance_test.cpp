// What a name adds to a memory, one body for every kind that has one; and what those whose names
// stand in a directory share besides.
#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "kith/memory/memory.hpp"

#include "tests/support/child.hpp"
#include "tests/support/memory_kinds.hpp"
#include "tests/support/refusal.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::code_of;
using tests::enter_own_mounts;
using tests::error_of;
using tests::kRefused;
using tests::mount_tmpfs;
using tests::Mouth;

constexpr std::uint64_t kSize = 10'000;  // no multiple of a page
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

template <class Kind>
struct NamedMemoryConformance : testing::Test {
  Kind kind;

  void SetUp() override {
    if (const std::string why = kind.refusal(); !why.empty()) GTEST_SKIP() << why;
  }
  void TearDown() override { kind.clear(); }
  [[nodiscard]] auto create(std::uint64_t size = kSize) const { return kind.create(size); }
  void expect_named(const Error& error) const {
    EXPECT_NE(error.text().object.find(kind.text()), std::string::npos) << error.what();
  }
};

using NamedKinds = testing::Types<tests::PosixShmKind, tests::FileKind, tests::DiskFileKind,
                                  tests::HugeFileKind, tests::SysvShmKind>;
TYPED_TEST_SUITE(NamedMemoryConformance, NamedKinds);

template <class Kind>
struct FileConformance : NamedMemoryConformance<Kind> {};

using FileKinds =
    testing::Types<tests::PosixShmKind, tests::FileKind, tests::DiskFileKind, tests::HugeFileKind>;
TYPED_TEST_SUITE(FileConformance, FileKinds);

// On these there are files of any size, write(2), links and pipes.
template <class Kind>
struct PlainFileConformance : NamedMemoryConformance<Kind> {};

using PlainFileKinds = testing::Types<tests::PosixShmKind, tests::FileKind, tests::DiskFileKind>;
TYPED_TEST_SUITE(PlainFileConformance, PlainFileKinds);

TYPED_TEST(NamedMemoryConformance, SurvivesItsLastHandle) {
  using Type = typename TypeParam::Type;
  this->create().writable_bytes()[77] = std::byte{77};
  const auto again = Type::open(this->kind.name, Access::read_only);
  EXPECT_EQ(again.size(), this->kind.whole(kSize));
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

TYPED_TEST(FileConformance, ADescriptorIsRefusedOnceTheNameIsGoneOrStandsForAnother) {
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
  const Error error = error_of([&] { static_cast<void>(this->create(2 * kSize)); });
  EXPECT_EQ(error.errc(), Errc::already_exists);
  const std::string size = std::to_string(first.size()) + " bytes";
  EXPECT_NE(error.text().found.find(size), std::string::npos) << error.what();
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

TYPED_TEST(PlainFileConformance, OpensWhatOtherSoftwareMadeAtItsSizeOfThatMoment) {
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

TYPED_TEST(FileConformance, AFileWithoutBytesIsAnErrorThatSaysWhy) {
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

TYPED_TEST(FileConformance, ADirectoryInItsPlaceIsRefused) {
  ASSERT_TRUE(os::make_directory(this->kind.file, 0700));
  expect_untouched<typename TypeParam::Type>(this->kind.name, this->kind.file);
  EXPECT_TRUE(os::remove_directory(this->kind.file));
}

TYPED_TEST(PlainFileConformance, ASymbolicLinkInItsPlaceIsRefusedWhereverItLeads) {
  for (const char* target : {"/etc/passwd", "nowhere"}) {
    ASSERT_EQ(::symlink(target, this->kind.file.c_str()), 0);
    expect_untouched<typename TypeParam::Type>(this->kind.name, this->kind.file);
    ASSERT_TRUE(os::unlink_path(this->kind.file));
  }
}

TYPED_TEST(PlainFileConformance, APipeInItsPlaceIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(this->kind.file.c_str(), 0600), 0);
  expect_untouched<typename TypeParam::Type>(this->kind.name, this->kind.file);
}

// Method: a child gives up root's rights (if it has them) and meets a memory of mode 0000.
TYPED_TEST(NamedMemoryConformance, WithoutRightsOpeningIsRefusedByName) {
  using Type = typename TypeParam::Type;
  const auto memory = this->create();
  ASSERT_TRUE(this->kind.set_permissions(memory, 0));
  Child child([&] {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return kRefused;
    return code_of([&] { static_cast<void>(Type::open(this->kind.name, Access::read_only)); });
  });
  EXPECT_EQ(child.wait(), static_cast<int>(Errc::permission_denied));
}

TYPED_TEST(NamedMemoryConformance, IsPrivateToItsUserAtBirth) {
  const auto memory = this->create();
  EXPECT_EQ(this->kind.permissions(memory), 0600U);
}

// Method: a child mounts 1 MiB, visible to itself alone, over the folder of the name.
TYPED_TEST(PlainFileConformance, AFullFileSystemIsAnErrorThatLeavesNothingBehind) {
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
    for (int i = 0; i < 2 * round; ++i) ::sched_yield();  // long, on a busy machine
    child.signal(SIGKILL);
    ASSERT_EQ(child.wait(), -SIGKILL);
    if (!this->kind.is_there()) continue;
    const auto memory = Type::open(this->kind.name, Access::read_only);
    EXPECT_EQ(memory.size(), this->kind.whole(kMiB));
    // A segment can be seen before its pages are all there.
    if (DescriptorMemory<Type>) {
      EXPECT_GE(this->kind.allocated(memory), kMiB);
    }
    Type::remove(this->kind.name);
  }
  if constexpr (DescriptorMemory<Type>) {
    const auto left = os::names_in(os::open_directory(this->kind.folder()).value);
    for (const std::string& name : left.value) {
      EXPECT_EQ(name.find(".new-memory-"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace kith
