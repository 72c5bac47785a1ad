// The kernel's text, as a hostile process would have it: names with line ends, parentheses and
// "(deleted)" in them, lines cut off, columns missing.
#include "kith/inspect/internal/proc_text.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kith/os/machine.hpp"
#include "kith/os/mapping.hpp"

#include "tests/support/scratch_domain.hpp"

namespace kith::internal {
namespace {

TEST(OneLine, ShowsWhatATerminalWouldObeyAsAQuestionMark) {
  EXPECT_EQ(one_line("a b~"), "a b~");
  EXPECT_EQ(one_line("a\nb\x1b[31m\x7f"), "a?b?[31m?");
  EXPECT_EQ(one_line("caf\xc3\xa9"), "caf??");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3)), "a?b");
}

TEST(Comm, LosesTheLineEndOfTheKernelAndNoOther) {
  EXPECT_EQ(program_from_comm("writer\n"), "writer");
  EXPECT_EQ(program_from_comm("a\nb\n"), "a?b");
  EXPECT_EQ(program_from_comm("a) S 1 (\n"), "a) S 1 (");
  EXPECT_EQ(program_from_comm(""), "");
}

TEST(Stat, FindsTheStateBehindAnyName) {
  EXPECT_EQ(state_from_stat("12 (cat) S 1 12 12 0"), 'S');
  EXPECT_EQ(state_from_stat("12 (a) R (b) T 1 12"), 'T');
  EXPECT_EQ(state_from_stat("12 (a\n) T) D 1 12"), 'D');
  EXPECT_EQ(state_from_stat("12 (cat)"), '?');
  EXPECT_EQ(state_from_stat("12 (cat) "), '?');
  EXPECT_EQ(state_from_stat("12 (cat) \x1b 1"), '?');
  EXPECT_EQ(state_from_stat(""), '?');
}

TEST(MapLine, IsReadWhole) {
  const auto line = parse_map_line(
      "7f6779336000-7f6779338000 rw-s 00003000 00:1b 42                         /dev/shm/a pose");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->begin, 0x7f6779336000u);
  EXPECT_EQ(line->end, 0x7f6779338000u);
  EXPECT_TRUE(line->readable && line->writable && line->shared && !line->executable);
  EXPECT_EQ(line->offset, 0x3000u);
  EXPECT_EQ(line->identity, (os::FileIdentity{os::device_number(0, 0x1b), 42}));
  EXPECT_EQ(line->path, "/dev/shm/a pose");
}

TEST(MapLine, KeepsWhatTheKernelOrAStrangerAppendedToThePath) {
  EXPECT_EQ(parse_map_line("1000-2000 r-xp 0 103:02 7 /x (deleted)")->path, "/x (deleted)");
  EXPECT_EQ(parse_map_line("1000-2000 r--s 0 00:01 7 /x\\012y (deleted) (deleted)")->path,
            "/x\\012y (deleted) (deleted)");
  EXPECT_EQ(parse_map_line("1000-2000 rw-p 00000000 00:00 0 ")->path, "");
}

TEST(MapLine, IsLeftOutWhereItIsNone) {
  for (const char* text :
       {"", "-", "1000", "1000-", "2000-1000 r--s 0 0:1 7", "1000-2000", "1000-2000 rwx 0 0:1 7",
        "1000-2000 rwxz 0 0:1 7", "1000-2000 r--s x 0:1 7", "1000-2000 r--s 0 01 7",
        "1000-2000 r--s 0 0:1", "1000-2000 r--s 0 0:1 seven", "Rss:  8 kB",
        "10000000000000000-20000000000000000 r--s 0 0:1 7", "1000-2000 r--s 0 0:1 -7"}) {
    EXPECT_FALSE(parse_map_line(text)) << text;
  }
}

