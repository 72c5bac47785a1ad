// kith demo: what the library promises, before one's eyes.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

#include "kith/region/region.hpp"
#include "kith/sync/mutex.hpp"

#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/place.hpp"

namespace kith::cli {
namespace {

using namespace std::chrono_literals;

constexpr const char* kExamples =
    "  kith demo lock                    a holder is killed, and the next one is told\n";
constexpr const char* kExitCodes =
    "  0  it went as promised\n"
    "  1  it did not; the message says what\n";

// A domain of its own, gone with this.
class Playground {
 public:
  Playground() {
    std::string name = "/dev/shm/kith-demo-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      throw Error(Errc::system, {.object = name, .found = "mkdtemp failed"});
    }
    path_ = name;
  }
  ~Playground() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Playground(const Playground&) = delete;
  Playground& operator=(const Playground&) = delete;
  [[nodiscard]] Domain domain() const { return Domain::at(path_); }

 private:
  std::string path_;
};

// Killed at its end if it still runs.
class Actor {
 public:
  template <class Part>
  explicit Actor(const Part& part) : pid_(::fork()) {
    if (pid_ == 0) ::_exit(part());
  }
  ~Actor() { kill(); }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void kill() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    static_cast<void>(join());
  }
  // Its exit status.
  int join() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

struct Page {
  std::atomic<bool> begun{false};  // and not ended: torn
  std::atomic<std::int64_t> told_ns{0};
  std::atomic<int> told{0};  // a LockAnswer
};

std::int64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(now).count();
}

int begin_a_page(const Domain& domain) {
  auto page = Region<Page>::open(domain, "page");
  Mutex mutex(domain, "printer");
  if (mutex.acquire(Deadline::never()) != LockAnswer::acquired) return 1;
  page->begun.store(true, std::memory_order_release);
  for (;;) ::pause();  // in the middle of it
}

int wait_and_repair(const Domain& domain) {
  auto page = Region<Page>::open(domain, "page");
  Mutex mutex(domain, "printer");
  const LockAnswer answer = mutex.acquire(Deadline::after(60s));
  page->told_ns.store(monotonic_ns(), std::memory_order_relaxed);
  page->told.store(static_cast<int>(answer), std::memory_order_release);
  if (answer != LockAnswer::owner_died) return 1;
  page->begun.store(false, std::memory_order_relaxed);  // the half page is thrown away
  if (mutex.declare_consistent() != LockAnswer::owner_died) return 1;
  return mutex.release() == LockAnswer::released ? 0 : 1;
}

// Looks again and again until it is so, for a minute at most.
template <class Condition>
void await(const Condition& condition) {
  const Deadline patience = Deadline::after(60s);
  while (!condition() && !patience.has_passed()) ::usleep(1000);
}

int demo_lock(const Output& output) {
  const auto say = [&](const std::string& text) {
    if (!output.json()) output.line("  " + text);
    std::fflush(stdout);
  };
  const Playground playground;
  const Domain domain = playground.domain();
  const auto page = Region<Page>::create(domain, "page");
  Mutex mutex(domain, "printer");
  Actor holder([&] { return begin_a_page(domain); });
  const pid_t doomed = holder.pid();
  await([&] { return page->begun.load(std::memory_order_acquire); });
  say(fmt::format("{} holds the lock 'printer' and has begun a page", doomed));
  Actor waiter([&] { return wait_and_repair(domain); });
  const pid_t heir = waiter.pid();
  await([&] { return mutex.facts().has_waiters; });
  say(fmt::format("{} waits for it", heir));
  say(fmt::format("kill -9 {}", doomed));
  const std::int64_t killed = monotonic_ns();
  holder.kill();
  const bool repaired = waiter.join() == 0;
  const auto told = static_cast<LockAnswer>(page->told.load(std::memory_order_acquire));
  const std::int64_t after = page->told_ns.load(std::memory_order_relaxed) - killed;
  say(fmt::format("{} gets it, and is told: {}, {:.2f} ms after the kill", heir, to_string(told),
                  static_cast<double>(after) / 1e6));
  if (repaired) say("it throws the half page away, and says that all is well again");
  const LockAnswer next = mutex.acquire(Deadline::after(60s));
  say(fmt::format("the next one gets it, and is told: {}", to_string(next)));
  if (output.json()) {
    Json document = document_of("demo");
    document["told"] = to_string(told);
    document["after_ns"] = after;
    document["next"] = to_string(next);
    output.document(document);
  }
  if (repaired && next == LockAnswer::acquired) return kFine;
  output.complain({"problem", "the demonstration did not go as promised"});
  return kProblem;
}

}  // namespace

void add_demo(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("demo", "show before your eyes what a death does");
  auto options = std::make_shared<CommonOptions>();
  auto what = std::make_shared<std::string>();
  command->add_option("WHAT", *what, "lock: a holder is killed, and the next one is told")
      ->required()
      ->check(CLI::IsMember({"lock"}));
  add_common_options(*command, *options);
  add_examples(*command, kExamples, kExitCodes);
  command->final_callback(
      [options, &run] { run = [options] { return demo_lock(Output(*options)); }; });
}

}  // namespace kith::cli
