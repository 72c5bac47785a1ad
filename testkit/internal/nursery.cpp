#include "testkit/internal/nursery.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "testkit/internal/marks.hpp"

namespace kith::testkit::internal {
namespace {

using Clock = std::chrono::steady_clock;

// One packet from a role to the tracer; packets are whole or not there, also when a sender dies.
struct Word {
  pid_t pid;
  char text[2000];
};

struct Order {
  char what;  // 's'tart the part `value`, 'r'eap the process `value`
  int value;
};

// The role's end of the words; a global because operation_threw() has no other way to know it.
int words_of_this_process = -1;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void say(const std::string& text) {
  Word word{};
  word.pid = ::getpid();
  const std::size_t length = std::min(text.size(), sizeof word.text);
  std::memcpy(word.text, text.data(), length);
  // A tracer that no longer listens is dead, and this process about to be: nothing to do about it.
  (void)::send(words_of_this_process, &word, offsetof(Word, text) + length, MSG_NOSIGNAL);
}

std::string current_exception_text() {
  try {
    throw;
  } catch (const std::exception& error) {
    return std::string("threw: ") + error.what();
  } catch (...) {
    return "threw something that is not a std::exception";
  }
}

int milliseconds_left(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

class ProcessDescriptor {
 public:
  explicit ProcessDescriptor(pid_t pid)
      : descriptor_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
    if (descriptor_ < 0) fail("pidfd_open");
  }
  ~ProcessDescriptor() { ::close(descriptor_); }
  ProcessDescriptor(const ProcessDescriptor&) = delete;
  ProcessDescriptor& operator=(const ProcessDescriptor&) = delete;

  bool ended(Clock::time_point until) const {
    pollfd wanted{descriptor_, POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&wanted, 1, milliseconds_left(until));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

void operation_threw() noexcept {
  say("the operation " + current_exception_text());
  ::_exit(1);
}

const char* name_of(Part part) {
  static constexpr const char* kNames[] = {"prepare", "bystander", "victim",  "survivor",
                                           "restart", "balance",   "clean_up"};
  return kNames[static_cast<int>(part)];
}

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "was ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

Nursery::Nursery(const Subject& subject) : subject_(subject) {
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders_) != 0) fail("socketpair");
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, words_) != 0) fail("socketpair");
  if (::pipe2(gate_, O_CLOEXEC) != 0) fail("pipe2");
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  words_of_this_process = words_[1];
  // Else the first large allocation of each victim would tidy up what the caller has freed: a
  // hundred thousand instructions that are not the operation's.
  ::malloc_trim(0);
  serve();
}

Nursery::~Nursery() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, __WALL);
  for (int descriptor : {orders_[0], orders_[1], words_[0], words_[1], gate_[0], gate_[1]}) {
    ::close(descriptor);
  }
}

// Allocates nothing between two forks: that is its whole point.
void Nursery::serve() {
  for (;;) {
    Order order{};
    if (::recv(orders_[1], &order, sizeof order, 0) != sizeof order) ::_exit(0);
    int answer = -1;
    if (order.what == 'r') {
      ::waitpid(order.value, &answer, 0);
    } else {
      const pid_t self = ::getpid();
      answer = ::fork();
      if (answer == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != self) ::_exit(1);
        play(static_cast<Part>(order.value));
      }
    }
    if (::send(orders_[1], &answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer) ::_exit(0);
  }
}

void Nursery::play(Part part) {
  std::string text;
  try {
    switch (part) {
      case Part::prepare:
        subject_.prepare();
        break;
      case Part::bystander:
        subject_.bystander();
        break;
      case Part::clean_up:
        subject_.clean_up();
        break;
      case Part::survivor:
        text = subject_.survivor();
        break;
      case Part::restart:
        text = subject_.restart();
        break;
      case Part::balance:
        text = subject_.balance();
        break;
      case Part::victim:
        char byte = 0;
        if (::read(gate_[0], &byte, 1) != 1) ::_exit(1);
        if (subject_.before) subject_.before();
        run_between_marks(subject_.operation);
        ::_exit(0);
    }
  } catch (...) {
    text = (part == Part::victim ? "before " : "") + current_exception_text();
  }
  std::fflush(nullptr);
  say(text);
  if (part == Part::bystander && text.empty()) {
    for (;;) ::pause();
  }
  ::_exit(0);
}

