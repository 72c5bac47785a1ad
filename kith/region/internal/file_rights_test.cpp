// From rights to the modes of an object's files: each class of users gets what it needs in each.
#include "kith/region/internal/file_rights.hpp"

#include <gtest/gtest.h>

#include "tests/support/refusal.hpp"

namespace kith::internal {
namespace {

TEST(FileRights, GivesEachFileWhatEachClassNeedsThere) {
  struct Row {
    std::uint32_t mode, own, data, seats;
    bool has_guests;
  };
  const Row rows[] = {
      {0600, 0600, 0600, 0600, false}, {0660, 0660, 0660, 0660, false},
      {0666, 0666, 0666, 0666, false}, {0640, 0600, 0640, 0660, true},
      {0644, 0600, 0644, 0666, true},  {0664, 0660, 0664, 0666, true},
      {0604, 0600, 0604, 0606, true},
  };
  for (const Row& row : rows) {
    const FileRights rights{.mode = row.mode, .group = 0};
    EXPECT_EQ(rights.members_mode(), row.own) << std::oct << row.mode;
    EXPECT_EQ(rights.read_mode(), row.data) << std::oct << row.mode;
    EXPECT_EQ(rights.seats_mode(), row.seats) << std::oct << row.mode;
    EXPECT_EQ(rights.has_guests(), row.has_guests) << std::oct << row.mode;
  }
}

TEST(FileRights, IsWhatTheDirectoryGivesWhereNothingIsSaid) {
  os::FileFacts directory;
  directory.group = 7;
  for (const auto& [permissions, mode] :
       {std::pair{0700u, 0600u}, {0750u, 0600u}, {0755u, 0600u}, {0770u, 0660u}, {02770u, 0660u}}) {
    directory.permissions = permissions;
    const FileRights rights = file_rights({}, directory, "object");
    EXPECT_EQ(rights.mode, mode) << std::oct << permissions;
    EXPECT_EQ(rights.group, 7u);
  }
  EXPECT_EQ(file_rights({0640, "9"}, directory, "object").group, 9u);
}

TEST(FileRights, RefusesEveryModeThatIsNotOneOfThese) {
  const os::FileFacts directory;
  for (std::uint32_t mode = 1; mode <= 07777; ++mode) {
    const auto digit_is_fine = [](std::uint32_t digit) {
      return digit == 0 || digit == 4 || digit == 6;
    };
    const bool fine =
        mode <= 0777 && mode >> 6 == 6 && digit_is_fine(mode >> 3 & 7) && digit_is_fine(mode & 7);
    bool refused = false;
    try {
      (void)file_rights({mode, ""}, directory, "object");
    } catch (const Error& error) {
      refused = error.errc() == Errc::invalid_argument;
    }
    EXPECT_EQ(refused, !fine) << std::oct << mode;
  }
}

TEST(FileRights, KnowsFilesThatMembersMade) {
  os::FileFacts directory;
  directory.owner = 1;
  directory.group = 7;
  const auto made = [&](std::uint32_t permissions, std::uint32_t owner, std::uint32_t group) {
    directory.permissions = permissions;
    os::FileFacts file;
    file.owner = owner;
    file.group = group;
    return is_made_by_members(file, directory);
  };
  EXPECT_TRUE(made(0700, 1, 9));
  EXPECT_FALSE(made(0700, 2, 7));
  EXPECT_FALSE(made(0750, 2, 7));  // who may only enter made nothing here
  EXPECT_TRUE(made(0770, 2, 7));
  EXPECT_FALSE(made(0770, 2, 9));
}

}  // namespace
}  // namespace kith::internal
