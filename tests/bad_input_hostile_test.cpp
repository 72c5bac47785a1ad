// Hostile bytes: random bytes over the content of objects in use. Method: every operation must give
// an answer or an Error, whatever stands there; a crash, a hang, a value outside of the object or a
// number that goes back is a failure. A failure names the seed, which repeats the run.
#include <array>
#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "kith/channel/latest.hpp"
#include "kith/inspect/inspect.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/member/member.hpp"
#include "kith/region/layout.hpp"
#include "kith/region/object_region.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using namespace std::chrono_literals;
using tests::Child;
using tests::Findings;
using tests::in_own_process;
using tests::patch;
using tests::ScratchDirectory;
using tests::Signal;
using tests::Verdict;
using tests::why_refused;
using Number = std::atomic<std::uint64_t>;

constexpr std::uint64_t kPayload = 100;
constexpr std::uint32_t kReaders = 5;

// Somebody with write access and no manners.
class Scribbler {
 public:
  Scribbler(const std::string& path, std::uint64_t seed) : random_(seed) {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    size_ = std::filesystem::file_size(path);
    address_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (address_ == MAP_FAILED) std::abort();
  }
  ~Scribbler() { ::munmap(address_, size_); }
  Scribbler(const Scribbler&) = delete;
  Scribbler& operator=(const Scribbler&) = delete;

  // Some random bytes, or such as are likely to be believed, at a random place of the content.
  void scribble() {
    const std::uint64_t begin = internal::kRegionHeaderSize;
    const std::uint64_t word = begin + random_() % ((size_ - begin) / 8) * 8;
    const std::array<std::uint64_t, 6> likely{
        0, 1, ~std::uint64_t{0}, random_() % 64, (random_() % 1000) << 4, (random_() << 32) | 1};
    const bool wild = random_() % 2 == 0;
    const std::uint64_t value = wild ? random_() : likely[random_() % likely.size()];
    auto* place = reinterpret_cast<std::uint64_t*>(static_cast<char*>(address_) + word);
    // relaxed: a scribbler orders nothing.
    std::atomic_ref<std::uint64_t>(*place).store(value, std::memory_order_relaxed);
  }
  void scribble_over_everything() {
    for (std::uint64_t i = 0; i < size_ / 8; ++i) scribble();
  }
  [[nodiscard]] std::uint64_t pick(std::uint64_t below) { return random_() % below; }

 private:
  std::mt19937_64 random_;
  void* address_ = nullptr;
  std::uint64_t size_ = 0;
};

// One process's writer and readers, used in every way; any answer will do, if it is one.
class Users {
 public:
  Users(const Domain& domain, Findings& find, bool writes)
      : domain_(domain), find_(find), writes_(writes), role_(writes ? "viewer" : "") {
    reopen();
  }

  void use(std::uint64_t choice) {
    switch (choice % 8) {
      case 0:
        reopen();
        break;
      case 1:
        read_and_hold();
        break;
      case 2:
        copy_out();
        break;
      case 3:
        if (reader_) (void)reader_->wait_newer(Deadline::after(100us));
        break;
      case 4:
        look_from_outside();
        break;
      default:
        write();
        read();
    }
  }

  // How many values were read: a run that saw none has tried nothing.
  [[nodiscard]] int values() const { return values_; }

