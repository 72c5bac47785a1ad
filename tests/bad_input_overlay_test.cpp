// A domain on overlayfs, where a mapping does not keep the locks of its open: life locks, use locks
// and creator's locks must hold all the same, and no forked child may keep them. Method: an overlay
// mounted in a mount namespace of a child's own; its children play the peers.
#include <atomic>
#include <dirent.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/os/file_lock.hpp"
#include "kith/region/region.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Findings;
using tests::in_own_process;
using tests::ScratchDirectory;
using tests::Signal;
using tests::Verdict;
using tests::why_not_refused;
using tests::why_refused;
using Number = std::atomic<std::uint64_t>;

struct Pose {
  double x;
  double y;
};

std::string mount_overlay(const std::string& base) {
  std::string refusal = tests::enter_own_mounts();
  if (refusal.empty()) refusal = tests::mount_tmpfs(base, "16m");
  if (!refusal.empty()) return refusal;
  for (const char* name : {"/lower", "/upper", "/work", "/merged"}) {
    std::filesystem::create_directory(base + name);
  }
  const std::string layers =
      "lowerdir=" + base + "/lower,upperdir=" + base + "/upper,workdir=" + base + "/work";
  if (::mount("overlay", (base + "/merged").c_str(), "overlay", 0, layers.c_str()) == 0) return "";
  return std::string("mounting an overlay was refused: ") + std::strerror(errno);
}

Verdict on_overlay(const std::function<void(Findings&, const Domain&)>& body) {
  const ScratchDirectory scratch;
  return in_own_process([&](Findings& find) {
    const std::string refusal = mount_overlay(scratch.path());
    if (!refusal.empty()) return find.skip(refusal);
    const Domain domain = Domain::at(scratch.path() + "/merged/domain");
    if (os::mapping_keeps_locks(domain.open_or_create())) {
      return find.skip("this kernel's overlayfs keeps locks in mappings");
    }
    body(find, domain);
  });
}

#define KITH_EXPECT_GOOD(verdict)                                      \
  do {                                                                 \
    if (!(verdict).skipped.empty()) GTEST_SKIP() << (verdict).skipped; \
    EXPECT_EQ((verdict).failures, "");                                 \
  } while (false)

