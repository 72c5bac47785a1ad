// Two containers that mount one domain: each is a process in user, PID and mount namespaces of its
// own. Nothing depends on process numbers, nor on the names that users bear inside them.
#include <atomic>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kith/inspect/inspect.hpp"
#include "kith/member/member.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/mutex.hpp"

#include "tests/support/users.hpp"

namespace kith {
namespace {

using namespace tests;
using namespace std::chrono_literals;

// A role inside a container, played by its process 1. `outer` is the user that it is outside, and
// `inner` what it calls itself inside.
class Container {
 public:
  Container(const std::string& name, unsigned outer, unsigned inner, const SharedFolder& folder,
            Process::Role role)
      : process_(as_user(name, outer, kGroup,
                         [inner, path = folder.path(), role = std::move(role)](Mouth& test) {
                           return enter_and_play(inner, path, role, test);
                         })) {
    if (const auto word = process_.next_word(soon()); word != "unshared") {
      refusal_ = word.value_or("it ended: " + process_.finish(soon()).text());
      return;
    }
    const std::string proc = "/proc/" + std::to_string(process_.pid());
    const std::string group = std::to_string(kGroup) + " " + std::to_string(kGroup) + " 1\n";
    put(proc + "/uid_map", std::to_string(inner) + " " + std::to_string(outer) + " 1\n");
    put(proc + "/gid_map", std::to_string(inner) + " " + std::to_string(outer) + " 1\n" + group);
    process_.tell("mapped");
  }

  // Why there is no container; empty if there is.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] Process& process() { return process_; }

 private:
  static void put(const std::string& path, const std::string& text) {
    std::ofstream(path) << text << std::flush;
  }