 private:
  void reopen() {
    held_ = PinnedBytes();
    (void)why_refused([&] {
      reader_.reset();
      reader_ = std::make_unique<LatestBytesReader>(domain_, "film", LatestOptions{.role = role_},
                                                    Inherited::resume);
      sequence_ = 0;
      check(reader_->resume());
    });
    if (!writes_) return;
    (void)why_refused([&] {
      writer_.reset();
      writer_ = std::make_unique<LatestBytesWriter>(domain_, "film", kPayload);
      find_.that(writer_->last().size() <= kPayload, "the last value fits");
    });
  }
  void check(const PinnedBytes& pinned) {
    if (!pinned) return;
    ++values_;
    find_.that(pinned.bytes().size() <= kPayload, "no value is larger than the channel takes");
    find_.that(pinned.sequence() >= sequence_, "numbers never go back");
    sequence_ = pinned.sequence();
    unsigned sum = 0;
    for (const std::byte byte : pinned.bytes()) sum += std::to_integer<unsigned>(byte);
    find_.that(sum <= 255 * kPayload, "every byte of it can be read");
  }
  void read() {
    if (reader_) check(reader_->acquire());
  }
  void read_and_hold() {
    if (!reader_) return;
    if (held_) (void)held_.refresh();
    if (!held_) held_ = reader_->acquire();
    check(held_);
  }
  void copy_out() {
    std::array<std::byte, kPayload> to{};
    std::uint64_t size = 0;
    if (!reader_) return;
    if (reader_->read_copy(to, size) == ReadAnswer::value) {
      find_.that(size <= kPayload, "a copy fits");
    }
  }
  void write() {
    if (!writer_) return;
    const std::array<std::byte, kPayload> value{};
    (void)writer_->write(value);
    auto draft = writer_->draft(kPayload / 2);
    if (!draft) return;
    std::memset(draft.bytes().data(), 1, draft.bytes().size());
    (void)draft.commit();
  }
  void look_from_outside() {
    if (reader_) (void)reader_->writer_liveness();
    if (writer_) (void)writer_->readers_joined();
    (void)latest_facts(domain_, "film");
    (void)why_refused([&] { (void)clean_domain(domain_, Roles::drop_vacant); });
  }

  Domain domain_;
  Findings& find_;
  bool writes_;
  std::string role_;
  std::unique_ptr<LatestBytesReader> reader_;
  std::unique_ptr<LatestBytesWriter> writer_;
  PinnedBytes held_;
  std::uint64_t sequence_ = 0;
  int values_ = 0;
};

void make_film(const Domain& domain) {
  LatestBytesWriter writer(domain, "film", kPayload, {.readers_max = kReaders});
  const std::array<std::byte, kPayload> value{};
  ASSERT_EQ(writer.write(value), WriteAnswer::committed);
}

TEST(HostileBytes, BetweenTheStepsOfAChannelGiveAnswers) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const ScratchDirectory scratch;
    make_film(scratch.domain());
    const Verdict verdict = in_own_process([&](Findings& find) {
      Scribbler scribbler(scratch.path() + "/film", seed);
      Users users(scratch.domain(), find, true);
      for (int step = 0; step < 1000; ++step) {
        for (std::uint64_t i = scribbler.pick(20); i > 0; --i) scribbler.scribble();
        users.use(scribbler.pick(1000));
      }
      find.that(users.values() > 0, "some values were read");
      scribbler.scribble_over_everything();
      for (std::uint64_t choice = 0; choice < 8; ++choice) users.use(choice);
    });
    ASSERT_EQ(verdict.failures, "") << "seed " << seed;
  }
}

// Reads once in peace, lets the vandal loose, and goes on; what is given up in the second half may
// never be had again.
void use_under_fire(Users& users, Signal& vandal_may_begin) {
  constexpr std::uint64_t kSteps = 4000;
  constexpr std::uint64_t kReopen = 0;
  constexpr std::uint64_t kWriteAndRead = 7;
  users.use(kWriteAndRead);
  vandal_may_begin.tell();
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    const std::uint64_t choice = step % 8;
    users.use(choice == kReopen && step < kSteps / 2 ? kWriteAndRead : choice);
  }
}

TEST(HostileBytes, WhileAWriterAndReadersAreAtItGiveAnswers) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const ScratchDirectory scratch;
    make_film(scratch.domain());
    Signal may_begin;
    Child vandal([&] {
      Scribbler scribbler(scratch.path() + "/film", seed);
      if (!may_begin.wait() || !may_begin.wait()) return 1;
      while (true) {
        scribbler.scribble();
        // Slow enough for some values to get through whole.
        for (std::uint64_t i = 0; i < 3000; ++i) (void)scribbler.pick(2);
      }
    });
    Child second_reader([&] {
      Findings find;
      Users users(scratch.domain(), find, false);
      use_under_fire(users, may_begin);
      return find.failures().empty() && users.values() > 0 ? 0 : 1;
    });
    const Verdict verdict = in_own_process([&](Findings& find) {
      Users users(scratch.domain(), find, true);
      use_under_fire(users, may_begin);
      find.that(users.values() > 0, "some values were read");
    });
    EXPECT_EQ(second_reader.wait(60s), 0) << "seed " << seed;
    vandal.kill();
    ASSERT_EQ(verdict.failures, "") << "seed " << seed;
  }
}

