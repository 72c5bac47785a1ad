// Names of objects that kith did not make: what is one, and what never becomes a path.
#include "kith/inspect/foreign.hpp"

#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/refusal.hpp"

namespace kith {
namespace {

TEST(ForeignName, IsReadAndWrittenTheSame) {
  for (const char* name : {"posix:/x", "posix:/sem.x", "posix:/a b", "mqueue:/q", "sysv:shm:0",
                           "sysv:sem:3", "sysv:msg:2147483647"}) {
    const auto id = parse_foreign_name(name);
    ASSERT_TRUE(id) << name;
    EXPECT_EQ(foreign_name(*id), name);
  }
  EXPECT_EQ(parse_foreign_name("posix:/x")->kind, ForeignKind::posix_memory);
  EXPECT_EQ(parse_foreign_name("posix:/sem.x")->kind, ForeignKind::posix_semaphore);
  EXPECT_EQ(parse_foreign_name("sysv:sem:3")->id, 3u);
}

TEST(ForeignName, IsNothingElse) {
  for (const char* name : {"",
                           "x",
                           "posix:",
                           "posix:x",
                           "posix:/",
                           "posix:/.",
                           "posix:/..",
                           "posix:/a/b",
                           "posix://",
                           "posix:/../etc/passwd",
                           "mqueue:q",
                           "mqueue:/a/b",
                           "sysv:",
                           "sysv:shm:",
                           "sysv:shm:x",
                           "sysv:shm:-1",
                           "sysv:shm:1x",
                           "sysv:shm: 1",
                           "sysv:shm:2147483648",
                           "sysv:pipe:1",
                           "shm:12"}) {
    EXPECT_FALSE(parse_foreign_name(name)) << name;
  }
  EXPECT_FALSE(parse_foreign_name(std::string("posix:/a\0b", 10)));
  EXPECT_FALSE(parse_foreign_name("posix:/" + std::string(256, 'n')));
}

TEST(Foreign, ThatIsNotThereIsNotFound) {
  EXPECT_FALSE(foreign_view(*parse_foreign_name("posix:/kith-no-such-object")));
  EXPECT_FALSE(foreign_view(*parse_foreign_name("sysv:shm:2147483646")));
  EXPECT_FALSE(foreign_view(*parse_foreign_name("mqueue:/kith-no-such-queue")));
  const auto answer = remove_foreign(*parse_foreign_name("sysv:sem:2147483646"), Force::yes);
  EXPECT_EQ(answer.answer, Removal::not_found);
}

TEST(Foreign, ThatIsAPipeOrADirectoryIsLeftAlone) {
  const std::string name = "kith-foreign-test-" + std::to_string(::getpid());
  const std::string path = "/dev/shm/" + name;
  const ForeignId id = *parse_foreign_name("posix:/" + name);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(tests::why_not_refused([&] { (void)remove_foreign(id, Force::yes); }, Errc::not_ours,
                                   {name, "pipe", "remove it yourself"}),
            "");
  EXPECT_EQ(::unlink(path.c_str()), 0) << "it was removed";
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  EXPECT_EQ(tests::why_not_refused([&] { (void)remove_foreign(id, Force::yes); }, Errc::not_ours,
                                   {name, "--domain"}),
            "");
  EXPECT_EQ(::rmdir(path.c_str()), 0) << "it was removed";
}

}  // namespace
}  // namespace kith
