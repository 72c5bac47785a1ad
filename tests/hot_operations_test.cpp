// The operations that a program calls a million times a second ask nothing of the kernel: no system
// call and no page fault, counted over ten thousand repetitions of each. Where no one sleeps, that
// is; a sleeper costs its writer a call to wake it.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/member/member.hpp"
#include "kith/region/object_region.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/condition.hpp"
#include "kith/sync/counting_semaphore.hpp"
#include "kith/sync/event.hpp"
#include "kith/sync/guarded.hpp"
#include "kith/sync/guarded_bytes.hpp"
#include "kith/sync/mutex.hpp"
#include "kith/sync/once.hpp"
#include "kith/sync/rw_lock.hpp"
#include "kith/sync/semaphore.hpp"
#include "kith/sync/wait_any.hpp"

#include "tests/support/kernel_work.hpp"
#include "tests/support/users.hpp"

namespace kith {
namespace {

using namespace tests;

void demand(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// ---- does the counting count?

TEST(KernelWork, OfNothingIsNothing) {
  const KernelWork work = kernel_work_of([] { return [] {}; });
  if (!work.why_not.empty()) GTEST_SKIP() << work.why_not;
  EXPECT_EQ(work.failure, "");
  EXPECT_EQ(work.system_calls, 0u) << work.text();
  EXPECT_EQ(work.page_faults, 0u) << work.text();
}

TEST(KernelWork, OfOneSystemCallInTenThousandRepetitionsIsSeen) {
  const KernelWork work = kernel_work_of([] {
    auto count = std::make_shared<int>(0);
    return [count] {
      if (++*count % 10'000 == 0) ::syscall(SYS_getppid);
    };
  });
  if (!work.why_not.empty()) GTEST_SKIP() << work.why_not;
  EXPECT_EQ(work.failure, "");
  EXPECT_EQ(work.system_calls, work.rounds) << work.text();
  EXPECT_EQ(work.first_call, SYS_getppid) << work.text();
}

TEST(KernelWork, OfOneFreshPageInTenThousandRepetitionsIsSeen) {
  const KernelWork work = kernel_work_of([] {
    constexpr std::size_t kSpace = 64 << 20;
    void* space =
        ::mmap(nullptr, kSpace, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    demand(space != MAP_FAILED, "no address space");
    // Small pages, or one fault would bring in the pages of all rounds.
    ::madvise(space, kSpace, MADV_NOHUGEPAGE);
    auto next = std::make_shared<std::byte*>(static_cast<std::byte*>(space));
    auto count = std::make_shared<int>(0);
    return [next, count] {
      if (++*count % 10'000 != 0) return;
      **next = std::byte{1};
      *next += ::sysconf(_SC_PAGESIZE);
    };
  });
  if (!work.why_not.empty()) GTEST_SKIP() << work.why_not;
  EXPECT_EQ(work.failure, "");
  EXPECT_EQ(work.page_faults, 1u) << work.text();
  EXPECT_EQ(work.system_calls, 0u) << work.text();
}

TEST(KernelWork, OfAnOperationThatThrowsIsAFailure) {
  const KernelWork work =
      kernel_work_of([] { return [] { throw std::runtime_error("as this test wants it"); }; });
  if (!work.why_not.empty()) GTEST_SKIP() << work.why_not;
  EXPECT_NE(work.failure, "");
}

// ---- the operations

// Both ends of a channel in one process, so that what was written is what must be read.
struct Ends {
  Ends(LatestWriter<Whole> of_this_domain, const Domain& domain)
      : writer(std::move(of_this_domain)), reader(domain, "channel") {}

  void write() { demand(writer.write(Whole::of(++number)) == WriteAnswer::committed, "refused"); }
  void draft() {
    auto draft = writer.draft();
    *draft = Whole::of(++number);
    demand(draft.commit() == WriteAnswer::committed, "the draft was refused");
  }
  void acquire() {
    const auto value = reader.acquire();
    demand(value && value->is(number) && value.sequence() == number, "not the newest value");
  }
  void copy() {
    Whole value;
    demand(reader.read_copy(value, [](const Whole&) { return true; }) == ReadAnswer::value &&
               value.is(number),
           "not the newest value");
  }

  LatestWriter<Whole> writer;
  LatestReader<Whole> reader;
  std::uint64_t number = 0;
};

using Makes = std::function<Operation(std::shared_ptr<Ends>)>;

struct HotOperation {
  std::string name;
  Makes make;

  friend std::ostream& operator<<(std::ostream& out, const HotOperation& one) {
    return out << one.name;
  }
};

// A write stands beside each read of a new value: if both together ask nothing, each of them does.
std::vector<HotOperation> operations_on_a_channel() {
  return {
      {"Write", [](auto ends) { return [ends] { ends->write(); }; }},
      {"DraftAndCommit", [](auto ends) { return [ends] { ends->draft(); }; }},
      {"AcquireAndReleaseOfANewValue",
       [](auto ends) { return [ends] { ends->write(), ends->acquire(); }; }},
      {"AcquireAndReleaseOfTheSameValue",
       [](auto ends) {
         ends->write();
         return [ends] { ends->acquire(); };
       }},
      {"ReadCopyOfANewValue", [](auto ends) { return [ends] { ends->write(), ends->copy(); }; }},
      {"RefreshOfTheSameValue",
       [](auto ends) {
         ends->write();
         auto held = std::make_shared<Pinned<Whole>>(ends->reader.acquire());
         return [ends, held] { demand(held->refresh() == ReadAnswer::unchanged, "it changed"); };
       }},
      {"RefreshToANewValue",
       [](auto ends) {
         ends->write();
         auto held = std::make_shared<Pinned<Whole>>(ends->reader.acquire());
         return [ends, held] {
           ends->write();
           demand(held->refresh() == ReadAnswer::value && (*held)->is(ends->number), "not the new");
         };
       }},
      {"LookForANewerValue",
       [](auto ends) {
         return [ends] {
           ends->write();
           demand(ends->reader.has_newer(), "the new value is not seen");
           ends->acquire();
           demand(!ends->reader.has_newer(), "a value that nobody wrote");
         };
       }},
      {"WaitForAValueThatIsThere",
       [](auto ends) {
         return [ends] {
           ends->write();
           const auto answer = ends->reader.wait_newer(Deadline::never());
           demand(answer == WaitAnswer::newer, "the new value is not seen");
           ends->acquire();
         };
       }},
      {"LookAtTheLastValueWritten",
       [](auto ends) {
         return [ends] {
           ends->write();
           demand(ends->writer.last()->is(ends->number) &&
                      ends->writer.sequence() == ends->number && ends->writer.readers_joined() > 0,
                  "not the last value");
         };
       }},
  };
}

void expect_no_work(const KernelWork& work) {
  if (!work.why_not.empty()) GTEST_SKIP() << work.why_not;
  EXPECT_EQ(work.failure, "");
  EXPECT_GE(work.repetitions, 10'000u);
  EXPECT_EQ(work.system_calls, 0u) << work.text();
  EXPECT_EQ(work.page_faults, 0u) << work.text();
}

// Where the kernel lets no program read the clock by itself, whatever looks at it calls the kernel.
bool clock_is_free() {
  const KernelWork work = kernel_work_of([] {
    return [] { demand(std::chrono::steady_clock::now().time_since_epoch().count() > 0, "clock"); };
  });
  return work.system_calls == 0;
}

class HotOperations : public ::testing::TestWithParam<HotOperation> {};

TEST_P(HotOperations, AskNothingOfTheKernelForMembers) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    LatestWriter<Whole> writer(scratch.domain(), "channel");
    return GetParam().make(std::make_shared<Ends>(std::move(writer), scratch.domain()));
  }));
}

// The process opens the writer's end, and then, as another user, the end of one who may only read.
TEST_P(HotOperations, AskNothingOfTheKernelForGuests) {
  KITH_NEEDS_SEVERAL_USERS();
  const SharedFolder folder;
  expect_no_work(kernel_work_of([&] {
    const Domain domain = folder.domain_of({0755, ""});
    LatestOptions options;
    options.rights = {0644, ""};
    LatestWriter<Whole> writer(domain, "channel", options);
    demand(become_user_in(kBob, kNoGroup).empty(), "becoming another user was refused");
    demand(::access((domain.path() + "/channel").c_str(), R_OK) != 0, "this is no guest");
    return GetParam().make(std::make_shared<Ends>(std::move(writer), domain));
  }));
}

INSTANTIATE_TEST_SUITE_P(OfAChannel, HotOperations, ::testing::ValuesIn(operations_on_a_channel()),
                         [](const auto& of) { return of.param.name; });

TEST(HotOperationsOfBytes, AskNothingOfTheKernelForAFrameOfManyPages) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    constexpr std::size_t kFrame = 64 * 1024;
    auto writer = std::make_shared<LatestBytesWriter>(scratch.domain(), "frame", kFrame);
    auto reader = std::make_shared<LatestBytesReader>(scratch.domain(), "frame");
    auto copy = std::make_shared<std::vector<std::byte>>(kFrame);
    return [=] {
      auto draft = writer->draft();
      draft.bytes().front() = draft.bytes().back() = std::byte{1};
      demand(draft.commit() == WriteAnswer::committed, "the draft was refused");
      demand(reader->acquire().bytes().back() == std::byte{1}, "not what was written");
      std::uint64_t size = 0;
      demand(reader->read_copy(*copy, size) != ReadAnswer::empty && size == kFrame, "not copied");
    };
  }));
}