// Method: the numbers of a file as stat has them, and as the kernel's list of this process has.
TEST(MapLine, HasTheDeviceThatStatHas) {
  const tests::ScratchDirectory scratch;
  const auto directory = scratch.open();
  const auto file = os::create_at(directory, "file");
  ASSERT_TRUE(file);
  ASSERT_TRUE(os::set_size(file.value, 4096));
  const auto mapping = os::Mapping::of_file(file.value, 4096, os::Access::read_only);
  ASSERT_TRUE(mapping);
  const auto identity = os::facts_of(file.value).value.identity;
  int found = 0;
  const auto maps = os::read_text("/proc/self/maps", 1 << 24);
  for_each_map_line(maps.value, [&](const MapLine& line) {
    if (line.identity != identity) return;
    ++found;
    EXPECT_EQ(line.begin, reinterpret_cast<std::uintptr_t>(mapping.value.data()));
  });
  EXPECT_EQ(found, 1);
}

TEST(Smaps, GivesEachMappingItsOwnResidentBytes) {
  const auto entries = parse_smaps(
      "1000-2000 rw-s 00000000 00:1b 42 /dev/shm/a\n"
      "Size:                  4 kB\n"
      "Rss:                   4 kB\n"
      "Pss:                   2 kB\n"
      "VmFlags: rd wr sh mr mw me ms sd \n"
      "3000-9000 r--s 00000000 00:1b 43 /dev/shm/Rss: 100 kB\n"
      "Rss:                   0 kB\n"
      "a000-b000 r--s 00000000 00:1b 44 /dev/shm/cut\n"
      "Rss:");
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].resident_bytes, 4096u);
  EXPECT_EQ(entries[1].resident_bytes, 0u);
  EXPECT_EQ(entries[1].map.identity.inode, 43u);
  EXPECT_EQ(entries[2].resident_bytes, 0u);
  EXPECT_TRUE(parse_smaps("").empty());
  EXPECT_TRUE(parse_smaps("Rss: 4 kB\n").empty());
}

TEST(SegmentPath, IsTheOneTheKernelGives) {
  EXPECT_TRUE(is_segment_path("/SYSV0000002a (deleted)"));
  EXPECT_FALSE(is_segment_path("/SYSV0000002a"));
  EXPECT_FALSE(is_segment_path("/mnt/SYSV0000002a (deleted)"));
}

TEST(SystemVTables, AreReadByTheNamesOfTheirColumns) {
  const SystemVTable table(
      "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid\n"
      " 562898977          3   644          12          2    17     0  1000   100\n"
      "-562898977          4  1600           0          0     0     0     0     0\n");
  ASSERT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.at(0, "msqid"), 3u);
  EXPECT_EQ(table.at(0, "perms"), 0644u);
  EXPECT_EQ(table.at(0, "qnum"), 2u);
  EXPECT_EQ(table.at(0, "gid"), 100u);
  EXPECT_EQ(static_cast<std::int32_t>(table.at(1, "key")), -562898977);
  EXPECT_EQ(table.at(1, "perms"), 01600u);
  EXPECT_EQ(table.at(0, "no such column"), 0u);
  EXPECT_EQ(table.at(7, "uid"), 0u);
}

TEST(SystemVTables, LoseOnlyTheRowsThatMakeNoSense) {
  const SystemVTable table("key shmid perms\n1 2 644\n1 2\n1 x 644\n\n1 2 9\n3 4 600\n5 6 600");
  ASSERT_EQ(table.rows(), 3u);
  EXPECT_EQ(table.at(1, "shmid"), 4u);
  EXPECT_EQ(table.at(2, "shmid"), 6u);
  EXPECT_EQ(SystemVTable("").rows(), 0u);
  EXPECT_EQ(SystemVTable("\n1 2 3\n").rows(), 0u);
}

TEST(Mounts, AreReadWithTheirEscapesAndOptionalFields) {
  const auto mounts = parse_mounts(
      "36 35 0:32 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw\n"
      "37 35 0:33 / /mnt/my\\040mount\\134 rw - tmpfs none rw\n"
      "38 35 0:34 / /huge rw shared:1 master:2 propagate_from:3 - hugetlbfs none rw\n"
      "39 35 0:35 / relative rw - tmpfs none rw\n"
      "40 35 0:36 / /cut rw\n"
      "\n");
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_EQ(mounts[0].directory, "/dev/shm");
  EXPECT_EQ(mounts[0].file_system, "tmpfs");
  EXPECT_EQ(mounts[1].directory, "/mnt/my mount\\");
  EXPECT_EQ(mounts[2].file_system, "hugetlbfs");
}

}  // namespace
}  // namespace kith::internal
