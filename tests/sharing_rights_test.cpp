// Deny by default: who may do what, over a table of rights and of users, and by nothing but rights.
// Method: real uids; each cell of the table is a process that tries.
#include <atomic>
#include <gtest/gtest.h>
#include <string>

#include "kith/region/region.hpp"

#include "tests/support/users.hpp"

namespace kith {
namespace {

using namespace tests;
using Number = std::atomic<std::uint64_t>;

// One who shares nothing with the owner, one of the group, and the owner.
struct User {
  const char* name;
  unsigned user;
  unsigned group;
};
constexpr User kOwner{"owner", kAlice, kGroup};
constexpr User kOfGroup{"group", kBob, kGroup};
constexpr User kOther{"other", kCarol, kNoGroup};

// What is tried, as letters: c creates an object, o opens the one there, r reads the channel, w
// writes it. A letter that is missing must be refused.
std::string what_works(const Domain& domain, const std::string& mine) {
  std::string works;
  const auto attempt = [&](char letter, const std::function<void()>& action) {
    try {
      action();
      works += letter;
    } catch (const Error& error) {
      const bool denied =
          error.errc() == Errc::permission_denied || error.errc() == Errc::wrong_owner;
      if (!denied) works += std::string("[") + error.what() + "]";
    }
  };
  attempt('c', [&] { (void)Region<Number>::create(domain, mine); });
  attempt('o', [&] { (void)Region<Number>::open(domain, "number"); });
  attempt('r', [&] {
    LatestReader<Whole> reader(domain, "pose");
    if (!reader.acquire()->is(1)) throw std::runtime_error("not whole");
  });
  attempt('w', [&] { LatestWriter<Whole> writer(domain, "pose"); });
  return works;
}

struct Row {
  std::uint32_t directory;  // 0: nothing is said about rights
  std::uint32_t channel;
  const char* owner;
  const char* of_group;
  const char* other;
};

TEST(DenyByDefault, HoldsForEveryRightAndEveryUser) {
  KITH_NEEDS_SEVERAL_USERS();
  const Row table[] = {
      {0, 0, "corw", "", ""},             // private, as it is without a word
      {0700, 0600, "corw", "", ""},       // the same, said
      {0770, 0, "corw", "corw", ""},      // shared whole with a group
      {0770, 0600, "corw", "co", ""},     // ... but for one channel
      {0770, 0640, "corw", "cor", ""},    // ... where the group is only to read one
      {0750, 0, "corw", "", ""},          // to enter is not to read
      {0750, 0640, "corw", "r", ""},      // guests of a group
      {0755, 0640, "corw", "r", ""},      // all may enter, the group reads
      {0755, 0644, "corw", "r", "r"},     // all are guests
      {0775, 0664, "corw", "corw", "r"},  // the group does all, and all others are guests
      {0775, 0660, "corw", "corw", ""},
  };
  for (const Row& row : table) {
    const SharedFolder folder;
    const auto said = [](std::uint32_t mode) {
      return mode == 0 ? Rights{} : Rights{mode, kGroupText};
    };
    const Domain domain = folder.domain_of(said(row.directory));
    ASSERT_EQ(try_as(kOwner.user, kOwner.group,
                     [&](Mouth&) -> std::string {
                       (void)Region<Number>::create(domain, "number");
                       LatestOptions options;
                       options.rights = said(row.channel);
                       LatestWriter<Whole> pose(domain, "pose", options);
                       return write_next(pose) ? "" : "cannot write";
                     }),
              "");
    const std::pair<User, const char*> users[] = {
        {kOwner, row.owner}, {kOfGroup, row.of_group}, {kOther, row.other}};
    for (const auto& entry : users) {
      const User& user = entry.first;
      const std::string works = as_user(user.name, user.user, user.group,
                                        [&](Mouth& test) {
                                          test.say(what_works(domain, user.name));
                                          return std::string();
                                        })
                                    .next_word(soon())
                                    .value_or("nothing was said");
      EXPECT_EQ(works, entry.second) << user.name << ", directory " << std::oct << row.directory
                                     << ", channel " << row.channel;
    }
  }
}

TEST(DenyByDefault, RefusesRightsThatMeanNothingHere) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  EXPECT_EQ(try_as(kAlice, kGroup,
                   [&](Mouth&) -> std::string {
                     const Domain domain = folder.domain_of();
                     std::string wrong;
                     for (const std::uint32_t mode : {0620u, 0602u, 0400u, 0060u, 0661u, 01600u}) {
                       const auto make = [&, mode] {
                         (void)Region<Number>::create(domain, "number", {.rights = {mode, ""}});
                       };
                       wrong +=
                           why_not_refused(make, Errc::invalid_argument, {"0640 (a group reads)"});
                     }
                     // A region has no guests: who may read it may write it.
                     wrong += why_not_refused(
                         [&] {
                           (void)Region<Number>::create(domain, "number", {.rights = {0640, ""}});
                         },
                         Errc::invalid_argument, {"0640", "by a channel"});
                     wrong += why_not_refused(
                         [&] {
                           (void)Region<Number>::create(domain, "number",
                                                        {.rights = {0660, "no-such-group"}});
                         },
                         Errc::invalid_argument, {"no-such-group", "getent group"});
                     // A group that she is not in.
                     wrong += why_not_refused(
                         [&] {
                           (void)Region<Number>::create(
                               domain, "number", {.rights = {0660, std::to_string(kNoGroup)}});
                         },
                         Errc::permission_denied, {std::to_string(kNoGroup)});
                     if (!domain.names().empty()) wrong += "something was made";
                     return wrong;
                   }),
            "");
}

}  // namespace
}  // namespace kith
