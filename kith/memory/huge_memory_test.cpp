// Huge pages of both kinds: out of a pool (HugeFile, Memfd::create_huge) and made by the kernel.
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kith/memory/file_memory.hpp"
#include "kith/memory/huge_file.hpp"
#include "kith/memory/huge_pages.hpp"
#include "kith/memory/memfd.hpp"
#include "kith/os/mapping.hpp"

#include "tests/support/child.hpp"
#include "tests/support/huge_pool.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::code_of;
using tests::error_of;
using tests::HugePool;
using tests::ScratchDirectory;
using tests::why_not_refused;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// A pool and a mount of it.
struct HugeMemory : testing::Test {
  HugePool pool{4};
  ScratchDirectory directory;
  std::string mounted = tests::mount_huge_pages(directory.path());
  std::uint64_t page = pool.page_size();

  void SetUp() override {
    if (!pool.refusal().empty()) GTEST_SKIP() << pool.refusal();
    if (!mounted.empty()) GTEST_SKIP() << mounted;
  }
  void TearDown() override { ::umount2(directory.path().c_str(), MNT_DETACH); }
};

TEST_F(HugeMemory, TellsItsPagesAndTheSizeThatCameOfThem) {
  const auto file = HugeFile::create(directory.in("a"), page + 1);
  EXPECT_EQ(file.page_size(), page);
  EXPECT_EQ(file.size(), 2 * page);
  const auto memory = Memfd::create_huge("a", 1, page);
  EXPECT_EQ(memory.page_size(), page);
  EXPECT_EQ(memory.size(), page);
  EXPECT_EQ(Memfd::create("a", 1).page_size(), os::page_size());
}

TEST_F(HugeMemory, IsMappedByHugePagesIndeed) {
  const auto file = HugeFile::create(directory.in("a"), 2 * page);
  std::memset(file.writable_bytes().data(), 1, file.size());
  EXPECT_EQ(huge_bytes(file), 2 * page);
  const auto memory = Memfd::create_huge("a", page);
  std::memset(memory.writable_bytes().data(), 1, memory.size());
  EXPECT_EQ(huge_bytes(memory), page);
}

TEST_F(HugeMemory, TooManyPagesAreAnErrorAtCreationThatNamesThePool) {
  const auto first = Memfd::create_huge("first", (pool.free_pages() - 1) * page);
  const std::uint64_t before = pool.free_pages();
  const std::string two = "2 free huge pages of " + std::to_string(page) + " bytes";
  const std::initializer_list<std::string> expected{two, "nr_hugepages", "1 of the ",
                                                    "advise_huge_pages"};
  EXPECT_EQ(why_not_refused([&] { (void)Memfd::create_huge("second", 2 * page); }, Errc::no_space,
                            expected),
            "");
  EXPECT_EQ(why_not_refused([&] { (void)HugeFile::create(directory.in("b"), 2 * page); },
                            Errc::no_space, expected),
            "");
  EXPECT_EQ(pool.free_pages(), before);
  EXPECT_TRUE(os::names_in(directory.open()).value.empty());
}

TEST_F(HugeMemory, AnEmptyPoolIsAnErrorAndNoSignal) {
  pool.set(0);
  ASSERT_EQ(pool.size(), 0U) << "somebody else uses huge pages on this machine";
  EXPECT_EQ(why_not_refused([&] { (void)Memfd::create_huge("a", 1); }, Errc::no_space,
                            {"0 of the 0 in the pool /proc/sys/vm/nr_hugepages"}),
            "");
}

TEST_F(HugeMemory, ThePagesOfAMountWithALimitAreAnErrorToo) {
  const ScratchDirectory small;
  ASSERT_EQ(tests::mount_huge_pages(small.path(), "size=" + std::to_string(page)), "");
  EXPECT_EQ(why_not_refused([&] { (void)HugeFile::create(small.in("a"), 2 * page); },
                            Errc::no_space, {"size= of the mount"}),
            "");
  EXPECT_EQ(HugeFile::create(small.in("a"), page).size(), page);
  ::umount2(small.path().c_str(), MNT_DETACH);
}