TEST(HotOperationsOfBytes, AskNothingOfTheKernelWhereCommitTimesAreKept) {
  if (!clock_is_free()) GTEST_SKIP() << "this machine asks the kernel for the time";
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    LatestOptions options;
    options.commit_time = true;
    LatestWriter<Whole> writer(scratch.domain(), "channel", options);
    auto ends = std::make_shared<Ends>(std::move(writer), scratch.domain());
    return [ends] {
      ends->write();
      demand(ends->reader.acquire().commit_time().has_value(), "there is no commit time");
    };
  }));
}

TEST(HotOperationsOfRegions, AskNothingOfTheKernel) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    using Count = std::atomic<std::uint64_t>;
    auto bytes = std::make_shared<Region<>>(Region<>::create(scratch.domain(), "bytes", 8192));
    auto count = std::make_shared<Region<Count>>(Region<Count>::create(scratch.domain(), "count"));
    auto world = std::make_shared<ObjectRegion>(ObjectRegion::create(scratch.domain(), "world"));
    world->create_object<Count>("tick", Deadline::after(std::chrono::seconds(1)));
    return [=] {
      bytes->bytes().back() = std::byte{1};
      (*count)->fetch_add(1, std::memory_order_relaxed);
      demand(world->find<Count>("tick") != nullptr, "the object is gone");
    };
  }));
}

