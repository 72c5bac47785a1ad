// What others do to a name or a directory while a region is opened or created. Method: the opener
// is stopped at a chosen system call; the others act there, in this process or as another one.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/region/layout.hpp"
#include "kith/region/region.hpp"

#include "testkit/process.hpp"
#include "tests/issues/system_call_hooks.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using testkit::Mouth;
using testkit::Process;
using testkit::within;
using tests::become_user;
using tests::Findings;
using tests::in_own_process;
using tests::ScratchDirectory;
using tests::SystemCallHooks;
using tests::Verdict;
using tests::why_not_refused;
using tests::why_refused;

// Nobody's id, so that its default domain is ours to make.
constexpr unsigned kSomeUser = 61'331;

struct Pose {
  double x;
  double y;
};
struct Other {
  double x[9];
};

// What used to happen: the creator had opened the directory, the last one to leave removed it, and
// giving the new file its name failed with "no such file or directory".
TEST(DomainRace, ACreatorBeginsAnewWhenTheLastToLeaveRemovesTheDefaultDirectory) {
  const Verdict verdict = in_own_process([](Findings& find) {
    const std::string refusal = become_user(kSomeUser);
    if (!refusal.empty()) return find.skip("needs root: " + refusal);
    ::unsetenv("KITH_DOMAIN");
    const Domain domain = Domain::standard();
    std::filesystem::remove_all(domain.path());
    int removals = 0;
    {
      SystemCallHooks hooks;
      hooks.before_link = [&] {
        if (removals < 3 && ::rmdir(domain.path().c_str()) == 0) ++removals;
      };
      find.nothing(why_refused([&] { (void)Region<>::create(domain, "mine", 64); }),
                   "creating in a directory that goes away");
    }
    find.that(removals == 3, "the directory went away three times");
    find.nothing(why_refused([&] { (void)Region<>::open(domain, "mine"); }), "opening it");
    std::filesystem::remove_all(domain.path());
  });
  if (!verdict.skipped.empty()) GTEST_SKIP() << verdict.skipped;
  EXPECT_EQ(verdict.failures, "");
}

// What a user finds in its domain, as that user.
Verdict as_user(const std::function<void()>& action) {
  return in_own_process([&](Findings& find) {
    const std::string refusal = become_user(kSomeUser);
    if (!refusal.empty()) return find.skip("needs root: " + refusal);
    find.nothing(why_refused(action), "what the user does");
  });
}

// What used to happen: root's look made a member table that belonged to root, and from then on the
// user could not join the domain of its own.
TEST(DomainOfAUser, StaysTheUsersWhenRootWasThere) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const ScratchDirectory scratch;
  ASSERT_EQ(::chown(scratch.path().c_str(), kSomeUser, kSomeUser), 0);
  const Domain domain = scratch.domain();
  EXPECT_EQ(as_user([&] { (void)Region<>::create(domain, "data", 64); }).failures, "");
  { const Member root = Member::join(domain); }
  (void)clean_domain(domain, Roles::keep);
  (void)Region<>::create(domain, "of-root", 64);
  EXPECT_EQ(as_user([&] {
              const LatestWriter<Pose> writer(domain, "pose");
              (void)Region<>::open(domain, "of-root");
              (void)Region<>::open(domain, "data");
            }).failures,
            "");
}

// Somebody at the removal of `name`, for as long as this lives.
class Remover {
 public:
  Remover(const ScratchDirectory& scratch, const std::string& name)
      : file_(std::move(os::open_path(scratch.path() + "/" + name, os::Access::read_write).value)) {
    const auto locked = os::try_lock(file_, internal::RegionLock::kUse, os::LockKind::exclusive);
    works_ = locked && locked.value == os::Locked::yes;
  }
  [[nodiscard]] bool works() const { return works_; }
  void end() { file_.close(); }

 private:
  os::Descriptor file_;
  bool works_ = false;
};

