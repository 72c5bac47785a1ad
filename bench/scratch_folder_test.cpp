#include "bench/scratch_folder.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>

#include "testkit/process.hpp"

namespace kith::bench {
namespace {

using namespace std::chrono_literals;
using testkit::Mouth;
using testkit::Process;
using testkit::within;

void put_something_in(const std::string& folder) {
  std::ofstream(folder + "/a file") << "with something in it";
}

TEST(ScratchFolder, IsThereAndEmptyAndThenGone) {
  std::string path;
  {
    const ScratchFolder folder;
    path = folder.path();
    EXPECT_TRUE(std::filesystem::is_empty(path));
    put_something_in(path);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ScratchFolder, IsGoneAlsoIfWhoMadeItIsKilled) {
  Process maker = Process::fork("maker", [](Mouth& mouth) -> std::string {
    const ScratchFolder folder;
    put_something_in(folder.path());
    mouth.say(folder.path());
    mouth.await("the end, which never comes", within(60s));
    return "";
  });
  const auto path = maker.next_word(within(10s));
  ASSERT_TRUE(path);
  EXPECT_TRUE(std::filesystem::exists(*path));
  maker.kill();
  // The keeper is nobody's child now: there is nothing to wait for but its deed.
  const auto patience = within(10s);
  while (std::filesystem::exists(*path) && std::chrono::steady_clock::now() < patience) {
    ::sched_yield();
  }
  EXPECT_FALSE(std::filesystem::exists(*path));
}

}  // namespace
}  // namespace kith::bench
