// One body for every kind of memory: what the concept promises in words, each kind must keep.
// What a name adds is in named_memory_conformance_test.cpp.
#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <type_traits>

#include "kith/memory/memory.hpp"

#include "tests/support/child.hpp"
#include "tests/support/memory_kinds.hpp"
#include "tests/support/refusal.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::code_of;
using tests::error_of;
using tests::Mouth;
using tests::soon;

constexpr std::uint64_t kSize = 10'000;  // no multiple of a page
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

template <class Kind>
struct MemoryConformance : testing::Test {
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

using AllKinds =
    testing::Types<tests::PosixShmKind, tests::FileKind, tests::DiskFileKind, tests::HugeFileKind,
                   tests::SysvShmKind, tests::MemfdKind, tests::HugeMemfdKind>;
TYPED_TEST_SUITE(MemoryConformance, AllKinds);

TYPED_TEST(MemoryConformance, IsZeroedWritableAndOfTheAskedSizeAtBirth) {
  const auto memory = this->create();
  EXPECT_TRUE(memory);
  EXPECT_TRUE(memory.is_writable());
  const std::uint64_t size = this->kind.whole(kSize);
  EXPECT_EQ(memory.size(), size);
  ASSERT_EQ(memory.bytes().size(), size);
  ASSERT_EQ(memory.writable_bytes().size(), size);
  EXPECT_EQ(memory.writable_bytes().data(), memory.bytes().data());
  EXPECT_TRUE(std::all_of(memory.bytes().begin(), memory.bytes().end(),
                          [](std::byte byte) { return byte == std::byte{0}; }));
}

TYPED_TEST(MemoryConformance, IsAllocatedWholeAtBirth) {
  const auto memory = this->create(3 * kMiB);
  EXPECT_EQ(memory.size(), this->kind.whole(3 * kMiB));
  EXPECT_GE(this->kind.allocated(memory), 3 * kMiB);
}

TYPED_TEST(MemoryConformance, TwoMappingsInOneProcessShowTheSameBytesAtTwoAddresses) {
  const auto first = this->create();
  const auto second = this->kind.again(first, Access::read_write);
  EXPECT_EQ(second.size(), first.size());
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
  EXPECT_EQ(reader.bytes().size(), memory.bytes().size());
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

template <class Kind>
struct DescriptorConformance : MemoryConformance<Kind> {};

using DescriptorKinds = testing::Types<tests::PosixShmKind, tests::FileKind, tests::DiskFileKind,
                                       tests::HugeFileKind, tests::MemfdKind, tests::HugeMemfdKind>;
TYPED_TEST_SUITE(DescriptorConformance, DescriptorKinds);

TYPED_TEST(DescriptorConformance, AMovedFromHandleHasNoDescriptor) {
  const typename TypeParam::Type null;
  EXPECT_DEATH(static_cast<void>(null.descriptor()), "broken contract.*moved from");
}

TYPED_TEST(DescriptorConformance, ADescriptorOfItCanBeHad) {
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

TYPED_TEST(DescriptorConformance, WithoutAFreeDescriptorCreationIsAnErrorThatSaysSo) {
  Child child([&] {
    return code_of([&] {
      const NoFreeDescriptor limit;
      static_cast<void>(this->create());
    });
  });
  EXPECT_EQ(child.wait(), static_cast<int>(Errc::limit_reached));
}

}  // namespace
}  // namespace kith
