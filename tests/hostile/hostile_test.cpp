// Hostile bytes, the short form of it that every test run has: all seeds, the corpus, some hundred
// mutations; whether those who judge can see; and each defect that was found this way.
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "kith/inspect/internal/look.hpp"
#include "kith/inspect/internal/member_table.hpp"
#include "kith/inspect/object.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/region/internal/object_table.hpp"

#include "tests/hostile/driver.hpp"
#include "tests/hostile/mutator.hpp"
#include "tests/hostile/operations.hpp"
#include "tests/hostile/seeds.hpp"
#include "tests/hostile/shared_pages.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::hostile {

// For the names of tests in the lists of their results.
static void PrintTo(Kind kind, std::ostream* out) {
  *out << name_of(kind);
}
static void PrintTo(Target target, std::ostream* out) {
  *out << name_of(target);
}

namespace {

using tests::Findings;
using tests::in_own_process;
using tests::patch;
using tests::ScratchDirectory;
using tests::Verdict;

std::string findings_of(const Result& result) {
  std::string text;
  for (const Finding& finding : result.findings) text += finding.how + "\n" + finding.text + "\n";
  return text;
}

template <class Number>
std::string as_bytes(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

class HostileKindTest : public ::testing::TestWithParam<Kind> {};

TEST_P(HostileKindTest, EveryByteOfItsFilesIsDescribedOnce) {
  const World world;
  ASSERT_FALSE(world.images(GetParam()).empty());
  for (const FileImage& image : world.images(GetParam())) {
    EXPECT_EQ(why_not_covering(image.places, image.size), "");
  }
}

TEST_P(HostileKindTest, OneFieldWrongGivesAnswersWhicheverItIs) {
  Stage stage(Target::operations);
  const std::vector<Script> seeds = seeds_of(stage.world(), GetParam());
  const Result result = run_all("seeds", stage, each_of(seeds));
  EXPECT_EQ(findings_of(result), "");
  EXPECT_EQ(result.tried, seeds.size());
  EXPECT_GT(seeds.size(), 100u);
  EXPECT_GT(result.books.refusals, 0u);
  EXPECT_GT(result.books.steps, result.books.refusals);
}

TEST_P(HostileKindTest, NothingWrongIsRefusedNothing) {
  Stage stage(Target::operations);
  const std::vector<Script> usual{usual_script(GetParam())};
  const Result result = run_all("usual", stage, each_of(usual));
  EXPECT_EQ(findings_of(result), "");
  // A memory of one type is also opened as another.
  EXPECT_EQ(result.books.refusals, is_memory(GetParam()) ? 1u : 0u) << result.detail;
  EXPECT_EQ(result.books.damaged, 0u);
  const bool is_channel = GetParam() == Kind::channel || GetParam() == Kind::guests;
  EXPECT_EQ(result.books.values > 0, is_channel);
  EXPECT_EQ(result.books.writes > 0, is_channel);
  const bool has_lock = GetParam() >= Kind::mutex;
  EXPECT_EQ(result.books.locks > 0, has_lock);
}

INSTANTIATE_TEST_SUITE_P(AllKinds, HostileKindTest,
                         ::testing::Values(Kind::channel, Kind::guests, Kind::objects, Kind::type,
                                           Kind::bytes, Kind::memory_type, Kind::memory_bytes,
                                           Kind::sealed_type, Kind::sealed_bytes, Kind::mutex,
                                           Kind::cell, Kind::waits, Kind::permits, Kind::rw_lock,
                                           Kind::guarded, Kind::guarded_bytes, Kind::once,
                                           Kind::barrier, Kind::cells),
                         [](const auto& param) { return std::string(name_of(param.param)); });

class HostileTargetTest : public ::testing::TestWithParam<Target> {
 protected:
  static std::vector<Script> corpus() {
    std::vector<Script> scripts;
    for (const auto& entry : std::filesystem::directory_iterator(KITH_HOSTILE_CORPUS)) {
      std::ifstream file(entry.path());
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      scripts.push_back(script_from_text(text));
    }
    return scripts;
  }
};

TEST_P(HostileTargetTest, WhatWasFoundOnceIsAnswered) {
  Stage stage(GetParam());
  const std::vector<Script> scripts = corpus();
  const Result result = run_all("corpus", stage, each_of(scripts));
  EXPECT_EQ(findings_of(result), "");
  EXPECT_EQ(result.tried, scripts.size());
  EXPECT_GE(scripts.size(), 3u);
}

TEST_P(HostileTargetTest, SomeMutationsAreAnswered) {
  constexpr std::uint64_t kRuns = 400;
  Stage stage(GetParam());
  std::vector<Script> pool;
  for (std::uint8_t kind = 0; kind < kKinds; ++kind) {
    const auto seeds = seeds_of(stage.world(), static_cast<Kind>(kind));
    pool.insert(pool.end(), seeds.begin(), seeds.end());
  }
  const Result result = run_all(
      "mutations", stage,
      mutations_of(pool, stage.world(), GetParam(), 20261121, {.runs = kRuns, .seconds = 0}));
  EXPECT_EQ(findings_of(result), "");
  EXPECT_EQ(result.tried, kRuns);
  EXPECT_GT(result.books.values, 0u);
  EXPECT_GT(result.books.refusals, 0u);
}

INSTANTIATE_TEST_SUITE_P(AllTargets, HostileTargetTest, ::testing::ValuesIn(kTargets),
                         [](const auto& param) { return std::string(name_of(param.param)); });

// ---- whether those who judge can see ----

TEST(HostileScript, IsTheSameAsTextAndAsBytes) {
  const World world;
  Mutator mutator(world, Target::truncation, 1);
  const std::vector<Script> seeds = seeds_of(world, Kind::guests);
  for (int i = 0; i < 500; ++i) {
    const auto bytes = bytes_of(script_from(bytes_of(mutator.from(seeds))));
    const Script script = script_from(bytes);
    EXPECT_EQ(bytes_of(script_from_text(text_of(script))), bytes);
  }
  EXPECT_THROW((void)script_from_text("kind nothing"), std::runtime_error);
  EXPECT_THROW((void)script_from_text("call nothing 0"), std::runtime_error);
  EXPECT_THROW((void)script_from_text("poke 0 0 3 1"), std::runtime_error);
  EXPECT_THROW((void)script_from_text("poke 0 0 8 1 more"), std::runtime_error);
}

TEST(HostileDriver, MakesTheSameMutationsOfTheSameSeed) {
  const World world;
  const std::vector<Script> seeds = seeds_of(world, Kind::channel);
  const auto source = [&](std::uint64_t seed) {
    return mutations_of(seeds, world, Target::flips, seed, {.runs = 10, .seconds = 0});
  };
  bool all_same = true;
  for (std::uint64_t number = 0; number < 10; ++number) {
    const auto bytes = bytes_of(*source(5)(number));
    EXPECT_EQ(bytes, bytes_of(*source(5)(number)));
    all_same = all_same && bytes == bytes_of(*source(6)(number));
  }
  EXPECT_FALSE(all_same);
  EXPECT_FALSE(source(5)(10).has_value());
}

TEST(HostileDriver, CountsEachDeathAndRunsTheRest) {
  Stage stage(Target::operations);
  const Script usual = usual_script(Kind::type);
  const Result result =
      run_all("deaths", stage, [&](std::uint64_t number) -> std::optional<Script> {
        if (number == 3 || number == 5) std::raise(SIGKILL);
        if (number == 7) return std::nullopt;
        return usual;
      });
  EXPECT_EQ(result.failed, 2u);
  EXPECT_EQ(result.tried, 7u);
  EXPECT_EQ(result.books.executions, 5u);
  ASSERT_EQ(result.findings.size(), 2u);
  EXPECT_NE(result.findings[0].how.find("signal 9"), std::string::npos);
  EXPECT_FALSE(result.fine());
}

void throw_another(Actors&, std::uint8_t) {
  throw std::logic_error("not one of kith's");
}
void throw_ours(Actors&, std::uint8_t) {
  throw Error(Errc::damaged, {.object = "it", .expected = {}, .found = {}, .remedy = {}});
}
void throw_nameless(Actors&, std::uint8_t) {
  throw Error(Errc::damaged, {.object = {}, .expected = "x", .found = {}, .remedy = {}});
}
void throw_garbage(Actors&, std::uint8_t) {
  throw Error(Errc::damaged, {.object = "it", .expected = {}, .found = "\x1b[2J", .remedy = {}});
}

TEST(HostileJudge, TakesErrorsOfOursAndNothingElse) {
  World world;
  const auto verdict_on = [&](void (*operation)(Actors&, std::uint8_t)) {
    return in_own_process([&](Findings&) {
             world.begin(Kind::type);
             Books books;
             Actors actors(world, books);
             call({"tried", operation}, actors, 0);
           })
        .failures;
  };
  EXPECT_EQ(verdict_on(throw_ours), "");
  EXPECT_NE(verdict_on(throw_another), "");
  EXPECT_NE(verdict_on(throw_nameless), "");
  EXPECT_NE(verdict_on(throw_garbage), "");
}

TEST(HostileVandal, HasItsTurnBetweenEveryTwoLooksAtSharedBytes) {
  if (!can_watch_pages()) GTEST_SKIP() << "single accesses cannot be watched on this processor";
  World world;
  const Verdict verdict = in_own_process([&](Findings& find) {
    constexpr int kLooks = 64;
    world.begin(Kind::bytes);
    const auto region = Region<>::open(world.domain(), kObject);
    const auto& word = *reinterpret_cast<const std::uint64_t*>(region.bytes().data());
    Step step;
    step.deed = Deed::flip;
    step.offset = internal::kRegionHeaderSize;
    step.value = 7;
    int differed = 0;
    bool others = false;
    const auto look = [&] {
      differed = 0;
      for (int i = 0; i < kLooks; ++i) {
        const std::uint64_t first = load_once(word);
        const std::uint64_t second = load_once(word);
        differed += first != second ? 1 : 0;
        others = others || (first != 0 && first != 7);
      }
    };
    look();
    find.that(differed == 0, "nothing changes before");
    TurnVandal::begin(world, step);
    look();
    TurnVandal::end();
    find.that(differed > kLooks / 4, "what is looked at twice differs");
    look();
    find.that(differed == 0, "nothing changes after");
    find.that(!others, "it is one value or the other");
  });
  EXPECT_EQ(verdict.failures, "");
}

TEST(HostileGuardPages, EndWhoReadsBeyondAMapping) {
  constexpr std::uint64_t kPage = 4096;
  const ScratchDirectory scratch;
  const std::string path = scratch.in("file");
  tests::put_bytes(path, std::string(3 * kPage, 'x'));
  const auto verdict_on = [&](std::ptrdiff_t offset) {
    return in_own_process([&](Findings& find) {
             const os::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
             const auto below = os::Mapping::of_file(file, 3 * kPage, os::Access::read_only);
             const auto mapping = os::Mapping::of_file(file, kPage, os::Access::read_only);
             const auto above = os::Mapping::of_file(file, 3 * kPage, os::Access::read_only);
             const volatile std::byte* begin = mapping.value.data();
             find.that(begin[offset] == std::byte{'x'}, "the byte is there");
           })
        .failures;
  };
  EXPECT_EQ(verdict_on(0), "");
  EXPECT_EQ(verdict_on(4095), "");
  EXPECT_NE(verdict_on(-1), "");
  EXPECT_NE(verdict_on(4096), "");
}

// ---- what was found ----

// A guest may write the seats of a channel and nothing else; `kith clean` touched them unguarded.
TEST(HostileGuest, EndsNobodyByCuttingItsSeatsShort) {
  World world;
  constexpr std::size_t kSeats = 3;
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{4096}}) {
    for (const Operation& operation : operations()) {
      // A process each: the guard against truncation, once installed, stays.
      const Verdict verdict = in_own_process([&](Findings& find) {
        world.begin(Kind::guests);
        find.that(::ftruncate(world.file(kSeats), static_cast<off_t>(size)) == 0, "cut short");
        Books books;
        Actors actors(world, books);
        call(operation, actors, 0);
        call(operation, actors, 1);
      });
      EXPECT_EQ(verdict.failures, "") << operation.name << ", " << size;
    }
  }
}