TEST(HotOperationsOfMembers, AskNothingOfTheKernelForTheirOwnId) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto member = std::make_shared<Member>(Member::join(scratch.domain()));
    const MemberId id = member->id();
    return [=] { demand(member->id() == id, "another id"); };
  }));
}

// ---- locks

void take_and_give_back(Mutex& mutex) {
  demand(mutex.acquire(Deadline::never()) == LockAnswer::acquired, "not acquired");
  demand(mutex.check() == LockAnswer::acquired, "not held");
  demand(mutex.release() == LockAnswer::released, "not released");
}

TEST(HotOperationsOfAMutex, AskNothingOfTheKernelWhereNobodyWaits) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto mutex = std::make_shared<Mutex>(scratch.domain(), "lock");
    return [=] {
      take_and_give_back(*mutex);
      const std::scoped_lock guard(*mutex);
    };
  }));
}

TEST(HotOperationsOfAMutex, AskNothingOfTheKernelInsideARegion) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto cell =
        std::make_shared<Region<MutexCell>>(Region<MutexCell>::create(scratch.domain(), "cell"));
    auto mutex = std::make_shared<Mutex>(*cell, **cell);
    return [=] { take_and_give_back(*mutex); };
  }));
}

TEST(HotOperationsOfAMutex, AskNothingOfTheKernelWhenTakenAgain) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto mutex = std::make_shared<Mutex>(scratch.domain(), "lock", MutexOptions{.recursive = true});
    return [=] {
      const std::scoped_lock outer(*mutex);
      take_and_give_back(*mutex);
    };
  }));
}