bool Nursery::has(Part part) const {
  switch (part) {
    case Part::prepare:
      return static_cast<bool>(subject_.prepare);
    case Part::bystander:
      return static_cast<bool>(subject_.bystander);
    case Part::victim:
      return true;
    case Part::survivor:
      return static_cast<bool>(subject_.survivor);
    case Part::restart:
      return static_cast<bool>(subject_.restart);
    case Part::balance:
      return static_cast<bool>(subject_.balance);
    case Part::clean_up:
      break;
  }
  return static_cast<bool>(subject_.clean_up);
}

int Nursery::ask(char what, int value) {
  const Order order{what, value};
  int answer = -1;
  if (::send(orders_[0], &order, sizeof order, MSG_NOSIGNAL) != sizeof order ||
      ::recv(orders_[0], &answer, sizeof answer, 0) != sizeof answer) {
    throw std::runtime_error("the process that forks the roles is gone; something ended it");
  }
  return answer;
}

pid_t Nursery::start(Part part) {
  const pid_t pid = ask('s', static_cast<int>(part));
  if (pid < 0) throw std::runtime_error("fork failed; is the limit of processes reached?");
  return pid;
}

void Nursery::open_gate() {
  if (::write(gate_[1], "g", 1) != 1) fail("write to the victim's gate");
}

int Nursery::end(pid_t pid) {
  ::kill(pid, SIGKILL);
  return ask('r', pid);
}

std::string Nursery::last_words(pid_t pid) {
  std::string text;
  Word word{};
  ssize_t size = 0;
  while ((size = ::recv(words_[0], &word, sizeof word, MSG_DONTWAIT)) > 0) {
    if (word.pid != pid) continue;
    text.assign(word.text, static_cast<std::size_t>(size) - offsetof(Word, text));
  }
  return text;
}

Answer Nursery::wait_until_it_spoke(pid_t pid, Milliseconds patience) {
  const Clock::time_point until = Clock::now() + patience;
  const ProcessDescriptor process(pid);
  for (;;) {
    pollfd wanted[] = {{words_[0], POLLIN, 0}, {process.get(), POLLIN, 0}};
    if (::poll(wanted, 2, milliseconds_left(until)) < 0 && errno != EINTR) fail("poll");
    Word word{};
    const ssize_t size = ::recv(words_[0], &word, sizeof word, MSG_DONTWAIT);
    if (size > 0 && word.pid == pid) {
      return {true, std::string(word.text, static_cast<std::size_t>(size) - offsetof(Word, text))};
    }
    if (size > 0) continue;
    if ((wanted[1].revents & POLLIN) != 0) return {true, "died without a word"};
    if (Clock::now() >= until) {
      return {false, "did not return within " + std::to_string(patience.count()) + " ms"};
    }
  }
}

Answer Nursery::run(Part part, Milliseconds patience) {
  if (!has(part)) return {};
  const Clock::time_point until = Clock::now() + patience;
  const pid_t pid = start(part);
  Answer answer = wait_until_it_spoke(pid, patience);
  // It spoke, so only its exit is left; a role that cannot even exit in time hangs as well.
  if (answer.in_time && !ProcessDescriptor(pid).ended(until)) {
    answer = {false, "returned, but its process did not end"};
  }
  const int status = end(pid);
  if (answer.in_time && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
    answer.text = how_it_ended(status) + (answer.text.empty() ? "" : " after: " + answer.text);
  }
  return answer;
}

}  // namespace kith::testkit::internal
