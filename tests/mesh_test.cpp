// The mesh as a newcomer meets it: the command itself, as real processes, each in a domain of its
// own.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>
#include <string>
#include <termios.h>
#include <unistd.h>
#include <vector>

#include "kith/inspect/members.hpp"
#include "kith/region/domain.hpp"

#include "testkit/process.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith::tests {
namespace {

using namespace std::chrono_literals;
using testkit::Ending;
using testkit::Process;
using testkit::TimePoint;
using testkit::within;

constexpr auto kPatience = 60s;  // against hangs only

// A command line of `kith`, its output and its input. Complaints are heard like everything else.
class Kith {
 public:
  explicit Kith(const std::string& arguments, const std::string& before = "exec",
                const std::string& redirect = "2>&1")
      : process_(Process::start(
            "kith " + arguments,
            {.path = "sh",
             .arguments = {"-c", before + " '" KITH_COMMAND "' " + arguments + " " + redirect},
             .extra = {}})) {}

  void type(const std::string& keys) { EXPECT_TRUE(process_.tell(keys)); }
  void signal(int number) const { EXPECT_EQ(::kill(process_.pid(), number), 0); }
  // The supervisor and all its processes at once; they must be a group of their own.
  void signal_group(int number) const { EXPECT_EQ(::kill(-process_.pid(), number), 0); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  // Listens until a line contains `words`; that line, or "" if the output ended or took too long.
  std::string hear(const std::string& words) {
    const TimePoint until = within(kPatience);
    while (auto line = process_.next_word(until)) {
      lines_.push_back(*line);
      if (line->find(words) != std::string::npos) return *line;
    }
    return {};
  }
  // Listens until nobody is left who could say anything.
  void hear_out() {
    const TimePoint until = within(kPatience);
    while (auto line = process_.next_word(until)) lines_.push_back(*line);
    EXPECT_LT(std::chrono::steady_clock::now(), until) << "somebody still runs";
  }
  // Everything to the end, and the exit status.
  int finish() {
    hear_out();
    const Ending ending = process_.finish(within(kPatience));
    EXPECT_EQ(ending.how, Ending::How::exited) << ending.text();
    return ending.status;
  }

  [[nodiscard]] bool said(const std::string& line) const {
    return std::find(lines_.begin(), lines_.end(), line) != lines_.end();
  }
  // The number at the end of the last line that begins with `words`; 0 if there is none.
  [[nodiscard]] std::uint64_t last_number(const std::string& words) const {
    for (auto line = lines_.rbegin(); line != lines_.rend(); ++line) {
      if (line->starts_with(words)) return std::stoull(line->substr(line->rfind(' ') + 1));
    }
    return 0;
  }
  // A number of the summary, as in "torn reads 0"; -1 if it is not there.
  [[nodiscard]] long tally(const std::string& what) const {
    for (const std::string& line : lines_) {
      const auto at = line.find(what + " ");
      if (!line.starts_with("mesh: kills ") || at == std::string::npos) continue;
      return std::stol(line.substr(at + what.size() + 1));
    }
    return -1;
  }
  [[nodiscard]] std::string all() const {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  Process process_;
  std::vector<std::string> lines_;
};

void expect_balance(const Kith& mesh) {
  EXPECT_EQ(mesh.tally("torn reads"), 0) << mesh.all();
  EXPECT_EQ(mesh.tally("went backwards"), 0) << mesh.all();
  EXPECT_EQ(mesh.tally("slots leaked"), 0) << mesh.all();
}

class Mesh : public testing::Test {
 protected:
  [[nodiscard]] std::string in_scratch() const { return " --domain " + scratch_.path(); }
  [[nodiscard]] std::string brisk() const { return " --pause 5..20" + in_scratch(); }
  // The last word of the killed comes before their end, which takes as long as freeing memory does.
  void await_deaths() const {
    const TimePoint until = within(kPatience);
    const auto lives = [](const MemberView& member) {
      return member.facts.liveness == Liveness::alive;
    };
    for (auto members = list_members(scratch_.domain());
         std::any_of(members.begin(), members.end(), lives);
         members = list_members(scratch_.domain())) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "somebody still lives";
    }
  }
  void expect_nothing_left() const { EXPECT_TRUE(scratch_.is_empty()) << listing(); }

  ScratchDirectory scratch_;

 private:
  [[nodiscard]] std::string listing() const {
    Kith list("ls" + in_scratch());
    list.hear_out();
    return list.all();
  }
};

TEST_F(Mesh, PrintsTheLinesOfTheSeed) {
  Kith mesh("mesh 3" + brisk());
  EXPECT_EQ(mesh.hear("0: write 5"), "0: write 5");
  mesh.type("q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  for (const char* line : {"0: write 1", "1: write 1", "2: write 1", "0: ready", "1: ready",
                           "2: ready", "mesh: 3 processes in "}) {
    EXPECT_NE(mesh.all().find(line), std::string::npos) << line << "\n" << mesh.all();
  }
  for (const char* reader :
       {"0: read info from 1: ", "1: read info from 2: ", "2: read info from 0: "}) {
    EXPECT_GT(mesh.last_number(reader), 0u) << mesh.all();
  }
  // Who comes first finds nothing.
  EXPECT_NE(mesh.all().find(": empty\n"), std::string::npos) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();
}

TEST_F(Mesh, KeysThroughAPipeKillAProcessAndStartItAgain) {
  Kith mesh("mesh 3" + brisk());
  ASSERT_EQ(mesh.hear("1: write 3"), "1: write 3");
  // It must have read a value, not just "empty", to have something that it can read again.
  while (mesh.last_number("1: read info from 0: ") == 0) {
    ASSERT_NE(mesh.hear("1: read info from 0: "), "") << mesh.all();
  }
  mesh.type("1");
  ASSERT_EQ(mesh.hear("process 1 killed"), "mesh: process 1 killed");
  ASSERT_NE(mesh.hear("0: write"), "");
  const auto before = mesh.last_number("1: write ");
  mesh.type("1");
  ASSERT_EQ(mesh.hear("process 1 started again"), "mesh: process 1 started again");
  // It can read again what it held, which it may say before the supervisor says that it started,
  // and goes on counting after its own last committed value.
  EXPECT_NE(mesh.hear("1: write "), "") << mesh.all();
  EXPECT_NE(mesh.all().find("1: read again info from "), std::string::npos) << mesh.all();
  EXPECT_GT(mesh.last_number("1: write "), before) << mesh.all();
  mesh.type("q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  EXPECT_EQ(mesh.tally("kills"), 1) << mesh.all();
  EXPECT_EQ(mesh.tally("restarts"), 1) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();
}

TEST_F(Mesh, NumbersOfSeveralDigitsNeedEnter) {
  Kith mesh("mesh 12 --quiet" + brisk());
  ASSERT_NE(mesh.hear("11: ready"), "") << mesh.all();
  mesh.type("11");
  EXPECT_EQ(mesh.hear("killed"), "mesh: process 11 killed");
  mesh.type("12");
  EXPECT_EQ(mesh.hear("no process"), "mesh: there is no process 12, only 0 to 11");
  mesh.type("q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();
}

TEST_F(Mesh, WithoutInputRunsUntilItsTimeIsOver) {
  Kith mesh("mesh 2 --seconds 0.5 < /dev/null" + brisk());
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  EXPECT_GT(mesh.tally("writes"), 0) << mesh.all();
  expect_nothing_left();
}

TEST_F(Mesh, AsJsonSumsUpAndSpeaksOnStandardErrorAlone) {
  Kith mesh("mesh 2 --json --seconds 0.5 < /dev/null" + brisk(), "exec", "2> /dev/null");
  EXPECT_EQ(mesh.finish(), 0);
  EXPECT_TRUE(mesh.all().starts_with("{\n") && mesh.all().ends_with("}\n")) << mesh.all();
  for (const char* key : {"\"writes\": ", "\"torn_reads\": 0,", "\"fine\": true"}) {
    EXPECT_NE(mesh.all().find(key), std::string::npos) << key << "\n" << mesh.all();
  }
  expect_nothing_left();
}

TEST_F(Mesh, ASignalEndsItInGoodOrder) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    Kith mesh("mesh 3 < /dev/null" + brisk());
    ASSERT_NE(mesh.hear("2: write 2"), "") << mesh.all();
    mesh.signal(signal);
    EXPECT_EQ(mesh.finish(), 0) << mesh.all();
    expect_balance(mesh);
    expect_nothing_left();
  }
}

TEST_F(Mesh, ChaosLeavesNothingTornNothingOlderAndNothingLeaked) {
  for (const char* size : {"8", "4000", "200KiB"}) {
    Kith mesh("mesh 5 --chaos 15 --seconds 1.5 --quiet < /dev/null --size " + std::string(size) +
              in_scratch());
    EXPECT_EQ(mesh.finish(), 0) << mesh.all();
    EXPECT_GT(mesh.tally("kills"), 0) << mesh.all();
    EXPECT_GT(mesh.tally("writes"), 0) << mesh.all();
    EXPECT_GT(mesh.tally("reads"), 0) << mesh.all();
    expect_balance(mesh);
    expect_nothing_left();
  }
}

TEST_F(Mesh, AKilledSupervisorLeavesNothingBehind) {
  Kith mesh("mesh 4 --chaos 50 < /dev/null" + brisk());
  ASSERT_NE(mesh.hear("3: write 5"), "") << mesh.all();
  mesh.signal(SIGKILL);
  mesh.hear_out();  // its processes notice, and end
  expect_nothing_left();
}

// More than a process opens before it begins: channels are opened when they are first read.
TEST_F(Mesh, OfManyProcessesIsAsSoundAsOneOfFew) {
  Kith mesh("mesh 80 --chaos 20 --seconds 1.5 --quiet < /dev/null" + in_scratch());
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  EXPECT_GT(mesh.tally("kills"), 0) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();

  Kith killed("mesh 80 --chaos 20 --quiet < /dev/null" + in_scratch());
  ASSERT_NE(killed.hear("started again"), "") << killed.all();
  killed.signal(SIGKILL);
  killed.hear_out();
  expect_nothing_left();
}

TEST_F(Mesh, RemovedByForceEndsAndSaysSo) {
  Kith mesh("mesh 3 < /dev/null" + brisk());
  ASSERT_NE(mesh.hear("2: write 2"), "") << mesh.all();
  Kith remove("rm --force mesh" + in_scratch());
  EXPECT_EQ(remove.finish(), 0) << remove.all();
  EXPECT_EQ(mesh.finish(), 1) << mesh.all();
  EXPECT_TRUE(mesh.said("mesh: somebody removed it")) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();
}

std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// The PID of process `index` of a mesh, found by its name.
pid_t find_process(const Kith& mesh, int index) {
  const std::string wanted = "kith mesh " + std::to_string(index);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (first_line(entry.path() / "comm") != wanted) continue;
    const std::string status = first_line(entry.path() / "stat");
    // After the name in brackets: the state, then the parent's PID.
    const pid_t parent = std::stoi(status.substr(status.rfind(')') + 4));
    if (parent == mesh.pid()) return std::stoi(entry.path().filename());
  }
  return 0;
}