// What comes after a death costs no more than what came before it.
TEST(HotOperationsOfAMutex, AskNothingOfTheKernelOnceItWasRepaired) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto mutex = std::make_shared<Mutex>(scratch.domain(), "lock");
    std::thread([&] { demand(mutex->try_acquire() == LockAnswer::acquired, "not free"); }).join();
    demand(mutex->try_acquire() == LockAnswer::owner_died, "nobody died");
    demand(mutex->declare_consistent() == LockAnswer::owner_died, "not repaired");
    demand(mutex->release() == LockAnswer::released, "not released");
    return [=] { take_and_give_back(*mutex); };
  }));
}

// ---- what is waited for

TEST(HotOperationsOfWhatIsWaitedFor, AskNothingOfTheKernelWhereNobodyWaits) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto event = std::make_shared<Event>(scratch.domain(), "event");
    auto changed = std::make_shared<Condition>(scratch.domain(), "changed");
    auto signals = std::make_shared<CountingSemaphore>(scratch.domain(), "signals");
    auto permits = std::make_shared<Semaphore>(scratch.domain(), "permits", 3);
    return [=] {
      event->set();
      demand(event->wait(Deadline::never()) == AwaitAnswer::happened, "not set");
      demand(event->reset(), "it was not set");
      changed->notify_one();
      changed->notify_all();
      demand(signals->release() == LockAnswer::released, "not counted");
      demand(signals->acquire(Deadline::never()) == LockAnswer::acquired, "not taken");
      demand(permits->acquire(Deadline::never()) == LockAnswer::acquired, "not lent");
      demand(permits->release() == LockAnswer::released, "not given back");
      demand(wait_any(Deadline::never(), *event, *signals, *permits).took(2), "not the permit");
      demand(permits->release() == LockAnswer::released, "not given back");
    };
  }));
}

TEST(HotOperationsOfAReadWriteLock, AskNothingOfTheKernelWhereNobodyWaits) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto lock = std::make_shared<RwLock>(scratch.domain(), "lock");
    return [=] {
      demand(lock->acquire_shared(Deadline::never()) == LockAnswer::acquired, "not read");
      demand(lock->release() == LockAnswer::released, "still read");
      demand(lock->acquire(Deadline::never()) == LockAnswer::acquired, "not written");
      demand(lock->release() == LockAnswer::released, "still written");
    };
  }));
}

// ---- what is built on it

TEST(HotOperationsOfAGuardedValue, AskNothingOfTheKernel) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    using Numbers = std::array<std::uint64_t, 8>;
    auto value = std::make_shared<Guarded<Numbers>>(scratch.domain(), "value");
    return [=] {
      const auto add = [](Numbers& now) { ++now[7]; };
      demand(value->change(add, Deadline::never()) == GuardedAnswer::committed, "not committed");
      Numbers now;
      demand(value->read(now, Deadline::never()) == GuardedAnswer::value, "not read");
      demand(value->set(now, Deadline::never()) == GuardedAnswer::committed, "not set");
    };
  }));
}

TEST(HotOperationsOfGuardedBytes, AskNothingOfTheKernel) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto bytes = std::make_shared<GuardedBytes>(scratch.domain(), "bytes", 100);
    return [=] { ++*bytes->acquire(Deadline::never()).as<std::uint64_t>(8); };
  }));
}

TEST(HotOperationsOfOnce, AskNothingOfTheKernelWhenItIsDone) {
  const ScratchDirectory scratch;
  expect_no_work(kernel_work_of([&] {
    auto once = std::make_shared<Once>(scratch.domain(), "once");
    return [=] { demand(is_done(once->call([] {}, Deadline::never())), "not done"); };
  }));
}

}  // namespace
}  // namespace kith
