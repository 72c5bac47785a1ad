#include "kith/memory/file_memory.hpp"

#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "kith/memory/internal/named_file.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::error_of;
using tests::ScratchDirectory;

constexpr std::uint64_t kSize = 10'000;

TEST(FileMemory, RefusesPathsThatNameNoFile) {
  const ScratchDirectory directory;
  for (const std::string& path :
       {std::string(), directory.path() + "/", directory.in(".."),
        directory.in(std::string(256, 'a')), directory.in(std::string("a\0b", 3)) + "/c"}) {
    const Error error = error_of([&] { static_cast<void>(FileMemory::create(path, kSize)); });
    EXPECT_EQ(error.errc(), Errc::invalid_name) << path;
  }
}

TEST(FileMemory, NamesTheDirectoryThatIsMissingOrNone) {
  const ScratchDirectory directory;
  const Error missing =
      error_of([&] { static_cast<void>(FileMemory::create(directory.in("no/memory"), kSize)); });
  EXPECT_EQ(missing.errc(), Errc::not_found);
  EXPECT_NE(missing.text().found.find(directory.in("no")), std::string::npos) << missing.what();
  ASSERT_TRUE(os::create_path(directory.in("file")));
  const Error none = error_of(
      [&] { static_cast<void>(FileMemory::open(directory.in("file/memory"), Access::read_only)); });
  EXPECT_EQ(none.errc(), Errc::not_ours);
}

TEST(FileMemory, MayLieInADirectoryThatIsReachedByALink) {
  const ScratchDirectory directory;
  ASSERT_TRUE(os::make_directory(directory.in("there"), 0700));
  ASSERT_EQ(::symlink("there", directory.in("link").c_str()), 0);
  EXPECT_EQ(FileMemory::create(directory.in("link/memory"), kSize).size(), kSize);
  EXPECT_EQ(FileMemory::open(directory.in("there/memory"), Access::read_only).size(), kSize);
  FileMemory::remove(directory.in("link/memory"));
}

// What a disk keeps over a power cut cannot be tried here; that flushing goes through on every file
// system, writable or not, and changes nothing, can.
TEST(FileMemory, FlushesOnADiskAndInMemory) {
  for (const char* where : {"/var/tmp", "/dev/shm"}) {
    const ScratchDirectory directory(where);
    const auto memory = FileMemory::create(directory.in("memory"), kSize);
    memory.writable_bytes()[kSize - 1] = std::byte{7};
    memory.flush();
    const auto reader = FileMemory::open(directory.in("memory"), Access::read_only);
    reader.flush();
    EXPECT_EQ(reader.bytes()[kSize - 1], std::byte{7});
    FileMemory::remove(directory.in("memory"));
    memory.flush();
  }
  const FileMemory null;
  EXPECT_DEATH(null.flush(), "broken contract.*moved from");
}

// The way of file systems that know no unnamed files, taken by force on one that does.
TEST(NamedFile, IsBornWholeUnderATemporaryNameToo) {
  const ScratchDirectory directory;
  const internal::Place place{.directory = directory.path(), .name = "a", .object = "file 'a'"};
  {
    const internal::UnseenFile abandoned(place, internal::Birth::temporary_name);
    EXPECT_EQ(os::names_in(directory.open()).value.size(), 1U);
  }
  EXPECT_TRUE(os::names_in(directory.open()).value.empty());
  EXPECT_EQ(internal::create_named(place, kSize, internal::Birth::temporary_name).size(), kSize);
  EXPECT_EQ(os::names_in(directory.open()).value, std::vector<std::string>{"a"});
  EXPECT_EQ(internal::open_named(place, Access::read_only).size(), kSize);
}

TEST(NamedFile, WhoIsFasterWinsTheNameAndTheOtherIsTold) {
  const ScratchDirectory directory;
  const internal::Place place{.directory = directory.path(), .name = "a", .object = "file 'a'"};
  for (const auto birth : {internal::Birth::unnamed, internal::Birth::temporary_name}) {
    internal::UnseenFile slow(place, birth);
    ASSERT_TRUE(os::create_path(directory.in("a")));
    EXPECT_EQ(error_of([&] { slow.publish(place); }).errc(), Errc::already_exists);
    ASSERT_TRUE(os::unlink_path(directory.in("a")));
  }
}

}  // namespace
}  // namespace kith
