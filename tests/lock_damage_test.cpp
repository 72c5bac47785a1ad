// Locks whose words, or whose domain's member table, a peer has spoilt on purpose: each test is a
// defect that was found once.
#include <array>
#include <cstdio>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "kith/member/internal/reader_table.hpp"
#include "kith/member/member.hpp"
#include "kith/region/region.hpp"
#include "kith/region/truncation.hpp"
#include "kith/sync/barrier.hpp"
#include "kith/sync/guarded_bytes.hpp"
#include "kith/sync/internal/rw_lock_core.hpp"
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

// The lock's page is there still, and shared; what it guards is not.
TEST(LockDamage, WhoIsToldOfACutFileDoesNotKeepItsLock) {
  const Verdict verdict = in_own_process([](Findings& find) {
    guard_truncation();
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain();
    GuardedBytes bytes(domain, "bytes", 1 << 16);
    GuardedBytes other(domain, "bytes", 1 << 16);
    {
      auto held = bytes.acquire(patience());
      find.that(static_cast<bool>(held), "they are held");
      find.that(::truncate((scratch.path() + "/bytes").c_str(), 8192) == 0,
                "the file is cut short");
      find.that(held.bytes().back() == std::byte{0}, "what is lost reads as zeros");
    }
    find.that(bytes.acquire(patience()).answer() == LockAnswer::damaged, "its handle says so");
    find.that(!bytes.facts().held, "and does not keep the lock");
    find.that(static_cast<bool>(other.acquire(Deadline::now())), "for those who lost nothing");
  });
  EXPECT_EQ(verdict.failures, "");
}

// ---- a lock that is left over from an older member table

// Each in a process of its own, at once; what they say, in any order.
std::vector<std::string> said_by_openers(const Domain& domain, std::size_t count) {
  std::vector<std::unique_ptr<Child>> openers;
  for (std::size_t i = 0; i < count; ++i) {
    openers.push_back(std::make_unique<Child>([domain](Mouth& parent) {
      parent.say("here");
      if (!parent.hear(soon())) return 2;
      const Mutex mutex(domain, "lock");
      parent.say("open");
      return parent.hear(soon()) ? 0 : 1;
    }));
    EXPECT_EQ(openers.back()->hear(), "here");
  }
  for (const auto& opener : openers) opener->say("open it");
  std::vector<std::string> said;
  for (const auto& opener : openers) said.push_back(opener->hear());
  for (const auto& opener : openers) opener->say("end");
  for (const auto& opener : openers) EXPECT_EQ(opener->wait(), 0);
  return said;
}

void leave_over(const ScratchDirectory& scratch) {
  { const Mutex mutex(scratch.domain(), "lock"); }
  ::unlink(table_in(scratch).c_str());
}

TEST(LockDamage, ManyWhoOpenWhatIsLeftOverAgree) {
  for (int round = 0; round < 20; ++round) {
    const ScratchDirectory scratch;
    leave_over(scratch);
    EXPECT_EQ(said_by_openers(scratch.domain(), 4), std::vector<std::string>(4, "open"));
  }
}

struct Shared {
  RwLockCell lock;
};

// Its readers stand in the older table, where nobody who comes now would look for them.
TEST(LockDamage, LockInARegionKnowsWhichTableItsReadersStandIn) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  Child reader([domain](Mouth& parent) {
    const auto region = Region<Shared>::open_or_create(domain, "region");
    RwLock lock(region, region->lock);
    if (lock.acquire_shared(patience()) != LockAnswer::acquired) return 1;
    parent.say("reads");
    return parent.hear(soon()) ? 0 : 2;
  });
  ASSERT_EQ(reader.hear(), "reads");
  ::unlink(table_in(scratch).c_str());
  const auto open = [&] {
    const auto region = Region<Shared>::open(domain, "region");
    RwLock lock(region, region->lock);
    (void)lock.try_acquire();
  };
  EXPECT_EQ(tests::why_not_refused(open, Errc::orphaned, {"lock", "'region'"}), "");
  reader.kill();
  open();  // nobody is left who could read
}

// ---- readers that a stranger has announced

template <class Number>
std::string as_bytes(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

std::uint64_t bytes_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512
                                            : 0;
}

