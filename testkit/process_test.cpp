#include "testkit/process.hpp"

#include <csignal>
#include <cstdio>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace kith::testkit {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = 10s;

std::string sleep_for_ever(Mouth& mouth) {
  mouth.say("ready");
  for (;;) ::pause();
}

TEST(Process, SaysAndHears) {
  Process echo = Process::fork("echo", [](Mouth& mouth) -> std::string {
    mouth.say("ready");
    mouth.await("go", within(kSoon));
    mouth.say("value 17");
    return "";
  });
  EXPECT_EQ(echo.expect("ready", within(kSoon)), "");
  EXPECT_TRUE(echo.tell("go"));
  EXPECT_EQ(echo.next_word(within(kSoon)), "value 17");
  const Ending ending = echo.finish(within(kSoon));
  EXPECT_TRUE(ending.fine());
  EXPECT_EQ(ending.text(), "");
}

TEST(Process, TellsWhatCameInsteadOfTheExpectedWord) {
  Process other = Process::fork("other", [](Mouth& mouth) -> std::string {
    mouth.say("lost");
    return "";
  });
  EXPECT_EQ(other.expect("ready", within(kSoon)), "other was to say `ready`, but said `lost`");
  EXPECT_EQ(other.expect("ready", within(kSoon)),
            "other was to say `ready`, but said its last word");
  EXPECT_TRUE(other.finish(within(kSoon)).fine());
}

TEST(Process, ReturnsItsVerdict) {
  Process unhappy = Process::fork("unhappy", [](Mouth&) -> std::string { return "torn read"; });
  const Ending ending = unhappy.finish(within(kSoon));
  EXPECT_FALSE(ending.fine());
  EXPECT_EQ(ending.complaint, "torn read");
  EXPECT_EQ(ending.text(), "unhappy exited with status 1: torn read");
}

TEST(Process, TurnsAnExceptionIntoItsVerdict) {
  Process throwing = Process::fork(
      "throwing", [](Mouth&) -> std::string { throw std::runtime_error("two\nlines"); });
  EXPECT_EQ(throwing.finish(within(kSoon)).complaint, "threw: two lines");
}