  static std::string enter_and_play(unsigned inner, const std::string& folder,
                                    const Process::Role& role, Mouth& test) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) != 0) {
      test.say(std::string("unshare was refused: ") + std::strerror(errno));
      return "";
    }
    test.say("unshared");
    test.await("mapped", soon());
    if (::geteuid() != inner) return "the map of users was refused";
    const pid_t first = ::fork();  // is process 1 of the new namespace
    if (first == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::string wrong;
      try {
        wrong = ::getpid() == 1 ? see_own_tmpfs(folder) : "it is not process 1";
        if (wrong.empty()) wrong = role(test);
      } catch (const std::exception& error) {
        wrong = std::string("threw: ") + error.what();
      }
      if (!wrong.empty()) std::fprintf(stderr, "container: %s\n", wrong.c_str());
      ::_exit(wrong.empty() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(first, &status, 0);
    return status == 0 ? "" : "the container's process ended with " + std::to_string(status);
  }

  // As a container has it: a /dev/shm of its own, with the shared folder mounted in it.
  static std::string see_own_tmpfs(const std::string& folder) {
    const auto mounted = [](const char* what, const std::string& where, const char* kind,
                            unsigned long flags) {
      return ::mount(what, where.c_str(), kind, flags, nullptr) == 0;
    };
    (void)mounted("none", "/", nullptr, MS_REC | MS_PRIVATE);
    // The shared folder stays reachable through this while its old path is covered.
    const std::string kept = "/mnt";
    if (!mounted(folder.c_str(), kept, nullptr, MS_BIND)) return "the folder cannot be mounted";
    if (!mounted("none", "/dev/shm", "tmpfs", 0)) return "a tmpfs cannot be mounted";
    std::filesystem::create_directories(folder);
    return mounted(kept.c_str(), folder, nullptr, MS_BIND) ? "" : "the shared folder is lost";
  }

  Process process_;
  std::string refusal_;
};

std::string write_and_wait(const SharedFolder& folder, Mouth& test) {
  const Domain domain = folder.domain_of(shared_whole());
  LatestOptions options;
  options.deadline = Deadline::after(20s);  // for a predecessor's death
  LatestWriter<Whole> pose(domain, "pose", options);
  if (!write_next(pose)) return "cannot write";
  test.say("wrote " + std::to_string(pose.sequence()));
  test.await("end", soon());
  return "";
}

// The other side reads, waits for the death, hears of it, and writes on.
std::string outlive(const SharedFolder& folder, Mouth& test) {
  const Domain domain = folder.domain_of(shared_whole());
  LatestReader<Whole> reader(domain, "pose");
  auto value = reader.acquire();
  if (!value || !value->is(1)) return "the value is not whole";
  if (reader.writer_liveness() != Liveness::alive) return "the writer is not alive";
  const auto members = Member::join(domain).members();
  if (members.size() != 2) return "they are not two";
  // Both are process 1, and that must not matter.
  if (members[0].pid != 1 || members[1].pid != 1) return "they are not process 1 each";
  if (members[0].pid_namespace == members[1].pid_namespace) return "they are in one namespace";
  test.say("read");
  LatestOptions options;
  options.deadline = Deadline::after(20s);
  LatestWriter<Whole> pose(domain, "pose", options);  // waits for the death
  if (pose.sequence() != 1 || !write_next(pose)) return "cannot write on";
  if (value.refresh() != ReadAnswer::value || !value->is(2)) return "cannot read on";
  if (Member::join(domain).reap_dead().unreaped != 0) return "the dead one cannot be reaped";
  if (Member::join(domain).members().size() != 1) return "the dead one still is a member";
  return "";
}

void two_containers(unsigned outer_a, unsigned inner_a, unsigned outer_b, unsigned inner_b) {
  const SharedFolder folder;
  Container a("a", outer_a, inner_a, folder,
              [&](Mouth& test) { return write_and_wait(folder, test); });
  if (!a.refusal().empty()) GTEST_SKIP() << a.refusal();
  ASSERT_EQ(a.process().expect("wrote 1", soon()), "");
  Container b("b", outer_b, inner_b, folder, [&](Mouth& test) { return outlive(folder, test); });
  ASSERT_EQ(b.refusal(), "");
  ASSERT_EQ(b.process().expect("read", soon()), "");
  a.process().kill();
  EXPECT_EQ(b.process().finish(soon()).text(), "");
}

TEST(Containers, OfOneOuterUserShareADomain) {
  KITH_NEEDS_SEVERAL_USERS();
  two_containers(kAlice, 0, kAlice, 0);
}

TEST(Containers, OfOneOuterUserWithOtherNamesInsideShareADomain) {
  KITH_NEEDS_SEVERAL_USERS();
  two_containers(kAlice, 0, kAlice, 1000);
}

TEST(Containers, OfTwoOuterUsersShareADomain) {
  KITH_NEEDS_SEVERAL_USERS();
  two_containers(kAlice, 1000, kBob, 1000);
}

TEST(Containers, OfTwoOuterUsersWhoAreRootInsideShareADomain) {
  KITH_NEEDS_SEVERAL_USERS();
  two_containers(kAlice, 0, kBob, 0);
}

// ---- locks

// Holds it from its first word until it is told; then takes it once more, and dies with it.
std::string hold_and_die(const SharedFolder& folder, Mouth& test) {
  Mutex mutex(folder.domain_of(shared_whole()), "lock");
  if (mutex.acquire(Deadline::after(20s)) != LockAnswer::acquired) return "it is not free";
  test.say("held");
  test.await("release", soon());
  if (mutex.release() != LockAnswer::released) return "it was taken from its holder";
  test.say("released");
  test.await("acquire", soon());
  if (mutex.acquire(Deadline::after(20s)) != LockAnswer::acquired) return "it is not free again";
  test.say("held again");
  test.await("end", soon());
  return "it was to be killed";
}

// The other side is process 1, too, and its first thread as well: neither takes the lock for its
// own, nor may it give back what is not.
std::string inherit(const SharedFolder& folder, Mouth& test) {
  Mutex mutex(folder.domain_of(shared_whole()), "lock");
  if (mutex.check() != LockAnswer::not_owner) return "it takes the other's lock for its own";
  if (mutex.acquire(Deadline::now()) != LockAnswer::timed_out) return "the holder was robbed";
  if (mutex.release() != LockAnswer::not_owner) return "it gave back what was not its own";
  test.say("refused");
  if (mutex.acquire(Deadline::after(20s)) != LockAnswer::acquired) return "it was not handed on";
  if (mutex.release() != LockAnswer::released) return "it could not be given back";
  test.say("had it");
  test.await("inherit", soon());
  if (mutex.acquire(Deadline::after(20s)) != LockAnswer::owner_died) return "nobody died";
  if (mutex.declare_consistent() != LockAnswer::owner_died) return "it was not to be repaired";
  return mutex.release() == LockAnswer::released ? "" : "the repaired one could not be given back";
}

void two_containers_and_a_lock(unsigned outer_a, unsigned outer_b) {
  const SharedFolder folder;
  Container a("a", outer_a, 0, folder, [&](Mouth& test) { return hold_and_die(folder, test); });
  if (!a.refusal().empty()) GTEST_SKIP() << a.refusal();
  ASSERT_EQ(a.process().expect("held", soon()), "");
  Container b("b", outer_b, 0, folder, [&](Mouth& test) { return inherit(folder, test); });
  ASSERT_EQ(b.refusal(), "");
  ASSERT_EQ(b.process().expect("refused", soon()), "");
  a.process().tell("release");
  ASSERT_EQ(a.process().expect("released", soon()), "");
  ASSERT_EQ(b.process().expect("had it", soon()), "");
  a.process().tell("acquire");
  ASSERT_EQ(a.process().expect("held again", soon()), "");
  b.process().tell("inherit");
  a.process().kill();
  EXPECT_EQ(b.process().finish(soon()).text(), "");
}

TEST(Containers, OfOneOuterUserLockAgainstEachOther) {
  KITH_NEEDS_SEVERAL_USERS();
  two_containers_and_a_lock(kAlice, kAlice);
}

TEST(Containers, OfTwoOuterUsersLockAgainstEachOther) {
  KITH_NEEDS_SEVERAL_USERS();
  two_containers_and_a_lock(kAlice, kBob);
}

TEST(Containers, OfAGuestReadsAndWritesNothing) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  Container host("host", kAlice, 0, folder, [&](Mouth& test) -> std::string {
    const Domain domain = folder.domain_of(shared_with_guests());
    LatestWriter<Whole> pose(domain, "pose", {.rights = for_guests()});
    if (!write_next(pose)) return "cannot write";
    test.say("wrote");
    test.await("end", soon());
    return "";
  });
  if (!host.refusal().empty()) GTEST_SKIP() << host.refusal();
  ASSERT_EQ(host.process().expect("wrote", soon()), "");
  // Root inside, and nobody outside.
  Container guest("guest", kBob, 0, folder, [&](Mouth&) -> std::string {
    const Domain domain = folder.domain_of(shared_with_guests());
    LatestReader<Whole> reader(domain, "pose");
    const auto value = reader.acquire();
    if (!value || !value->is(1)) return "the value is not whole";
    if (reader.writer_liveness() != Liveness::alive) return "the writer is not alive";
    return why_not_refused([&] { LatestWriter<Whole> forger(domain, "pose"); },
                           Errc::permission_denied, {"'pose'"});
  });
  ASSERT_EQ(guest.refusal(), "");
  EXPECT_EQ(guest.process().finish(soon()).text(), "");
  host.process().tell("end");
  EXPECT_EQ(host.process().finish(soon()).text(), "");
}

}  // namespace
}  // namespace kith