// Each page that a writer touched for them would be allocated, or be a SIGBUS where there is no
// room.
TEST(LockDamage, LinesThatNobodyAllocatedAreNotTouched) {
  constexpr std::uint32_t kMembers = 200;
  const ScratchDirectory scratch;
  RwLock lock(scratch.domain({.members_max = kMembers}), "lock");
  EXPECT_EQ(lock.acquire_shared(patience()), LockAnswer::acquired);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  constexpr std::uint64_t kTable = internal::kRegionHeaderSize;
  internal::MemberRecord record{};
  record.state = internal::state_word(7, true);
  record.readers_ready = ~std::uint32_t{0};
  // All but our own, in half of the pages of records.
  for (std::uint32_t i = 1; i < kMembers / 2; ++i) {
    tests::patch(table_in(scratch), kTable + internal::kRecordsOffset + i * sizeof record,
                 as_bytes(record));
  }
  tests::patch(table_in(scratch), kTable + offsetof(internal::TableHeader, records_ready),
               as_bytes(kMembers));
  tests::patch(scratch.in("lock"), kTable + offsetof(internal::RwLockWords, readers),
               std::string(sizeof(internal::RwLockWords::readers), '\xff'));
  const std::uint64_t before = bytes_of(table_in(scratch));
  EXPECT_GT(before, 0u);
  EXPECT_EQ(lock.acquire(patience()), LockAnswer::acquired);
  EXPECT_EQ(lock.facts().readers, 0u);
  EXPECT_EQ(lock.release(), LockAnswer::released);
  EXPECT_EQ(bytes_of(table_in(scratch)), before);
}

// Where they were allocated, by whoever wants to keep writers busy, a writer looks at its clock.
TEST(LockDamage, LookingForReadersCanBeGivenUp) {
  constexpr std::uint32_t kPlaces = 3;
  std::vector<internal::ReaderLine> lines(kPlaces * internal::kReaderLines);
  std::array<internal::MemberRecord, kPlaces> records{};
  for (auto& record : records) {
    record.state = internal::state_word(7, true);
    record.readers_ready = ~std::uint32_t{0};
  }
  const RealAtomics::Word<std::uint32_t> ready{~std::uint32_t{0}};
  const internal::ReaderTable table(records.data(), ready, kPlaces,
                                    reinterpret_cast<std::byte*>(lines.data()),
                                    internal::kReaderLines * sizeof(internal::ReaderLine));
  std::array<RealAtomics::Word<std::uint64_t>, internal::kReaderSetWords> set{};
  set[0] = ~std::uint64_t{0};
  std::uint32_t asked = 0;
  const auto nobody = [](const MemberId&) { return true; };
  EXPECT_TRUE(table.for_each_reader(1, internal::ReaderSet(set), nullptr, nobody, [&] {
    ++asked;
    return false;
  }));
  EXPECT_EQ(asked, kPlaces);
  EXPECT_FALSE(
      table.for_each_reader(1, internal::ReaderSet(set), nullptr, nobody, [] { return true; }));
}

// ---- a death that nobody announces

// Readers come to the gate and go whenever the writer is about to sleep; nobody says that the one
// inside is dead.
class BusyGate final : public internal::LockWitness {
 public:
  explicit BusyGate(internal::RwLockWords& words) : words_(words) {}

  [[nodiscard]] bool may_be_dead(MemberId) const noexcept override { return false; }
  [[nodiscard]] Liveness liveness(MemberId) const noexcept override { return Liveness::dead; }
  os::Slept asleep(const RealAtomics::Word<std::uint64_t>&, std::span<const MemberId>, Deadline,
                   internal::Sleeper&) const noexcept override {
    words_.drained.fetch_add(1, std::memory_order_relaxed);
    return os::Slept::over;
  }
  [[nodiscard]] LockAnswer memory() const noexcept override { return LockAnswer::acquired; }

 private:
  internal::RwLockWords& words_;
};

TEST(LockDamage, WriterFindsTheDeadAlthoughOthersTry) {
  constexpr std::uint64_t kKey = 7;
  internal::RwLockWords words{};
  internal::ReaderLine line{};
  internal::MemberRecord record{};
  record.state = internal::state_word(1, true);
  record.readers_ready = 1;
  const RealAtomics::Word<std::uint32_t> ready{1};
  const internal::ReaderTable table(&record, ready, 1, reinterpret_cast<std::byte*>(&line),
                                    sizeof line);
  internal::MutexPatience patience_of_lock;
  patience_of_lock.slice = 1ms;
  internal::RwLockCore core(words, kKey, patience_of_lock);
  core.mark_reader(0);
  ASSERT_TRUE(core.enter_quick(line));
  const std::uint64_t me = internal::MutexWord::of(internal::owner_word({1, 1}), 1);
  EXPECT_EQ(core.acquire(me, nullptr, table, BusyGate(words), patience()), LockAnswer::acquired);
}

}  // namespace
}  // namespace kith