TEST_F(HugeMemory, AFileWithHolesReservesThemWhenItIsOpenedOrIsRefused) {
  const os::Descriptor foreign = std::move(os::create_path(directory.in("sparse")).value);
  ASSERT_TRUE(os::set_size(foreign, 2 * page));
  {
    const auto memory = HugeFile::open(directory.in("sparse"), Access::read_write);
    const auto greedy = code_of([&] { (void)Memfd::create_huge("greedy", 3 * page); });
    EXPECT_EQ(greedy, static_cast<int>(Errc::no_space)) << "two of the four pages are promised";
    memory.writable_bytes()[page] = std::byte{1};
  }
  ASSERT_TRUE(os::set_size(foreign, 1000 * page));
  EXPECT_EQ(
      why_not_refused([&] { (void)HugeFile::open(directory.in("sparse"), Access::read_only); },
                      Errc::no_space, {"1000 free huge pages"}),
      "");
}

TEST_F(HugeMemory, AKilledCreatorGivesItsPagesBack) {
  const std::uint64_t before = pool.free_pages();
  Child creator([&](tests::Mouth& parent) {
    const auto memory = Memfd::create_huge("a", 2 * page);
    parent.say("made");
    return parent.hear(tests::soon()) == "never" ? 0 : 1;
  });
  ASSERT_EQ(creator.hear(), "made");
  EXPECT_EQ(pool.free_pages(), before - 2);
  creator.kill();
  EXPECT_EQ(pool.free_pages(), before);
}

TEST_F(HugeMemory, CanBeSealed) {
  auto memory = Memfd::create_huge("a", page);
  memory.seal({.shrink = true, .grow = true, .future_write = true, .seal = true});
  EXPECT_TRUE(memory.is_size_sealed());
  EXPECT_FALSE(os::set_size(memory.descriptor(), 0));
  EXPECT_EQ(code_of([&] { (void)Memfd::open(memory.descriptor().number(), Access::read_write); }),
            static_cast<int>(Errc::permission_denied));
  memory.writable_bytes()[0] = std::byte{9};
  const auto seen = Memfd::open(memory.descriptor().number(), Access::read_only);
  EXPECT_EQ(seen.bytes()[0], std::byte{9});
}

TEST_F(HugeMemory, AnOrdinaryFileThereIsWrittenAndUnmappedThoughItsSizeIsNone) {
  // What the layers above do with any file: write at an offset, map less than a page.
  const os::Descriptor file = std::move(os::create_unnamed(directory.open()).value);
  ASSERT_TRUE(os::set_size(file, 2 * page));
  const std::uint64_t before = pool.free_pages();
  const char word[] = "word";
  ASSERT_TRUE(os::write_at(file, word, sizeof word, page - 2));
  char read[sizeof word] = {};
  ASSERT_EQ(os::read_at(file, read, sizeof read, page - 2).value, sizeof read);
  EXPECT_STREQ(read, word);
  EXPECT_EQ(os::write_at(file, word, sizeof word, 2 * page - 1).error, EFBIG);
  const std::byte* address = nullptr;
  {
    const auto mapping = os::Mapping::of_file(file, 4096, os::Access::read_write);
    ASSERT_TRUE(mapping);
    address = mapping.value.data();
    EXPECT_TRUE(mapping.value.keep_from_children());
    mapping.value.data()[0] = std::byte{1};
  }
  EXPECT_EQ(huge_bytes({address, page}), 0U) << "it is still mapped";
  ASSERT_TRUE(os::set_size(file, 0));
  EXPECT_EQ(pool.free_pages(), before);
}

TEST(HugeFile, AwayFromSuchAMountIsRefusedWithTheRemedy) {
  const ScratchDirectory directory;
  const std::initializer_list<std::string> words{"hugetlbfs", "create_huge"};
  EXPECT_EQ(why_not_refused([&] { (void)HugeFile::create(directory.in("a"), 1); },
                            Errc::unsupported, words),
            "");
  EXPECT_TRUE(directory.is_empty());
  { const auto file = FileMemory::create(directory.in("a"), 1); }
  EXPECT_EQ(why_not_refused([&] { (void)HugeFile::open(directory.in("a"), Access::read_only); },
                            Errc::unsupported, words),
            "");
}

