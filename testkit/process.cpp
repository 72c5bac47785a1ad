#include "testkit/process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace kith::testkit {
namespace {

using Clock = std::chrono::steady_clock;

// A role's last word begins with this; no word of a test does.
constexpr std::string_view kVerdict = "\x01verdict ";
constexpr std::string_view kRoleOption = "--kith-testkit-role=";

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int milliseconds_left(TimePoint until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  return {ends[0], ends[1]};
}

// The words of both sides; to_child is what the parent tells.
struct Conversation {
  Pipe to_child = make_pipe();
  Pipe to_parent = make_pipe();

  internal::Line for_parent() {
    ::close(to_child.read_end);
    ::close(to_parent.write_end);
    return {to_parent.read_end, to_child.write_end};
  }
  internal::Line for_child() {
    ::close(to_child.write_end);
    ::close(to_parent.read_end);
    return {to_child.read_end, to_parent.write_end};
  }
};

// What is buffered now would be written by both processes.
pid_t fork_with_nothing_buffered() {
  std::cout.flush();
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child > 0) return child;
  // Without the second look, a parent that died before the first would be survived.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  return 0;
}

std::string in_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

template <class Played>
int play_to_the_end(Mouth& mouth, Played played) {
  std::string complaint;
  try {
    complaint = played(mouth);
  } catch (const std::exception& error) {
    complaint = std::string("threw: ") + error.what();
  } catch (...) {
    complaint = "threw something that is not a std::exception";
  }
  if (!complaint.empty()) mouth.say(std::string(kVerdict) + in_one_line(complaint));
  std::cout.flush();
  std::fflush(nullptr);
  return complaint.empty() ? 0 : 1;
}

[[noreturn]] void become(const Process::Program& program, const Conversation& conversation) {
  std::vector<char*> arguments{const_cast<char*>(program.path.c_str())};
  for (const std::string& argument : program.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  for (const auto& [name, value] : program.extra) ::setenv(name.c_str(), value.c_str(), 1);
  ::dup2(conversation.to_child.read_end, STDIN_FILENO);
  ::dup2(conversation.to_parent.write_end, STDOUT_FILENO);
  ::execvp(program.path.c_str(), arguments.data());
  const std::string word = std::string(kVerdict) + "cannot be started: " + program.path + ": " +
                           std::strerror(errno) + "\n";
  (void)!::write(STDOUT_FILENO, word.data(), word.size());
  ::_exit(127);
}

}  // namespace

namespace internal {

Line::~Line() {
  if (in_ >= 0) ::close(in_);
  if (out_ >= 0) ::close(out_);
}

Line::Line(Line&& other) noexcept
    : in_(std::exchange(other.in_, -1)),
      out_(std::exchange(other.out_, -1)),
      closed_(other.closed_),
      heard_(std::move(other.heard_)) {}

Line& Line::operator=(Line&& other) noexcept {
  std::swap(in_, other.in_);
  std::swap(out_, other.out_);
  std::swap(closed_, other.closed_);
  std::swap(heard_, other.heard_);
  return *this;
}

// A pipe that nobody reads raises SIGPIPE; it is kept from this thread and taken back, so that
// talking to the dead is an answer and not an end.
bool Line::say(std::string_view word) {
  sigset_t pipe_signal;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const std::string line = std::string(word) + "\n";
  std::size_t done = 0;
  bool heard = true;
  while (heard && done < line.size()) {
    const ssize_t size = ::write(out_, line.data() + done, line.size() - done);
    if (size > 0) done += static_cast<std::size_t>(size);
    if (size < 0 && errno != EINTR) heard = false;
  }
  const timespec at_once{};
  if (!heard && sigismember(&before, SIGPIPE) == 0) {
    (void)::sigtimedwait(&pipe_signal, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return heard;
}

std::optional<std::string> Line::hear(TimePoint until) {
  for (;;) {
    const std::size_t end = heard_.find('\n');
    if (end != std::string::npos) {
      std::string word = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return word;
    }
    if (closed_ && !heard_.empty()) return std::exchange(heard_, {});
    if (closed_ || in_ < 0) return std::nullopt;
    pollfd wanted{in_, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, milliseconds_left(until));
    if (ready == 0) return std::nullopt;
    if (ready < 0) continue;  // interrupted by a signal of the test
    char buffer[4096];
    const ssize_t size = ::read(in_, buffer, sizeof buffer);
    if (size > 0) heard_.append(buffer, static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) closed_ = true;
  }
}

}  // namespace internal

Mouth Mouth::of_program() {
  return Mouth(internal::Line(STDIN_FILENO, STDOUT_FILENO));
}

void Mouth::await(std::string_view word, TimePoint until) {
  const std::optional<std::string> heard = hear(until);
  if (heard == word) return;
  throw std::runtime_error("awaited `" + std::string(word) + "`, heard " +
                           (heard ? "`" + *heard + "`" : "nothing"));
}

std::string Ending::text() const {
  if (fine()) return "";
  std::string text = name + " ";
  switch (how) {
    case How::exited:
      text += "exited with status " + std::to_string(status);
      break;
    case How::signalled:
      text += "was ended by signal " + std::to_string(status) + " (" + ::strsignal(status) + ")";
      break;
    case How::hung:
      text += "hung and was killed";
      break;
  }
  return complaint.empty() ? text : text + ": " + complaint;
}

Process Process::fork(std::string name, Role role) {
  Conversation conversation;
  const pid_t pid = fork_with_nothing_buffered();
  if (pid == 0) {
    Mouth mouth(conversation.for_child());
    ::_exit(play_to_the_end(mouth, role));
  }
  return Process(std::move(name), pid, conversation.for_parent());
}

Process Process::start(std::string name, Program program) {
  Conversation conversation;
  const pid_t pid = fork_with_nothing_buffered();
  if (pid == 0) become(program, conversation);
  return Process(std::move(name), pid, conversation.for_parent());
}

Process Process::again(std::string name, std::string role, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), std::string(kRoleOption) + role);
  return start(std::move(name), {"/proc/self/exe", std::move(arguments), {}});
}