TEST_F(Mesh, WhoseProcessIsStoppedStillEndsInGoodOrder) {
  Kith mesh("mesh 3" + brisk());
  ASSERT_NE(mesh.hear("1: write 2"), "") << mesh.all();
  const pid_t one = find_process(mesh, 1);
  ASSERT_GT(one, 0);
  ASSERT_EQ(::kill(one, SIGSTOP), 0);
  // The others go on: nobody waits for anybody.
  ASSERT_NE(mesh.hear("0: write"), "") << mesh.all();
  ASSERT_NE(mesh.hear("2: write"), "") << mesh.all();
  mesh.type("q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();
}

TEST_F(Mesh, SaysThatSomebodyElseKilledAProcess) {
  Kith mesh("mesh 3" + brisk());
  ASSERT_NE(mesh.hear("1: write 2"), "") << mesh.all();
  const pid_t one = find_process(mesh, 1);
  ASSERT_GT(one, 0);
  ASSERT_EQ(::kill(one, SIGKILL), 0);
  EXPECT_EQ(mesh.hear("somebody else"), "mesh: process 1 was killed by somebody else");
  mesh.type("1q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  EXPECT_EQ(mesh.tally("kills"), 1) << mesh.all();
  EXPECT_EQ(mesh.tally("restarts"), 1) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();
}

TEST_F(Mesh, WhoseOutputNobodyReadsEnds) {
  Kith mesh("mesh 2 < /dev/null" + brisk() + " | head -n 3", "", "");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();  // of head; the shell waits for both
  EXPECT_NE(mesh.all().find("mesh: 2 processes in "), std::string::npos) << mesh.all();
  expect_nothing_left();
}

TEST_F(Mesh, AfterAllWereKilledAtOnceTheNextRunTakesOver) {
  const std::string arguments = "mesh 3 --size 100" + brisk();
  std::uint64_t before = 0;
  {
    Kith mesh(arguments + " < /dev/null", "exec setsid");
    ASSERT_NE(mesh.hear("0: write 6"), "") << mesh.all();
    mesh.signal_group(SIGKILL);
    mesh.hear_out();
    before = mesh.last_number("0: write ");
    EXPECT_FALSE(scratch_.is_empty());
  }
  Kith mesh(arguments);
  EXPECT_NE(mesh.hear("taking over 3 channels of an earlier run"), "") << mesh.all();
  EXPECT_NE(mesh.hear("0: write "), "") << mesh.all();
  EXPECT_GT(mesh.last_number("0: write "), before) << mesh.all();
  mesh.type("q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  expect_balance(mesh);
  expect_nothing_left();
}

TEST_F(Mesh, AnotherShapeRemovesWhatIsLeftOfTheOldOne) {
  {
    Kith mesh("mesh 3 < /dev/null" + brisk(), "exec setsid");
    ASSERT_NE(mesh.hear("2: write 2"), "") << mesh.all();
    mesh.signal_group(SIGKILL);
    mesh.hear_out();
  }
  Kith mesh("mesh 2 --seconds 0.3 < /dev/null" + brisk());
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  EXPECT_TRUE(mesh.said("mesh: removed mesh.2, left by a mesh of another shape")) << mesh.all();
  EXPECT_TRUE(mesh.said("0: write 1")) << mesh.all();
  expect_nothing_left();
}

TEST_F(Mesh, ASecondMeshInTheSamePlaceIsRefusedByTheNameOfTheFirst) {
  Kith first("mesh 2" + brisk());
  ASSERT_NE(first.hear("0: ready"), "") << first.all();
  for (const char* arguments : {"mesh 2", "mesh 3", "mesh 2 --only 0"}) {
    Kith second(arguments + in_scratch());
    EXPECT_EQ(second.finish(), 4) << second.all();
    EXPECT_NE(second.all().find("process " + std::to_string(first.pid())), std::string::npos)
        << second.all();
    EXPECT_NE(second.all().find("--domain"), std::string::npos) << second.all();
  }
  first.type("q");
  EXPECT_EQ(first.finish(), 0) << first.all();
  expect_nothing_left();
}

TEST_F(Mesh, ProcessesInTerminalsOfTheirOwnMeet) {
  Kith one("mesh 2 --only 0" + brisk());
  ASSERT_NE(one.hear("0: write 1"), "") << one.all();
  Kith two("mesh 2 --only 1" + brisk());
  EXPECT_EQ(two.hear("1: ready"), "1: ready") << two.all();
  EXPECT_NE(one.hear("0: read info from 1: 2"), "") << one.all();

  Kith same("mesh 2 --only 1" + brisk() + " --size 16");
  EXPECT_EQ(same.finish(), 1) << same.all();
  EXPECT_NE(same.all().find("2 processes with values of 8 bytes"), std::string::npos) << same.all();

  // Killed and started anew, it continues.
  two.signal(SIGKILL);
  two.hear_out();
  Kith again("mesh 2 --only 1" + brisk());
  EXPECT_NE(again.hear("1: read again info from 0: "), "") << again.all();
  EXPECT_NE(again.hear("1: write "), "") << again.all();
  EXPECT_GT(again.last_number("1: write "), two.last_number("1: write ")) << again.all();

  one.type("q");
  again.type("q");
  EXPECT_EQ(one.finish(), 0) << one.all();
  EXPECT_EQ(again.finish(), 0) << again.all();
  expect_nothing_left();
}

TEST_F(Mesh, ArgumentsThatMakeNoSenseAreRefusedBeforeAnythingIsMade) {
  for (const char* arguments :
       {"", "mesh", "mesh 1", "mesh 1001", "mesh x", "mesh -3", "mesh 3 --size 7",
        "mesh 3 --size 65MiB", "mesh 3 --pause 9..5", "mesh 3 --pause a..b", "mesh 3 --pause 5..",
        "mesh 3 --only 3", "mesh 3 --only 0 --chaos 20", "mesh 3 --only 0 --json",
        "mesh 3 --chaos 0", "mesh 3 --seconds -1", "mesh 3 --no-such-option", "no-such-command",
        "rm"}) {
    // The environment names the domain, because not every command line gets as far as its options.
    Kith wrong(arguments, "KITH_DOMAIN=" + scratch_.path() + " exec");
    EXPECT_EQ(wrong.finish(), 2) << arguments << "\n" << wrong.all();
    EXPECT_NE(wrong.all(), "") << arguments;
  }
  expect_nothing_left();
}

TEST_F(Mesh, TheStandardPlaceIsGoneWithTheLastProcess) {
  const std::string standard = "/dev/shm/kith-" + std::to_string(::geteuid());
  if (std::filesystem::exists(standard)) GTEST_SKIP() << standard << " is in use";
  Kith mesh("mesh 2 --pause 5..20", "exec env -u KITH_DOMAIN");
  ASSERT_NE(mesh.hear("1: write 2"), "") << mesh.all();
  EXPECT_TRUE(std::filesystem::exists(standard));
  mesh.type("q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  EXPECT_FALSE(std::filesystem::exists(standard));

  Kith killed("mesh 2 --pause 5..20", "exec env -u KITH_DOMAIN");
  ASSERT_NE(killed.hear("1: write 2"), "") << killed.all();
  killed.signal(SIGKILL);
  killed.hear_out();
  EXPECT_FALSE(std::filesystem::exists(standard));
}

// ---- a terminal ----

class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) std::abort();
    path_ = ::ptsname(master_);
    // Held open, so that it outlives the command and can be looked at afterwards.
    slave_ = ::open(path_.c_str(), O_RDWR | O_NOCTTY);
  }
  ~Terminal() {
    ::close(slave_);
    ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void type(const std::string& keys) const {
    EXPECT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  [[nodiscard]] tcflag_t mode() const {
    termios now{};
    EXPECT_EQ(::tcgetattr(slave_, &now), 0);
    return now.c_lflag & (ICANON | ECHO | ISIG);
  }

 private:
  int master_;
  int slave_ = -1;
  std::string path_;
};

TEST_F(Mesh, ATerminalHandsOverSingleKeysAndIsPutBack) {
  const Terminal terminal;
  const tcflag_t before = terminal.mode();
  Kith mesh("mesh 3" + brisk(), "exec 0<" + terminal.path() + "; exec setsid -c");
  ASSERT_NE(mesh.hear("1: write 2"), "") << mesh.all();
  EXPECT_EQ(terminal.mode() & (ICANON | ECHO), 0u);
  terminal.type("1");  // no Enter
  EXPECT_EQ(mesh.hear("killed"), "mesh: process 1 killed");
  terminal.type("1");
  EXPECT_NE(mesh.hear("1: read again info from "), "") << mesh.all();
  terminal.type("\x03");  // the interrupt key: the whole foreground group is told
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  EXPECT_EQ(terminal.mode(), before);
  expect_balance(mesh);
  expect_nothing_left();
}

// ---- the other commands ----

TEST_F(Mesh, LsShowsIt) {
  Kith mesh("mesh 2" + brisk());
  ASSERT_NE(mesh.hear("1: ready"), "") << mesh.all();
  Kith list("ls" + in_scratch());
  EXPECT_EQ(list.finish(), 0);
  EXPECT_NE(list.all().find("mesh.0 "), std::string::npos) << list.all();
  EXPECT_NE(list.all().find("latest"), std::string::npos) << list.all();
  EXPECT_NE(list.all().find("kith " + std::to_string(mesh.pid())), std::string::npos) << list.all();

  Kith remove("rm mesh.0 no-such-object" + in_scratch());
  EXPECT_EQ(remove.finish(), 1);
  EXPECT_NE(remove.all().find("somebody uses it"), std::string::npos) << remove.all();
  EXPECT_NE(remove.all().find("there is none"), std::string::npos) << remove.all();
  mesh.type("q");
  EXPECT_EQ(mesh.finish(), 0) << mesh.all();
  expect_balance(mesh);

  Kith empty("ls" + in_scratch());
  EXPECT_EQ(empty.finish(), 0);
  EXPECT_NE(empty.all().find("nothing in " + scratch_.path()), std::string::npos) << empty.all();
}

TEST_F(Mesh, CleanRemovesWhatTheKilledLeft) {
  {
    Kith mesh("mesh 2 < /dev/null" + brisk(), "exec setsid");
    ASSERT_NE(mesh.hear("1: write 2"), "") << mesh.all();
    mesh.signal_group(SIGKILL);
    mesh.hear_out();
  }
  EXPECT_FALSE(scratch_.is_empty());
  await_deaths();
  Kith clean("clean" + in_scratch());
  EXPECT_EQ(clean.finish(), 0) << clean.all();
  EXPECT_EQ(clean.last_number("objects removed: "), 3u) << clean.all();
  expect_nothing_left();
}

}  // namespace
}  // namespace kith::tests