// Calls `after` when the opener was refused more often than a fixed number of attempts would bear.
void when_refused_often(SystemCallHooks& hooks, const std::function<void()>& after) {
  hooks.no_pauses = true;
  hooks.after_lock = [refused = 0, after](int command, const struct flock& lock,
                                          bool granted) mutable {
    const auto byte = static_cast<std::uint64_t>(lock.l_start);
    if (command != F_OFD_SETLK || byte != internal::RegionLock::kUse || granted) return;
    if (++refused == 100) after();
  };
}

// What used to happen: sixty-four attempts without a pause, then "already exists".
TEST(OpenOrCreate, WaitsForARemoverAtWorkAndThenCreates) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  { const auto old = Region<>::create(domain, "x", 64); }
  Remover remover(scratch, "x");
  ASSERT_TRUE(remover.works());
  SystemCallHooks hooks;
  when_refused_often(hooks, [&] {
    ASSERT_TRUE(std::filesystem::remove(scratch.path() + "/x"));
    remover.end();
  });
  std::optional<Region<>> region;
  EXPECT_EQ(why_refused([&] { region.emplace(Region<>::open_or_create(domain, "x", 64)); }), "");
  EXPECT_TRUE(region && region->created_here());
}

TEST(OpenOrCreate, OpensWhatARemoverThatDiedLeftInPlace) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  { const auto old = Region<>::create(domain, "x", 64); }
  Remover remover(scratch, "x");
  ASSERT_TRUE(remover.works());
  SystemCallHooks hooks;
  when_refused_often(hooks, [&] { remover.end(); });
  std::optional<Region<>> region;
  EXPECT_EQ(why_refused([&] { region.emplace(Region<>::open_or_create(domain, "x", 64)); }), "");
  EXPECT_TRUE(region && !region->created_here());
}

// What used to happen: an opener of another type took the use lock before it looked at the type; if
// the last member left just then, that one was refused the removal, and nobody removed it ever.
TEST(RefusedOpener, IsNotInTheWayOfTheLastMembersLeaving) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Process owner = Process::fork("owner", [&](Mouth& mouth) -> std::string {
    auto region = Region<Pose>::create(domain, "x", {.lifetime = Lifetime::until_last_member});
    mouth.say("owns");
    mouth.await("leave", within(60s));
    region.close();
    mouth.say("left");
    return "";
  });
  ASSERT_EQ(owner.expect("owns", within(20s)), "");
  bool told = false;
  const auto let_owner_leave = [&] {
    if (std::exchange(told, true)) return;
    owner.tell("leave");
    EXPECT_EQ(owner.expect("left", within(20s)), "");
  };
  {
    SystemCallHooks hooks;
    hooks.after_lock = [&](int command, const struct flock&, bool) {
      if (command == F_OFD_SETLK) let_owner_leave();
    };
    EXPECT_EQ(
        why_not_refused([&] { (void)Region<Other>::open(domain, "x"); }, Errc::wrong_type, {"'x'"}),
        "");
  }
  let_owner_leave();
  EXPECT_EQ(owner.finish(within(20s)).text(), "");
  EXPECT_TRUE(list_objects(domain).empty());
}

// Method: in a process of its own, since the working directory is the whole process's. What used to
// happen: the handles looked for their names below the new directory and called themselves orphans.
TEST(RelativeDomain, IsTheDirectoryItWasMadeFrom) {
  const ScratchDirectory scratch;
  const Verdict verdict = in_own_process([&](Findings& find) {
    const std::filesystem::path path(scratch.path());
    std::filesystem::current_path(path.parent_path());
    const Domain domain = Domain::at(path.filename());
    LatestWriter<Pose> writer(domain, "pose");
    std::filesystem::current_path("/");
    find.that(!writer.is_orphaned(), "the writer still has its channel");
    find.nothing(why_refused([&] { LatestReader<Pose> reader(domain, "pose"); }), "joining it");
    find.that(domain.path() == path, "the domain names its directory in full");
  });
  EXPECT_EQ(verdict.failures, "");
}

}  // namespace
}  // namespace kith
