#include "kith/memory/posix_shm.hpp"

#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

#include "tests/support/refusal.hpp"

namespace kith {
namespace {

using tests::code_of;
using tests::error_of;

constexpr std::uint64_t kSize = 10'000;

TEST(PosixShm, TakesNamesAsShmOpenDoes) {
  const std::string bare = "kith-posix-shm-test-" + std::to_string(::getpid());
  const auto memory = PosixShm::create(bare, kSize);
  EXPECT_EQ(memory.name(), "/" + bare);
  const auto foreign = os::open_posix_shm("/" + bare, Access::read_only);
  ASSERT_TRUE(foreign);
  EXPECT_EQ(os::facts_of(foreign.value).value.size, kSize);
  EXPECT_EQ(PosixShm::open("//" + bare, Access::read_only).size(), kSize);
  PosixShm::remove("/" + bare);
  ASSERT_TRUE(os::create_posix_shm("/" + bare));
  EXPECT_EQ(code_of([&] { static_cast<void>(PosixShm::open(bare, Access::read_only)); }),
            static_cast<int>(Errc::damaged));
  PosixShm::remove(bare);
}

TEST(PosixShm, RefusesNamesThatShmOpenCannotHave) {
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("a/b"), std::string("/.."), std::string("."),
        std::string("a\0b", 3), std::string(256, 'a')}) {
    const Error error = error_of([&] { static_cast<void>(PosixShm::create(name, kSize)); });
    EXPECT_EQ(error.errc(), Errc::invalid_name) << name;
    EXPECT_FALSE(error.text().found.empty());
  }
  const auto longest = PosixShm::create(std::string(255, 'a'), 1);
  PosixShm::remove(longest.name());
}

}  // namespace
}  // namespace kith