TEST(HostileBytes, OverTheTableOfNamedObjectsGiveErrorsOrObjectsInside) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain();
    const ObjectRegionOptions options{.bytes = 1024, .objects_max = 4};
    (void)ObjectRegion::create(domain, "world", options);
    const Verdict verdict = in_own_process([&](Findings& find) {
      auto world = ObjectRegion::open(domain, "world");
      Scribbler scribbler(scratch.path() + "/world", seed);
      for (int step = 0; step < 300; ++step) {
        scribbler.scribble();
        (void)why_refused([&] { (void)world.object_names(); });
        (void)why_refused([&] {
          const std::string name = "o" + std::to_string(scribbler.pick(6));
          world.find_or_create<Number>(name, Deadline::now())
              .fetch_add(1, std::memory_order_relaxed);
        });
      }
      find.that(!world.is_orphaned(), "the region is there");
    });
    ASSERT_EQ(verdict.failures, "") << "seed " << seed;
  }
}

// Only what a table of eight members holds: nobody allocates the rest because a stranger says so.
TEST(HostileBytes, OverTheMemberTableGiveErrorsOrMembers) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const ScratchDirectory scratch;
    const Domain domain = scratch.domain({.members_max = 8});
    make_film(domain);
    const Verdict verdict = in_own_process([&](Findings& find) {
      Scribbler scribbler(scratch.path() + "/.members", seed);
      for (int step = 0; step < 60; ++step) {
        for (std::uint64_t i = scribbler.pick(2000); i > 0; --i) scribbler.scribble();
        (void)why_refused([&] {
          const Member me = Member::join(domain);
          for (const MemberFacts& member : me.members()) (void)me.liveness(member.id);
          (void)me.reap_dead();
        });
        (void)why_refused([&] {
          LatestBytesReader reader(domain, "film");
          (void)reader.acquire();
          (void)reader.writer_liveness();
        });
        find.nothing(why_refused([&] { (void)list_objects(domain); }), "listing");
      }
    });
    ASSERT_EQ(verdict.failures, "") << "seed " << seed;
  }
}

// Where a member table has its words, seen from the beginning of the file.
constexpr std::uint64_t kTable = internal::kRegionHeaderSize;
constexpr std::uint64_t kRecords = kTable + internal::kRecordsOffset;

std::uint64_t allocated_bytes(const std::string& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

TEST(HostileBytes, InTheMemberTableMakeNobodyAllocateWhatNobodyUses) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  make_film(domain);
  const std::string path = scratch.path() + "/.members";
  constexpr std::uint32_t kMembers = 4096;
  internal::MemberRecord dead{};
  dead.state = internal::state_word(7, true);
  dead.attached_ready = internal::kAttachMax;
  const std::string record(reinterpret_cast<const char*>(&dead), sizeof dead);
  for (std::uint32_t i = 0; i < kMembers; ++i) patch(path, kRecords + i * sizeof dead, record);
  patch(path, kTable + offsetof(internal::TableHeader, records_ready),
        std::string(reinterpret_cast<const char*>(&kMembers), sizeof kMembers));
  const Verdict verdict = in_own_process([&](Findings& find) {
    LatestBytesReader reader(domain, "film");
    find.that(reader.acquire().sequence() == 1, "the value is there");
  });
  EXPECT_EQ(verdict.failures, "");
  EXPECT_LT(allocated_bytes(path), std::uint64_t{1} << 20);
}

TEST(HostileBytes, InAnAttachListLeadNobodyPastTheEndOfTheTable) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain({.members_max = 1});
  make_film(domain);
  const std::string path = scratch.path() + "/.members";
  const auto size = std::filesystem::file_size(path);
  const Verdict verdict = in_own_process([&](Findings& find) {
    const Member me = Member::join(domain);
    const std::uint32_t odd = internal::kAttachMax - 1;
    patch(path, kRecords + offsetof(internal::MemberRecord, attached_ready),
          std::string(reinterpret_cast<const char*>(&odd), sizeof odd));
    patch(path, size - internal::kListsSize, std::string(internal::kListsSize, 'x'));
    (void)why_refused([&] { LatestBytesReader reader(domain, "film"); });
    find.that(std::filesystem::file_size(path) == size, "the table has its size");
  });
  EXPECT_EQ(verdict.failures, "");
  EXPECT_EQ(why_refused([&] { LatestBytesReader reader(domain, "film"); }), "");
}

}  // namespace
}  // namespace kith
