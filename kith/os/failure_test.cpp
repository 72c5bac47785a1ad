// What the kernel's refusals are called here, and what they advise.
#include "kith/os/failure.hpp"

#include <cerrno>
#include <gtest/gtest.h>
#include <string>

#include "kith/os/process.hpp"

namespace kith {
namespace {

struct Meaning {
  int error_number;
  Errc code;
  const char* remedy;  // a word of it
};

TEST(Failure, OfTheKernelHasACodeAndARemedy) {
  const Meaning meanings[] = {
      {ENOENT, Errc::not_found, "start the program"},
      {EACCES, Errc::permission_denied, "owner"},
      {EROFS, Errc::permission_denied, "owner"},
      {ELOOP, Errc::not_ours, "symbolic link"},
      {EISDIR, Errc::not_ours, "another name"},
      {EMFILE, Errc::limit_reached, "ulimit -n"},
      {ENFILE, Errc::limit_reached, "fs.file-max"},
      {ENOMEM, Errc::limit_reached, "vm.max_map_count"},
      {EFBIG, Errc::limit_reached, "ulimit -f"},
      {ENOLCK, Errc::limit_reached, "locks"},
      {ENOSPC, Errc::no_space, "quota"},
      {EDQUOT, Errc::no_space, "quota"},
      {ENAMETOOLONG, Errc::invalid_name, "shorter"},
      {EBADF, Errc::invalid_argument, "descriptor"},
      {EOPNOTSUPP, Errc::unsupported, "tmpfs"},
      {ENOSYS, Errc::unsupported, "tmpfs"},
      {EIO, Errc::system, ""},
  };
  for (const Meaning& meaning : meanings) {
    const Error error = internal::system_error("thing 'a'", "doing it", meaning.error_number);
    const std::string text = error.what();
    EXPECT_EQ(error.errc(), meaning.code) << text;
    for (const char* part : {"thing 'a'", "doing it failed", meaning.remedy}) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    }
    EXPECT_NE(text.find(os::error_text(meaning.error_number)), std::string::npos) << text;
  }
}

TEST(Accounts, AreFoundByNameAndByNumber) {
  EXPECT_EQ(os::user_number("4711").value, 4711u);
  EXPECT_EQ(os::user_number("root").value, 0u);
  EXPECT_EQ(os::group_number("root").value, 0u);
  for (const char* nobody : {"kith-no-such-account", "47x", ""}) {
    EXPECT_FALSE(os::user_number(nobody)) << nobody;
    EXPECT_FALSE(os::group_number(nobody)) << nobody;
  }
}

}  // namespace
}  // namespace kith
