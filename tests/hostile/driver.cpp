#include "tests/hostile/driver.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/hostile/mutator.hpp"

#ifdef KITH_COVERAGE
// The counts of a process that ends by _exit must be written by hand.
extern "C" void __gcov_dump();
#endif

namespace kith::hostile {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kFindingsMax = 10;
// Asleep for so long, an execution counts as endless. A thousand times what the longest takes.
constexpr std::int64_t kSleepSeconds = 120;

// What a worker and who started it both see.
struct Board {
  Books books;
  std::uint64_t number;  // of the script that is running
  std::uint64_t length;
  std::uint8_t script[256 * 1024];
};

class SharedBoard {
 public:
  SharedBoard() {
    void* place =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw std::runtime_error("no memory for the books");
    board_ = new (place) Board{};
  }
  ~SharedBoard() { ::munmap(board_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board& operator*() const { return *board_; }
  Board* operator->() const { return board_; }

 private:
  Board* board_ = nullptr;
};

[[noreturn]] void work(Stage& stage, const Source& source, Board& board, std::uint64_t first) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  stage.count_in(board.books);
  for (std::uint64_t number = first;; ++number) {
    board.number = number;
    const auto script = source(number);
    if (!script) break;
    const std::vector<std::uint8_t> bytes = bytes_of(*script);
    board.length = std::min(bytes.size(), sizeof board.script);
    std::memcpy(board.script, bytes.data(), board.length);
    itimerval timer{};
    timer.it_value.tv_sec = kSleepSeconds;
    ::setitimer(ITIMER_REAL, &timer, nullptr);  // SIGALRM ends the process
    try {
      stage.run(*script);
    } catch (const std::exception& error) {
      defect(error.what());  // the stage's own
    }
  }
#ifdef KITH_COVERAGE
  __gcov_dump();
#endif
  ::_exit(0);
}

std::string description_of(int status) {
  if (!WIFSIGNALED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  if (number == SIGPROF) return "it computes without end";
  if (number == SIGALRM) return "it sleeps without end";
  return "signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
}

}  // namespace

Result run_all(const std::string& subject, Stage& stage, const Source& source) {
  Result result;
  result.subject = subject;
  const SharedBoard board;
  const auto begin = Clock::now();
  for (std::uint64_t next = 0; result.failed < kFindingsMax; next = board->number + 1) {
    std::fflush(nullptr);
    const pid_t worker = ::fork();
    if (worker < 0) throw std::runtime_error("no process for the work");
    if (worker == 0) work(stage, source, *board, next);
    int status = 0;
    while (::waitpid(worker, &status, 0) < 0 && errno == EINTR) {
    }
    if (status == 0) break;
    ++result.failed;
    const auto script = script_from({board->script, board->length});
    result.findings.push_back({description_of(status), text_of(script)});
  }
  result.books = board->books;
  result.tried = board->books.executions + result.failed;
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, ", %.1f s", result.seconds);
  result.detail = to_string(result.books) + seconds;
  if (!result.findings.empty()) result.detail += "; first: " + result.findings.front().how;
  return result;
}

Source each_of(const std::vector<Script>& scripts) {
  return [&scripts](std::uint64_t number) -> std::optional<Script> {
    if (number >= scripts.size()) return std::nullopt;
    return scripts[number];
  };
}

Source mutations_of(const std::vector<Script>& pool, const World& world, Target target,
                    std::uint64_t seed, Limit limit) {
  const auto end = Clock::now() + std::chrono::duration<double>(limit.seconds);
  return [&pool, &world, target, seed, limit, end](std::uint64_t number) -> std::optional<Script> {
    if (limit.runs != 0 && number >= limit.runs) return std::nullopt;
    if (limit.seconds > 0 && Clock::now() >= end) return std::nullopt;
    // A generator for each, so that any of them can be had alone.
    return Mutator(world, target, seed * 0x9e3779b97f4a7c15 + number).from(pool);
  };
}

}  // namespace kith::hostile