TEST(HugeMemfd, OfPagesThisMachineLacksIsRefusedWithThoseItHas) {
  if (huge_page_sizes().empty()) GTEST_SKIP() << "this kernel has no pools of huge pages";
  for (const std::uint64_t size : {std::uint64_t{4096}, 32 * kMiB, 3 * kMiB}) {
    const Error error = error_of([&] { (void)Memfd::create_huge("a", 1, size); });
    EXPECT_EQ(error.errc(), Errc::unsupported);
    EXPECT_NE(error.text().expected.find(std::to_string(huge_page_sizes()[0])), std::string::npos);
  }
}

// The machine's policy for shared memory, set for one test.
class Policy {
 public:
  explicit Policy(const std::string& choice) : before_(shared_huge_page_policy()) {
    lock_ = ::open("/var/tmp/kith-test-huge-policy", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0 || ::flock(lock_, LOCK_EX) != 0) std::abort();
    before_ = shared_huge_page_policy();
    set(choice);
  }
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  ~Policy() {
    set(before_);
    ::close(lock_);
  }

 private:
  static void set(const std::string& choice) {
    std::ofstream("/sys/kernel/mm/transparent_hugepage/shmem_enabled") << choice << std::endl;
  }

  std::string before_;
  int lock_ = -1;
};

constexpr const char* kNoPolicy =
    "the policy for huge pages of shared memory cannot be set: run as root, on a kernel with them";

TEST(HugePageAdvice, SaysWhyWhereThePolicyForbidsIt) {
  const Policy policy("never");
  if (shared_huge_page_policy() != "never") GTEST_SKIP() << kNoPolicy;
  const auto memory = Memfd::create("a", 8 * kMiB);
  const HugePageAdvice advice = advise_huge_pages(memory);
  // A kernel may collapse well-placed pages in spite of the policy; what is said must be so.
  EXPECT_EQ(advice.huge_bytes, huge_bytes(memory));
  if (advice.huge_bytes == 0) {
    EXPECT_NE(advice.reason.find("'never'"), std::string::npos) << advice.reason;
    EXPECT_NE(advice.reason.find("shmem_enabled"), std::string::npos);
  }
  memory.writable_bytes()[8 * kMiB - 1] = std::byte{1};
}

TEST(HugePageAdvice, IsFollowedWhereThePolicyAllowsIt) {
  const Policy policy("advise");
  if (shared_huge_page_policy() != "advise") GTEST_SKIP() << kNoPolicy;
  const auto memory = Memfd::create("a", 8 * kMiB);
  memory.writable_bytes()[5 * kMiB] = std::byte{5};
  const HugePageAdvice advice = advise_huge_pages(memory);
  EXPECT_EQ(advice.huge_bytes, huge_bytes(memory));
  EXPECT_EQ(memory.bytes()[5 * kMiB], std::byte{5});
  if (advice.huge_bytes == 0) {
    // A kernel before 6.1, or no huge page to be found: the reason says so.
    EXPECT_FALSE(advice.reason.empty());
    GTEST_SKIP() << "this kernel made none: " << advice.reason;
  }
  EXPECT_EQ(advice.huge_bytes % (2 * kMiB), 0U);
}

TEST(HugePageAdvice, OfTooLittleMemoryOrNoneSaysSo) {
  EXPECT_NE(advise_huge_pages(Memfd::create("a", 4096)).reason.find("no whole huge page"),
            std::string::npos);
  const Memfd null;
  EXPECT_EQ(advise_huge_pages(null).huge_bytes, 0U);
  EXPECT_EQ(huge_bytes(null), 0U);
  const auto memory = Memfd::create("a", 4096);
  const auto reader = Memfd::open(memory.descriptor().number(), Access::read_only);
  EXPECT_NE(advise_huge_pages(reader).reason.find("written"), std::string::npos);
}

}  // namespace
}  // namespace kith