Process::~Process() {
  if (pid_ > 0) (void)kill();
}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      gone_(other.gone_),
      ending_(std::move(other.ending_)),
      line_(std::move(other.line_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(pid_, other.pid_);
  std::swap(gone_, other.gone_);
  std::swap(ending_, other.ending_);
  std::swap(line_, other.line_);
  return *this;
}

std::string Process::expect(std::string_view word, TimePoint until) {
  const std::optional<std::string> heard = next_word(until);
  if (heard == word) return "";
  const std::string wanted = name_ + " was to say `" + std::string(word) + "`, but ";
  if (heard && !hear_verdict(*heard)) return wanted + "said `" + *heard + "`";
  if (heard) return wanted + "ended: " + ending_.complaint;
  return wanted + (line_.closed() ? "said its last word" : "said nothing in time");
}

bool Process::hear_verdict(const std::string& word) {
  if (!word.starts_with(kVerdict)) return false;
  ending_.complaint = word.substr(kVerdict.size());
  return true;
}

void Process::take(int wait_status) {
  gone_ = true;
  ending_.name = name_;
  if (WIFSIGNALED(wait_status)) {
    ending_.how = Ending::How::signalled;
    ending_.status = WTERMSIG(wait_status);
  } else {
    ending_.how = Ending::How::exited;
    ending_.status = WEXITSTATUS(wait_status);
  }
}

bool Process::gone() {
  int status = 0;
  if (!gone_ && ::waitpid(pid_, &status, WNOHANG) == pid_) take(status);
  return gone_;
}

bool Process::stop() {
  if (gone()) return false;
  ::kill(pid_, SIGSTOP);
  int status = 0;
  while (::waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {
  }
  if (WIFSTOPPED(status)) return true;
  take(status);
  return false;
}

void Process::resume() {
  if (!gone()) ::kill(pid_, SIGCONT);
}

Ending Process::kill() {
  if (!gone()) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    take(status);
  }
  listen_to_the_end();
  return ending_;
}

void Process::listen_to_the_end() {
  while (const std::optional<std::string> word = line_.hear(Clock::now())) {
    (void)hear_verdict(*word);
  }
}

Ending Process::finish(TimePoint until) {
  // Words first: a role that says much would otherwise wait for room in the pipe, and we for it.
  while (!gone()) {
    const std::optional<std::string> word = line_.hear(until);
    if (word) (void)hear_verdict(*word);
    if (!word && (line_.closed() || Clock::now() >= until)) break;
  }
  const int descriptor = gone() ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (descriptor >= 0) {
    pollfd wanted{descriptor, POLLIN, 0};
    while (::poll(&wanted, 1, milliseconds_left(until)) < 0 && errno == EINTR) {
    }
    ::close(descriptor);
  }
  const bool hung = !gone();
  (void)kill();
  if (hung) ending_.how = Ending::How::hung;
  return ending_;
}

std::string verdict(std::span<Process> crew, TimePoint until) {
  std::string text;
  for (Process& process : crew) {
    const std::string one = process.finish(until).text();
    if (!one.empty()) text += (text.empty() ? "" : "\n") + one;
  }
  return text;
}

std::optional<int> play(int count, char** arguments,
                        const std::map<std::string, ProgramRole>& roles) {
  if (count < 2) return std::nullopt;
  const std::string_view option(arguments[1]);
  if (!option.starts_with(kRoleOption)) return std::nullopt;
  const std::string name(option.substr(kRoleOption.size()));
  const std::vector<std::string> rest(arguments + 2, arguments + count);
  Mouth mouth = Mouth::of_program();
  return play_to_the_end(mouth, [&](Mouth& its_mouth) -> std::string {
    const auto role = roles.find(name);
    if (role == roles.end()) return "no role is called " + name;
    return role->second(its_mouth, rest);
  });
}

}  // namespace kith::testkit
