#include "kith/os/mapping.hpp"

#include <cerrno>
#include <cstdint>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::os {
namespace {

using tests::Child;
using tests::ScratchDirectory;

Descriptor file_of(std::uint64_t size) {
  const ScratchDirectory directory;
  Descriptor file = std::move(create_unnamed(directory.open()).value);
  static_cast<void>(set_size(file, size));
  return file;
}

TEST(Mapping, TwoOfOneFileShowTheSameBytes) {
  const Descriptor file = file_of(page_size());
  const auto first = Mapping::of_file(file, page_size(), Access::read_write);
  const auto second = Mapping::of_file(file, page_size(), Access::read_only);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_NE(first.value.data(), second.value.data());
  first.value.bytes()[100] = std::byte{42};
  EXPECT_EQ(second.value.bytes()[100], std::byte{42});
}

TEST(Mapping, OutlivesTheDescriptorItWasMadeThrough) {
  Descriptor file = file_of(page_size());
  const auto mapping = Mapping::of_file(file, page_size(), Access::read_write);
  file.close();
  ASSERT_TRUE(mapping);
  mapping.value.bytes()[0] = std::byte{1};
  EXPECT_EQ(mapping.value.bytes()[0], std::byte{1});
}

TEST(Mapping, MovesAndIsNullAfterwards) {
  auto first = Mapping::of_private_pages(page_size());
  std::byte* const address = first.value.data();
  Mapping second = std::move(first.value);
  EXPECT_FALSE(first.value);  // NOLINT: looking at a moved-from handle is what is tested
  EXPECT_EQ(first.value.size(), 0U);
  EXPECT_TRUE(first.value.bytes().empty());
  EXPECT_EQ(second.data(), address);
  second = std::move(Mapping::of_private_pages(page_size()).value);
  EXPECT_TRUE(second);
  second.unmap();
  second.unmap();
  EXPECT_FALSE(second);
}

TEST(Mapping, TheImpossibleIsAnErrorAndNotACrash) {
  const Descriptor file = file_of(page_size());
  EXPECT_EQ(Mapping::of_file(file, 0, Access::read_only).error, EINVAL);
  EXPECT_EQ(Mapping::of_file(Descriptor(), page_size(), Access::read_only).error, EBADF);
  EXPECT_EQ(Mapping::of_file(file, std::uint64_t{1} << 62, Access::read_only).error, ENOMEM);
  const auto read_only = open_again(file, Access::read_only);
  EXPECT_EQ(Mapping::of_file(read_only.value, page_size(), Access::read_write).error, EACCES);
}

TEST(Mapping, OfAFileIsSharedWithAForkedChild) {
  const Descriptor file = file_of(page_size());
  const auto mapping = Mapping::of_file(file, page_size(), Access::read_write);
  Child child([&] {
    mapping.value.bytes()[5] = std::byte{7};
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(mapping.value.bytes()[5], std::byte{7});
}

// Method: the child reads the address through the kernel, which answers where a touch would kill.
TEST(Mapping, KeptFromChildrenIsNotThereInAForkedChild) {
  const Descriptor file = file_of(page_size());
  const auto kept = Mapping::of_file(file, page_size(), Access::read_write);
  const auto given = Mapping::of_file(file, page_size(), Access::read_write);
  ASSERT_TRUE(kept.value.keep_from_children());
  Child child([&] {
    int ends[2];
    if (::pipe(ends) != 0) return 1;
    if (::write(ends[1], given.value.data(), 1) != 1) return 2;
    return ::write(ends[1], kept.value.data(), 1) == -1 && errno == EFAULT ? 0 : 3;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Mapping, PrivatePagesCanBeWipedInAForkedChildOnly) {
  const auto pages = Mapping::of_private_pages(page_size());
  ASSERT_TRUE(pages.value.wipe_in_children());
  pages.value.bytes()[0] = std::byte{9};
  Child child([&] { return pages.value.bytes()[0] == std::byte{0} ? 0 : 1; });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(pages.value.bytes()[0], std::byte{9});
}

TEST(Mapping, TheMachineHasPagesAndMemory) {
  EXPECT_EQ(page_size(), static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_GE(memory_and_swap(), static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page_size());
}

}  // namespace
}  // namespace kith::os
