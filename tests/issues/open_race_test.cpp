// Opening a lock meets those who open it just then. Method: who opens it is stopped at a chosen
// lock of the kernel's, while another process obeys orders.
#include <chrono>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "kith/os/file.hpp"
#include "kith/region/layout.hpp"
#include "kith/sync/mutex.hpp"

#include "tests/issues/system_call_hooks.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;
using tests::SystemCallHooks;

// What used to happen: a lock was left over from an older member table, and nobody used it. Two
// opened it, one of them a member of a table that was removed meanwhile. Each found that nobody
// else used it, and named its own table; each then took the other one for dead.
TEST(OpenRace, MembersOfTwoTablesDoNotShareWhatIsLeftOver) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  const std::string table = scratch.in(".members");
  { const Mutex left_over(domain, "lock"); }
  ::unlink(table.c_str());
  Child other([domain](Mouth& parent) {
    if (!parent.hear(soon())) return 1;
    Mutex mutex(domain, "lock");
    parent.say(std::string(to_string(mutex.acquire(Deadline::after(20s)))));
    return parent.hear(soon()) ? 0 : 2;
  });
  const Mutex first(domain, "first");  // a member, that has its lists
  SystemCallHooks hooks;
  bool met = false;
  const os::FileIdentity lock_file = os::facts_of_path(scratch.in("lock")).value.identity;
  hooks.before_lock = [&](int file, int command, const struct flock& lock) {
    struct stat status {};
    const bool is_it = ::fstat(file, &status) == 0 && status.st_ino == lock_file.inode;
    const bool uses = static_cast<std::uint64_t>(lock.l_start) == internal::RegionLock::kUse;
    if (met || !is_it || !uses || command != F_OFD_SETLK || lock.l_type != F_RDLCK) return;
    met = true;
    EXPECT_EQ(::unlink(table.c_str()), 0);
    other.say("open it");
    EXPECT_EQ(other.hear(), "acquired");
  };
  Mutex mutex(domain, "lock");
  EXPECT_TRUE(met);
  EXPECT_EQ(mutex.acquire(Deadline::now()), LockAnswer::timed_out) << "its holder lives";
  other.say("end");
  EXPECT_EQ(other.wait(), 0);
}

}  // namespace
}  // namespace kith