TEST(Overlay, KeepsUseAndCreatorsLocks) {
  const Verdict verdict = on_overlay([](Findings& find, const Domain& domain) {
    auto made = Region<Number>::create(domain, "number");
    made->store(5, std::memory_order_relaxed);
    find.that(remove_object(domain, "number") == Removal::in_use, "the creator's use is seen");
    find.nothing(why_not_refused([&] { (void)Region<Number>::create(domain, "number"); },
                                 Errc::already_exists, {"is alive", "in use"}),
                 "creating it again");
    {
      const auto opened = Region<Number>::open(domain, "number");
      made.close();
      find.that(opened->load() == 5, "the memory is shared");
      find.that(!opened.is_orphaned(), "the name stands for it");
      find.that(remove_object(domain, "number") == Removal::in_use, "an opener's use is seen");
      find.nothing(why_not_refused([&] { (void)Region<Number>::create(domain, "number"); },
                                   Errc::already_exists, {"is dead", "in use"}),
                   "after its creator closed it");
    }
    find.that(remove_object(domain, "number") == Removal::removed, "closed, it can be removed");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(Overlay, CarriesOutEveryLifetime) {
  const Verdict verdict = on_overlay([](Findings& find, const Domain& domain) {
    const auto create = [&](Lifetime lifetime) {
      return Region<Number>::create(domain, "number", {.lifetime = lifetime});
    };
    const auto is_there = [&] { return domain.names().size() == 1; };
    auto first = create(Lifetime::until_last_member);
    auto second = Region<Number>::open(domain, "number");
    first.close();
    find.that(is_there(), "a user is left");
    second.close();
    find.that(!is_there(), "gone with the last handle");
    first = create(Lifetime::while_creator_lives);
    second = Region<Number>::open(domain, "number");
    find.that(!second.is_orphaned(), "the creator lives");
    first.close();
    find.that(second.is_orphaned() && !is_there(), "gone with its creator");
    second.close();
    Signal up;
    Signal never;
    Child creator([&] {
      const auto made = create(Lifetime::while_creator_lives);
      up.tell();
      return never.wait() ? 1 : 2;
    });
    find.that(up.wait(), "a creator");
    second = Region<Number>::open(domain, "number");
    find.that(!second.is_orphaned(), "it lives");
    creator.kill();
    find.that(second.is_orphaned(), "it is dead");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(Overlay, KnowsTheLivingTheStoppedAndTheDead) {
  const Verdict verdict = on_overlay([](Findings& find, const Domain& domain) {
    LatestReader<Pose> reader(domain, "pose");
    const Member me = Member::join(domain);
    Signal up;
    Signal never;
    Child victim([&] {
      LatestWriter<Pose> writer(domain, "pose", {.role = "pilot"});
      if (writer.write({1, 1}) != WriteAnswer::committed) return 1;
      up.tell();
      return never.wait() ? 2 : 3;
    });
    find.that(up.wait(), "a writer");
    find.that(reader.writer_liveness() == Liveness::alive, "it is alive");
    victim.stop();
    find.that(reader.writer_liveness() == Liveness::alive, "stopped, it is alive");
    find.nothing(why_not_refused([&] { LatestWriter<Pose> w(domain, "pose", {.role = "pilot"}); },
                                 Errc::role_taken, {"'pose'", std::to_string(victim.pid())}),
                 "taking its role");
    victim.kill();
    find.that(reader.writer_liveness() == Liveness::dead, "killed, it is dead");
    LatestWriter<Pose> writer(domain, "pose", {.role = "pilot"});
    find.that(writer.sequence() == 1 && writer.last()->x == 1, "its last value is there");
    find.that(me.reap_dead().unreaped == 0 && me.members().size() == 1, "and it is reaped");
  });
  KITH_EXPECT_GOOD(verdict);
}

// Open descriptors other than 0 to 2, by what they point to.
std::multiset<std::string> open_files() {
  std::multiset<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the directory's own
    files.insert(std::filesystem::read_symlink(entry, gone).string());
  }
  return files;
}

std::size_t count_of(const std::multiset<std::string>& files, const std::string& part) {
  std::size_t count = 0;
  for (const std::string& file : files) count += file.find(part) != std::string::npos ? 1 : 0;
  return count;
}

TEST(Overlay, LeaksNoDescriptorAndNoLockIntoForkedChildren) {
  const Verdict verdict = on_overlay([](Findings& find, const Domain& domain) {
    Signal up;
    Signal end;
    Signal ended;
    Child parent([&] {
      const auto mortal =
          Region<Number>::create(domain, "mortal", {.lifetime = Lifetime::while_creator_lives});
      LatestWriter<Pose> writer(domain, "pose", {.role = "pilot"});
      const std::size_t ours = count_of(open_files(), domain.path());
      if (::fork() == 0) {
        // Of three objects the child has what keeps them in use, as it has their memory; the three
        // creator's locks and the life lock stay with the parent.
        const bool good = ours == 7 && count_of(open_files(), domain.path()) == 3;
        if (good) up.tell();
        (void)end.wait();
        ended.tell();
        ::_exit(0);
      }
      Signal never;
      return never.wait() ? 2 : 3;
    });
    find.that(up.wait(5s), "the child lacks the descriptors of the locks that say who lives");
    LatestReader<Pose> reader(domain, "pose");
    const auto mortal = Region<Number>::open(domain, "mortal");
    find.that(reader.writer_liveness() == Liveness::alive, "the parent is alive");
    parent.kill();
    find.that(reader.writer_liveness() == Liveness::dead, "and dead, though its child lives");
    find.that(mortal.is_orphaned(), "for its regions too");
    find.nothing(why_refused([&] { LatestWriter<Pose> w(domain, "pose", {.role = "pilot"}); }),
                 "taking its role");
    end.tell();
    find.that(ended.wait(), "the child ended");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(Overlay, ClosesEveryDescriptorItOpened) {
  const Verdict verdict = on_overlay([](Findings& find, const Domain& domain) {
    const auto before = open_files();
    {
      const auto region = Region<Number>::create(domain, "number");
      LatestWriter<Pose> writer(domain, "pose");
      LatestReader<Pose> reader(domain, "pose");
      for (int i = 0; i < 20; ++i) {
        const auto again = Region<Number>::open(domain, "number");
        LatestReader<Pose> another(domain, "pose");
        find.that(writer.write({1, 1}) == WriteAnswer::committed, "writing");
        find.that(another.acquire()->x == 1, "reading");
      }
    }
    find.that(count_of(open_files(), domain.path()) == 0, "none is left");
    find.that(open_files().size() == before.size(), "of any kind");
  });
  KITH_EXPECT_GOOD(verdict);
}

TEST(Overlay, RegionOfALowerLayerIsCopiedUpAndWorks) {
  // As when an image was built from a container in which a domain had been used.
  const Verdict verdict = on_overlay([](Findings& find, const Domain& domain) {
    {
      Region<Number>::create(domain, "number")->store(3, std::memory_order_relaxed);
      LatestWriter<Pose> writer(domain, "pose");
      find.that(writer.write({4, 4}) == WriteAnswer::committed, "writing");
    }
    const std::string base = domain.path().substr(0, domain.path().find("/merged"));
    std::filesystem::create_directory(base + "/second");
    std::filesystem::create_directory(base + "/second-work");
    std::filesystem::create_directory(base + "/second-merged");
    const std::string layers =
        "lowerdir=" + base + "/upper,upperdir=" + base + "/second,workdir=" + base + "/second-work";
    const std::string merged = base + "/second-merged";
    if (::mount("overlay", merged.c_str(), "overlay", 0, layers.c_str()) != 0) {
      return find.skip("a second overlay was refused");
    }
    const Domain second = Domain::at(merged + "/domain");
    const auto number = Region<Number>::open(second, "number");
    find.that(number->load() == 3 && !number.is_orphaned(), "the region is there");
    const auto again = Region<Number>::open(second, "number");
    number->store(9, std::memory_order_relaxed);
    find.that(again->load() == 9, "and shared");
    LatestWriter<Pose> writer(second, "pose");
    LatestReader<Pose> reader(second, "pose");
    find.that(reader.acquire()->x == 4, "so is the last value");
    find.that(writer.write({5, 5}) == WriteAnswer::committed, "and it goes on");
    find.that(reader.acquire()->x == 5, "for readers too");
    find.that(Region<Number>::open(domain, "number")->load() == 3, "the layer below is untouched");
  });
  KITH_EXPECT_GOOD(verdict);
}

}  // namespace
}  // namespace kith
