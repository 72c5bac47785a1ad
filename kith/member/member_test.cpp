#include "kith/member/member.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <spawn.h>
#include <unistd.h>

#include "kith/base/error.hpp"
#include "kith/region/region.hpp"

#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::ScratchDirectory;
using tests::Signal;

// A child that joins, says so, and stays until it is killed or told to leave.
struct JoinedChild {
  explicit JoinedChild(const Domain& domain)
      : child([this, domain] {
          const Member me = Member::join(domain);
          joined.tell();
          return leave.wait() ? 0 : 1;
        }) {}
  Signal joined;
  Signal leave;
  Child child;
};

std::optional<MemberFacts> find(const Member& me, pid_t pid) {
  for (const MemberFacts& facts : me.members()) {
    if (facts.pid == static_cast<std::uint32_t>(pid)) return facts;
  }
  return std::nullopt;
}

TEST(Member, SeesItselfAlive) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  EXPECT_EQ(me.liveness(me.id()), Liveness::alive);
  const auto facts = find(me, ::getpid());
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->id, me.id());
  EXPECT_EQ(facts->liveness, Liveness::alive);
  EXPECT_EQ(facts->user, ::geteuid());
}

TEST(Member, OfOneProcessIsOneHoweverOftenItJoins) {
  const ScratchDirectory scratch;
  const Member first = Member::join(scratch.domain());
  const Member second = Member::join(scratch.domain());
  EXPECT_EQ(first.id(), second.id());
  EXPECT_EQ(first.members().size(), 1u);
}

TEST(Member, LastToLeaveAnEmptyDomainTakesTheTableAlong) {
  const ScratchDirectory scratch;
  { const Member me = Member::join(scratch.domain()); }
  EXPECT_TRUE(scratch.is_empty());
  const auto kept = Region<std::atomic<int>>::create(scratch.domain(), "object");
  { const Member me = Member::join(scratch.domain()); }
  EXPECT_TRUE(std::filesystem::exists(scratch.path() + "/.members"))
      << "an object may hold a member's word, so the table must stay";
}

TEST(Member, IsDeadOnceKilledAndNotBefore) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  JoinedChild peer(scratch.domain());
  ASSERT_TRUE(peer.joined.wait());
  const auto facts = find(me, peer.child.pid());
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(me.liveness(facts->id), Liveness::alive);
  EXPECT_FALSE(me.wait_for_death(facts->id, Deadline::now()));
  peer.child.signal(SIGKILL);
  EXPECT_TRUE(me.wait_for_death(facts->id, Deadline::after(20s)));
  EXPECT_EQ(find(me, peer.child.pid())->reaped, false);
  EXPECT_EQ(me.reap_dead().reaped, 1u);
  EXPECT_FALSE(find(me, peer.child.pid()).has_value());
  EXPECT_EQ(me.liveness(facts->id), Liveness::dead) << "a reaped id stays dead";
  EXPECT_EQ(me.reap_dead().reaped, 0u);
}

TEST(Member, IsAliveWhileStopped) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  JoinedChild peer(scratch.domain());
  ASSERT_TRUE(peer.joined.wait());
  const auto facts = find(me, peer.child.pid());
  ASSERT_TRUE(facts.has_value());
  peer.child.stop();
  EXPECT_EQ(me.liveness(facts->id), Liveness::alive);
  EXPECT_EQ(me.reap_dead().reaped, 0u);
}

TEST(Member, ThatLeavesIsGoneAndItsPlaceIsUsedAgainUnderANewIncarnation) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  MemberId first;
  {
    JoinedChild peer(scratch.domain());
    ASSERT_TRUE(peer.joined.wait());
    first = find(me, peer.child.pid())->id;
    peer.leave.tell();
    ASSERT_EQ(peer.child.wait(), 0);
  }
  EXPECT_EQ(me.liveness(first), Liveness::dead);
  JoinedChild peer(scratch.domain());
  ASSERT_TRUE(peer.joined.wait());
  const MemberId second = find(me, peer.child.pid())->id;
  EXPECT_EQ(second.index, first.index);
  EXPECT_NE(second.incarnation, first.incarnation);
  EXPECT_EQ(me.liveness(first), Liveness::dead);
}

