// The command over hostile bytes: `kith ls`, `show`, `members`, `locks` and `clean` look at domains
// with wrong fields, overwritten bytes and files cut short. Each run ends with a documented exit
// code, in time, and writes nothing that disturbs a terminal.
#include "tests/support/command.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/hostile/execution.hpp"
#include "tests/hostile/mutator.hpp"
#include "tests/hostile/seeds.hpp"

namespace kith::hostile {

static void PrintTo(Kind kind, std::ostream* out) {
  *out << name_of(kind);
}

namespace {

using tests::Ran;

constexpr int kExitMax = 4;  // of docs/command.md

bool disturbs(char c) {
  return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f';
}

// Of each kind, half of them seeds. A program under sanitizers takes 15 times as long to begin.
#if defined(__SANITIZE_ADDRESS__)
constexpr int kSpoilings = 16;
#else
constexpr int kSpoilings = 48;
#endif

// What is to be done to the files before anybody looks; no operation of the library's.
Script only_spoiling(Script script) {
  std::erase_if(script.steps, [](const Step& step) {
    return step.deed == Deed::call || step.deed == Deed::flip || step.deed == Deed::cut_meanwhile;
  });
  return script;
}

// Some of the seeds, evenly, and mutations of them that cut as well.
std::vector<Script> spoilings(const World& world, Kind kind) {
  constexpr std::size_t kSeeds = kSpoilings / 2;
  const std::vector<Script> seeds = seeds_of(world, kind);
  std::vector<Script> scripts;
  for (std::size_t i = 0; i < kSeeds; ++i) {
    scripts.push_back(only_spoiling(seeds[i * seeds.size() / kSeeds]));
  }
  Mutator mutator(world, Target::truncation, 20261121);
  while (scripts.size() < kSpoilings) {
    Script script = only_spoiling(mutator.from(seeds));
    if (script.kind == kind && !script.steps.empty()) scripts.push_back(std::move(script));
  }
  return scripts;
}

class HostileCommandTest : public ::testing::TestWithParam<Kind> {
 protected:
  // Not documented: any other number, one that the shell makes of a signal, 124 of `timeout`.
  void look(const std::string& arguments, const Script& script) {
    const Ran ran = command_.run(arguments + " --domain " + stage_.world().path(), "timeout 20");
    const auto about = [&] { return "kith " + arguments + "\n" + text_of(script) + ran.err; };
    EXPECT_GE(ran.status, 0) << about();
    EXPECT_LE(ran.status, kExitMax) << about();
    EXPECT_NE(ran.status, 2) << about();  // the arguments make sense
    EXPECT_FALSE(ran.complained("Sanitizer") || ran.complained("runtime error")) << about();
    EXPECT_EQ(std::count_if(ran.out.begin(), ran.out.end(), disturbs), 0) << about();
    EXPECT_EQ(std::count_if(ran.err.begin(), ran.err.end(), disturbs), 0) << about();
    EXPECT_FALSE(ran.out.empty() && ran.err.empty() && ran.status != 0) << about();
    ++(ran.status == 0 ? answered_ : refused_);
  }

  Stage stage_{Target::truncation};
  tests::Command command_;
  int answered_ = 0;
  int refused_ = 0;
};

TEST_P(HostileCommandTest, AnswersWhateverStandsInTheFiles) {
  const std::vector<Script> scripts = spoilings(stage_.world(), GetParam());
  for (const Script& script : scripts) {
    stage_.run(script);
    look("ls --json", script);
    look("show it", script);
    look("members", script);
    look("locks", script);
    look("clean --roles", script);
  }
  EXPECT_EQ(answered_ + refused_, 5 * kSpoilings);
  EXPECT_GT(answered_, kSpoilings);
  EXPECT_GT(refused_, 0);
}

INSTANTIATE_TEST_SUITE_P(AllKinds, HostileCommandTest,
                         ::testing::Values(Kind::channel, Kind::guests, Kind::objects, Kind::type,
                                           Kind::bytes, Kind::mutex, Kind::cell, Kind::permits,
                                           Kind::rw_lock, Kind::guarded, Kind::barrier,
                                           Kind::cells),
                         [](const auto& param) { return std::string(name_of(param.param)); });

}  // namespace
}  // namespace kith::hostile
