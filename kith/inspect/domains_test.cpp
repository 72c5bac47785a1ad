// Domains as tools see them: what is left over in one, and what is wrong with a place that is none.
#include "kith/inspect/domains.hpp"

#include <gtest/gtest.h>
#include <string>

#include "kith/region/region.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;

TEST(DomainFacts, OfAPlaceThatIsNoneSayWhatIsWrong) {
  const ScratchDirectory scratch;
  EXPECT_NE(domain_facts(scratch.in("nowhere")).problem.find("looking at it"), std::string::npos);
  ASSERT_TRUE(os::create_path(scratch.in("file")));
  EXPECT_NE(domain_facts(scratch.in("file")).problem.find("opening it"), std::string::npos);
  EXPECT_NE(domain_facts(scratch.in("file/below")).problem, "");
  EXPECT_EQ(domain_facts(scratch.path()).problem, "");
}

// A region of this lifetime, left by a user who was killed, is left over once nobody uses it.
TEST(DomainFacts, TellWhetherSomethingWaitsToBeCleanedUp) {
  for (const Lifetime lifetime :
       {Lifetime::until_last_member, Lifetime::while_creator_lives, Lifetime::until_removed}) {
    const ScratchDirectory scratch;
    Child user([&](Mouth& parent) {
      const auto region = Region<>::create(scratch.domain(), "left", 64, {.lifetime = lifetime});
      parent.say("ready");
      return parent.hear(soon()) == "never" ? 0 : 1;
    });
    ASSERT_EQ(user.hear(), "ready");
    const DomainFacts used = domain_facts(scratch.path());
    EXPECT_EQ(used.objects, 1u);
    EXPECT_EQ(used.objects_in_use, 1u);
    EXPECT_FALSE(used.orphaned);
    user.kill();
    const DomainFacts left = domain_facts(scratch.path());
    EXPECT_EQ(left.objects_in_use, 0u);
    EXPECT_EQ(left.orphaned, lifetime != Lifetime::until_removed);
  }
}

}  // namespace
}  // namespace kith