TEST(Process, IsHeardToTheEndWhateverItSaysMeanwhile) {
  Process talker = Process::fork("talker", [](Mouth& mouth) -> std::string {
    for (int i = 0; i < 30'000; ++i) mouth.say("a word that nobody listens to");
    return "tired";
  });
  EXPECT_EQ(talker.finish(within(60s)).complaint, "tired");
}

TEST(Process, IsKilledAndReportedWhenItOutlivesItsDeadline) {
  Process sleeper = Process::fork("sleeper", sleep_for_ever);
  EXPECT_EQ(sleeper.expect("ready", within(kSoon)), "");
  const Ending ending = sleeper.finish(within(50ms));
  EXPECT_EQ(ending.how, Ending::How::hung);
  EXPECT_EQ(ending.text(), "sleeper hung and was killed");
  EXPECT_EQ(::kill(sleeper.pid(), 0), -1) << "it is gone";
}

TEST(Process, EndsAtTheHandOfTheTest) {
  Process victim = Process::fork("victim", sleep_for_ever);
  EXPECT_EQ(victim.expect("ready", within(kSoon)), "");
  const Ending ending = victim.kill();
  EXPECT_EQ(ending.how, Ending::How::signalled);
  EXPECT_EQ(ending.status, SIGKILL);
  EXPECT_FALSE(victim.running());
  EXPECT_FALSE(victim.tell("hello")) << "and talking to the dead is an answer";
  EXPECT_FALSE(victim.stop());
}

// Method: what the process did before it was stopped is in the pipe; then it must stay silent.
TEST(Process, SaysNothingWhileStoppedAndGoesOnAfterwards) {
  Process echo = Process::fork("echo", [](Mouth& mouth) -> std::string {
    mouth.say("ready");
    while (const auto word = mouth.hear(within(kSoon))) {
      if (*word == "end") return "";
      mouth.say(*word);
    }
    return "nothing more was said";
  });
  EXPECT_EQ(echo.expect("ready", within(kSoon)), "");
  EXPECT_TRUE(echo.stop());
  EXPECT_TRUE(echo.tell("one"));
  EXPECT_EQ(echo.next_word(within(50ms)), std::nullopt);
  echo.resume();
  EXPECT_EQ(echo.next_word(within(kSoon)), "one");
  EXPECT_TRUE(echo.tell("end"));
  EXPECT_EQ(echo.finish(within(kSoon)).text(), "");
}

TEST(Process, DiesWithItsHandle) {
  pid_t pid = -1;
  {
    Process sleeper = Process::fork("sleeper", sleep_for_ever);
    EXPECT_EQ(sleeper.expect("ready", within(kSoon)), "");
    pid = sleeper.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

// Method: a child that has a child dies without a chance to clean up; the grandchild's end of the
// pipe closes only when it is dead too.
TEST(Process, DiesWithTheProcessThatStartedIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Process parent = Process::fork("parent", [&ends](Mouth& mouth) -> std::string {
    Process child = Process::fork("child", sleep_for_ever);
    const std::string complaint = child.expect("ready", within(kSoon));
    ::close(ends[1]);
    mouth.say("ready");
    for (;;) ::pause();
    return complaint;
  });
  ::close(ends[1]);
  EXPECT_EQ(parent.expect("ready", within(kSoon)), "");
  (void)parent.kill();
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "the end of the pipe: nobody holds it any more";
  ::close(ends[0]);
}

TEST(Process, WritesNothingTwice) {
  char path[] = "/tmp/kith-testkit-XXXXXX";
  const int descriptor = ::mkstemp(path);
  ASSERT_GE(descriptor, 0);
  std::FILE* file = ::fdopen(descriptor, "w");
  ASSERT_NE(file, nullptr);
  std::fputs("once", file);
  Process child = Process::fork("child", [](Mouth&) -> std::string { return ""; });
  EXPECT_TRUE(child.finish(within(kSoon)).fine());
  std::fclose(file);
  std::FILE* written = std::fopen(path, "r");
  char text[16] = {};
  const std::size_t size = std::fread(text, 1, sizeof text - 1, written);
  std::fclose(written);
  ::unlink(path);
  EXPECT_EQ(std::string(text, size), "once");
}

TEST(Process, RunsAProgramAndTalksThroughItsStandardInputAndOutput) {
  Process cat = Process::start("cat", {"cat", {}, {}});
  EXPECT_TRUE(cat.tell("hello"));
  EXPECT_EQ(cat.next_word(within(kSoon)), "hello");
  EXPECT_EQ(cat.kill().how, Ending::How::signalled);

  Process shell =
      Process::start("shell", {"sh", {"-c", "echo $GREETING; exit 3"}, {{"GREETING", "hi"}}});
  EXPECT_EQ(shell.expect("hi", within(kSoon)), "");
  EXPECT_EQ(shell.finish(within(kSoon)).text(), "shell exited with status 3");
}

TEST(Process, SaysThatAProgramCannotBeStarted) {
  Process nothing = Process::start("nothing", {"/nonexistent/program", {}, {}});
  const std::string text = nothing.finish(within(kSoon)).text();
  EXPECT_NE(text.find("cannot be started: /nonexistent/program"), std::string::npos) << text;
}

// Method: main() below plays the role.
TEST(Process, PlaysARoleInAFreshRunOfThisProgram) {
  Process fresh = Process::again("fresh", "adder", {"20", "22"});
  EXPECT_EQ(fresh.expect("42", within(kSoon)), "");
  EXPECT_EQ(fresh.finish(within(kSoon)).text(), "");

  Process unknown = Process::again("unknown", "nobody");
  EXPECT_EQ(unknown.finish(within(kSoon)).complaint, "no role is called nobody");
}

TEST(Process, GivesOneVerdictForACrew) {
  std::vector<Process> crew;
  crew.push_back(Process::fork("good", [](Mouth&) -> std::string { return ""; }));
  EXPECT_EQ(verdict(crew, within(kSoon)), "");
  crew.push_back(Process::fork("bad", [](Mouth&) -> std::string { return "empty"; }));
  crew.push_back(Process::fork("worse", [](Mouth&) -> std::string {
    ::raise(SIGKILL);
    return "";
  }));
  EXPECT_EQ(verdict(crew, within(kSoon)),
            "bad exited with status 1: empty\nworse was ended by signal 9 (Killed)");
}

std::string add(Mouth& mouth, std::span<const std::string> arguments) {
  mouth.say(std::to_string(std::stoi(arguments[0]) + std::stoi(arguments[1])));
  return "";
}

}  // namespace
}  // namespace kith::testkit

int main(int count, char** arguments) {
  if (const auto status = kith::testkit::play(count, arguments, {{"adder", kith::testkit::add}})) {
    return *status;
  }
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