// Each was shown with an attach list of its full length in memory: 8 GiB for 65535 members, whom a
// stranger invents in 8 MiB.
TEST(HostileMemberTable, TakesNoMemoryForListsThatAreHoles) {
  const ScratchDirectory scratch;
  constexpr std::uint32_t kMembers = 1000;
  const Domain domain = scratch.domain({.members_max = kMembers});
  const Member member = Member::join(domain);  // or the table would go with the last one
  const std::string path = scratch.path() + "/.members";
  constexpr std::uint64_t kTable = internal::kRegionHeaderSize;
  internal::MemberRecord record{};
  record.state = internal::state_word(7, true);
  record.attached_ready = internal::kAttachMax;
  std::string records;
  for (std::uint32_t i = 0; i < kMembers; ++i) {
    records.append(reinterpret_cast<const char*>(&record), sizeof record);
  }
  patch(path, kTable + internal::kRecordsOffset, records);
  patch(path, kTable + offsetof(internal::TableHeader, records_ready), as_bytes(kMembers));
  const internal::Look look(domain.open(), internal::kMembersName, "the table");
  const auto entries = internal::read_members(look, "the table");
  EXPECT_EQ(entries.size(), kMembers);
  std::size_t taken = 0;
  for (const internal::TableEntry& entry : entries) taken += entry.attached.capacity();
  EXPECT_EQ(taken, 0u);
}