TEST(Member, DeadOneIsReapedByWhoJoinsNext) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  {
    JoinedChild peer(scratch.domain());
    ASSERT_TRUE(peer.joined.wait());
    peer.child.kill();
  }
  EXPECT_EQ(me.members().size(), 2u);
  Child next([&] {
    const Member joined = Member::join(scratch.domain());
    return joined.members().size() == 2 && joined.id().index == 1 ? 0 : 1;
  });
  EXPECT_EQ(next.wait(), 0);
}

TEST(Member, ForkedChildJoinsAsAnotherMember) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  const MemberId parent = me.id();
  Child child([&] {
    if (me.id() == parent) return 1;
    if (me.liveness(parent) != Liveness::alive) return 2;
    return me.members().size() == 2 ? 0 : 3;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(me.id(), parent);
  EXPECT_EQ(me.liveness(parent), Liveness::alive) << "the child's end is not ours";
}

TEST(Member, ForkedChildThatTouchesNothingDoesNotKeepItsParentAlive) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  Signal ready;
  Signal end;
  Signal ended;
  Child parent([&] {
    const Member joined = Member::join(scratch.domain());
    if (::fork() == 0) {
      ready.tell();
      const bool told = end.wait();
      ended.tell();
      ::_exit(told ? 0 : 1);
    }
    Signal never;
    return never.wait() ? 1 : 2;
  });
  ASSERT_TRUE(ready.wait());
  const auto facts = find(me, parent.pid());
  ASSERT_TRUE(facts.has_value());
  parent.kill();
  EXPECT_EQ(me.liveness(facts->id), Liveness::dead);
  EXPECT_EQ(me.reap_dead().reaped, 1u);
  end.tell();
  EXPECT_TRUE(ended.wait());
}

TEST(Member, TableThatIsFullSaysSo) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain({.members_max = 2});
  const Member me = Member::join(domain);
  JoinedChild peer(domain);
  ASSERT_TRUE(peer.joined.wait());
  Child third([&] {
    try {
      const Member joined = Member::join(domain);
    } catch (const Error& error) {
      const std::string text = error.what();
      const bool named = text.find(domain.path()) != std::string::npos;
      return error.errc() == Errc::table_full && named ? 0 : 1;
    }
    return 2;
  });
  EXPECT_EQ(third.wait(), 0);
  peer.child.kill();
  Child fourth([&] {
    const Member joined = Member::join(domain);
    return joined.id().index == 1 ? 0 : 1;
  });
  EXPECT_EQ(fourth.wait(), 0) << "a dead member's place is free";
}

TEST(Member, ManyJoinAtOnceAndEachHasItsOwnPlace) {
  const ScratchDirectory scratch;
  const Member me = Member::join(scratch.domain());
  std::vector<std::unique_ptr<JoinedChild>> peers;
  for (int i = 0; i < 40; ++i) peers.push_back(std::make_unique<JoinedChild>(scratch.domain()));
  for (auto& peer : peers) ASSERT_TRUE(peer->joined.wait());
  EXPECT_EQ(me.members().size(), 41u);
  for (std::size_t i = 0; i < peers.size(); i += 2) peers[i]->child.kill();
  EXPECT_EQ(me.reap_dead().reaped, 20u);
  EXPECT_EQ(me.members().size(), 21u);
}

TEST(Member, IsAMemberOfTwoDomainsAtOnce) {
  const ScratchDirectory one;
  const ScratchDirectory two;
  const Member in_one = Member::join(one.domain());
  const Member in_two = Member::join(two.domain());
  EXPECT_EQ(in_one.members().size(), 1u);
  EXPECT_EQ(in_two.members().size(), 1u);
  EXPECT_EQ(in_one.liveness(in_one.id()), Liveness::alive);
  EXPECT_EQ(in_one.liveness(in_two.id()), Liveness::dead) << "ids of another domain mean nobody";
}

}  // namespace
}  // namespace kith
