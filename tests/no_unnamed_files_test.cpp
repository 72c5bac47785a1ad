// File systems without unnamed files (O_TMPFILE), as NFS, 9p and older overlayfs: what is born
// there has a temporary name first. It is as whole as elsewhere, and what a killed creator leaves
// behind is removed by the next one, and by cleaning.
#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/memory/file_memory.hpp"
#include "kith/region/region.hpp"

#include "tests/issues/system_call_hooks.hpp"
#include "tests/support/child.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;
using tests::SystemCallHooks;
using tests::why_not_refused;
using tests::why_refused;

struct NoUnnamedFiles : SystemCallHooks {
  NoUnnamedFiles() { no_unnamed_files = true; }
};

// Names that begin with `.new-`, as those of what is not born yet do.
std::size_t unborn_in(const ScratchDirectory& scratch) {
  const auto names = os::names_in(scratch.open()).value;
  return static_cast<std::size_t>(std::count_if(
      names.begin(), names.end(), [](const auto& name) { return name.starts_with(".new-"); }));
}

// A creator that stops short of giving its file a name, until it is told to go on or killed.
Child creator_before_its_link(const ScratchDirectory& scratch) {
  return Child([&scratch](Mouth& parent) {
    NoUnnamedFiles hooks;
    hooks.before_link = [&parent] {
      parent.say("about to link");
      static_cast<void>(parent.hear(soon()));
    };
    return why_refused([&] { (void)Region<>::create(scratch.domain(), "late", 64); }).empty() ? 0
                                                                                              : 1;
  });
}

TEST(NoUnnamedFiles, EverythingIsBornWhole) {
  const ScratchDirectory scratch;
  const NoUnnamedFiles hooks;
  const Domain domain = scratch.domain();
  const auto region = Region<>::create(domain, "region", 64);
  EXPECT_EQ(Region<>::open(domain, "region").size(), 64u);
  LatestOptions with_guests;
  with_guests.rights = {0644, ""};
  LatestWriter<std::uint64_t> writer(domain, "channel", with_guests);
  LatestReader<std::uint64_t> reader(domain, "channel");
  EXPECT_EQ(writer.write(7), WriteAnswer::committed);
  EXPECT_EQ(*reader.acquire(), 7u);
  EXPECT_EQ(FileMemory::create(scratch.in("memory"), 64).size(), 64u);
  EXPECT_EQ(unborn_in(scratch), 0u);
  // A name that is taken costs nothing either.
  EXPECT_EQ(why_not_refused([&] { (void)Region<>::create(domain, "region", 64); },
                            Errc::already_exists, {"'region'"}),
            "");
  EXPECT_EQ(unborn_in(scratch), 0u);
}

TEST(NoUnnamedFiles, WhatAKilledCreatorLeftIsRemovedByTheNext) {
  const ScratchDirectory scratch;
  Child creator = creator_before_its_link(scratch);
  ASSERT_EQ(creator.hear(), "about to link");
  EXPECT_EQ(unborn_in(scratch), 1u);
  creator.kill();
  EXPECT_EQ(unborn_in(scratch), 1u);
  const NoUnnamedFiles hooks;
  EXPECT_EQ(Region<>::create(scratch.domain(), "late", 64).size(), 64u);
  EXPECT_EQ(unborn_in(scratch), 0u);
}

TEST(NoUnnamedFiles, WhatAKilledCreatorLeftIsRemovedByCleaning) {
  const ScratchDirectory scratch;
  Child creator = creator_before_its_link(scratch);
  ASSERT_EQ(creator.hear(), "about to link");
  creator.kill();
  EXPECT_EQ(clean_domain(scratch.domain(), Roles::keep).objects_removed, 1u);
  EXPECT_EQ(unborn_in(scratch), 0u);
}

TEST(NoUnnamedFiles, WhatALivingCreatorIsAtIsLeftAlone) {
  const ScratchDirectory scratch;
  Child creator = creator_before_its_link(scratch);
  ASSERT_EQ(creator.hear(), "about to link");
  EXPECT_EQ(clean_domain(scratch.domain(), Roles::keep).objects_removed, 0u);
  {
    const NoUnnamedFiles hooks;
    EXPECT_EQ(Region<>::create(scratch.domain(), "early", 64).size(), 64u);
  }
  EXPECT_EQ(unborn_in(scratch), 1u);
  creator.say("go on");
  EXPECT_EQ(creator.wait(), 0);
  EXPECT_EQ(unborn_in(scratch), 0u);
  EXPECT_EQ(Region<>::open(scratch.domain(), "late").size(), 64u);
}

}  // namespace
}  // namespace kith