// `kith show` of a file of holes that claims four thousand million objects took all memory, or ten
// minutes, whichever came first.
TEST(HostileObjects, AreNotMoreThanThereCanBe) {
  const ScratchDirectory scratch;
  const Domain domain = scratch.domain();
  (void)ObjectRegion::create(domain, "world", {.bytes = 64, .objects_max = 4});
  const std::string path = scratch.path() + "/world";
  constexpr std::uint64_t kSize = std::uint64_t{1} << 44;
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(kSize)), 0);
  using internal::RegionHeader;
  patch(path, offsetof(RegionHeader, size), as_bytes(kSize));
  patch(path, offsetof(RegionHeader, content_size), as_bytes(kSize - internal::kRegionHeaderSize));
  patch(path, offsetof(RegionHeader, geometry), as_bytes(kSize / 256));
  patch(path, internal::kRegionHeaderSize, as_bytes(~std::uint32_t{0}));
  const Verdict verdict = in_own_process([&](Findings& find) {
    const auto view = object_view(domain, "world");
    find.that(view && view->facts.problem.empty(), "it can be looked at");
    find.that(view->named.size() <= internal::kObjectsMaxMax, "no more than there can be");
  });
  EXPECT_EQ(verdict.failures, "");
}

}  // namespace
}  // namespace kith::hostile
