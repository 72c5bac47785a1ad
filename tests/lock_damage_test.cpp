// Locks whose words, or whose domain's member table, a peer has spoilt on purpose: each test is a
// defect that was found once.
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

#include "kith/member/member.hpp"
#include "kith/region/truncation.hpp"
#include "kith/sync/barrier.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/rw_lock.hpp"
#include "kith/sync/semaphore.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Findings;
using tests::in_own_process;
using tests::Mouth;
using tests::ScratchDirectory;
using tests::soon;
using tests::Verdict;

// Enough for a loaded machine; a wait that takes so long is a hang.
Deadline patience() {
  return Deadline::after(30s);
}

std::string table_in(const ScratchDirectory& scratch) {
  return scratch.path() + "/.members";
}

// ---- a member table that was cut short

// One of each lock that is taken over from the dead.
struct Locks {
  explicit Locks(const Domain& domain)
      : mutex(domain, "mutex"),
        written(domain, "written"),
        permits(domain, "permits", 1),
        step(domain, "step", 2) {}
  Mutex mutex;
  RwLock written;
  Semaphore permits;
  Barrier step;
};

Child holder_of_all(const Domain& domain) {
  return Child([domain](Mouth& parent) {
    Locks locks(domain);
    if (!holds(locks.mutex.acquire(patience())) || !holds(locks.written.acquire(patience())) ||
        !holds(locks.permits.acquire(patience()))) {
      return 1;
    }
    const MemberId id = Member::join(domain).id();
    parent.say(std::to_string(id.index) + " " + std::to_string(id.incarnation));
    return parent.hear(soon()) ? 0 : 2;
  });
}

// Its pages read as zeros then, as if nobody had ever joined.
TEST(LockDamage, TableCutShortMakesNobodyDead) {
  const Verdict verdict = in_own_process([](Findings& find) {
    guard_truncation();
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain();
    Child holder = holder_of_all(domain);
    MemberId id;
    find.that(std::sscanf(holder.hear().c_str(), "%u %u", &id.index, &id.incarnation) == 2,
              "all is held");
    const Member me = Member::join(domain);
    Locks locks(domain);
    find.that(me.liveness(id) == Liveness::alive, "the holder lives");
    find.that(::truncate(table_in(scratch).c_str(), 0) == 0, "the table is cut short");
    find.that(me.liveness(id) == Liveness::unknown, "nobody is taken for dead");
    find.that(locks.mutex.acquire(patience()) == LockAnswer::damaged, "a mutex says so");
    find.that(locks.written.acquire(patience()) == LockAnswer::damaged, "a read-write lock");
    find.that(locks.written.acquire_shared(patience()) == LockAnswer::damaged, "its readers");
    find.that(locks.permits.acquire(patience()) == LockAnswer::damaged, "a semaphore");
    find.that(locks.step.arrive_and_wait(patience()) == AwaitAnswer::damaged, "a barrier");
    holder.say("end");
    find.that(holder.wait() == 0, "the holder lived all the time");
  });
  EXPECT_EQ(verdict.failures, "");
}

}  // namespace
}  // namespace kith
