// From the SIGKILL of a lock's holder until the next holder runs, which sleeps in another process:
// ours, and a robust mutex; and ours by how much memory the holder has.
//
// The killer starts a holder, waits until the other side sleeps, and kills: three processes on two
// cores, the holder dying on that of the killer. A process is dead for us once the kernel has torn
// down its memory; a robust mutex is given on before that.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.hpp"
#include "bench/lock_rivals.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr std::uint64_t kEnd = ~std::uint64_t{0};
constexpr double kPatienceNs = 30e9;
constexpr int kRoundsLeast = 3;
constexpr double kPage = 4096;

// ping: the number of the holder that holds now. pong: of the one that is waited for. spare: when
// it was killed, by the clock that all share.
constexpr auto kOrder = std::memory_order_seq_cst;

// Private memory that is really there, in small pages: the slowest to give back.
void take_memory(std::uint64_t bytes) {
  if (bytes == 0) return;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for a holder");
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);
  if (::madvise(memory, bytes, MADV_POPULATE_WRITE) == 0) return;
  for (std::uint64_t at = 0; at < bytes; at += 4096) static_cast<std::byte*>(memory)[at] = {};
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  return resident * kPage;
}

template <class Lock>
[[noreturn]] void hold(const LockPlace& place, std::uint64_t bytes, std::uint64_t number,
                       Stage& stage, Sheet& sheet) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    take_memory(bytes);
    Lock lock(place);
    lock.lock();
    sheet.numbers[0] = resident_bytes();
    stage.ping.value.store(number, kOrder);
    while (true) ::pause();
  } catch (const std::exception&) {
    ::_exit(EXIT_FAILURE);
  }
}

bool sleeps(const std::string& stat_path) {
  std::ifstream file(stat_path);
  std::string text;
  std::getline(file, text);
  const auto end_of_name = text.rfind(") ");
  return end_of_name != std::string::npos && text[end_of_name + 2] == 'S';
}

template <class Condition>
void wait_until(const Condition& condition, const char* what) {
  const double end = shared_now_ns() + kPatienceNs;
  while (!condition()) {
    if (shared_now_ns() > end) throw std::runtime_error(what);
  }
}

template <class Lock>
void kill_role(const LockPlace& place, std::uint64_t bytes, Stage& stage, Sheet& sheet) {
  const Measured measured(stage, sheet);
  for (std::uint64_t number = 1; stage.goes_on() || number <= kRoundsLeast; ++number) {
    const pid_t holder = ::fork();
    if (holder < 0) throw std::runtime_error("a holder could not be started");
    if (holder == 0) hold<Lock>(place, bytes, number, stage, sheet);
    wait_until([&] { return stage.pong.value.load(kOrder) == number; }, "nobody waits");
    const auto waiter = static_cast<pid_t>(stage.sheet(1).numbers[0]);
    const std::string stat = "/proc/" + std::to_string(waiter) + "/stat";
    wait_until([&] { return sleeps(stat); }, "the waiter does not sleep");
    stage.spare.value.store(static_cast<std::uint64_t>(shared_now_ns()), kOrder);
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    wait_until([&] { return stage.pong.value.load(kOrder) == 0; }, "nobody got the lock");
  }
  stage.ping.value.store(kEnd, kOrder);
}

template <class Lock>
void wait_role(const LockPlace& place, Stage& stage, Sheet& sheet) {
  Lock lock(place);
  sheet.numbers[0] = static_cast<double>(::getpid());
  const Measured measured(stage, sheet);
  for (std::uint64_t number = 1;; ++number) {
    std::uint64_t held = 0;
    wait_until(
        [&] {
          held = stage.ping.value.load(kOrder);
          return held == number || held == kEnd;
        },
        "nobody holds the lock");
    if (held == kEnd) return;
    stage.pong.value.store(number, kOrder);
    lock.lock_after_death();
    const double now = shared_now_ns();
    sheet.times.record(now - static_cast<double>(stage.spare.value.load(kOrder)));
    lock.repair();
    lock.unlock();
    stage.pong.value.store(0, kOrder);
  }
}

template <class Lock>
Run death(const Plan& plan, const Name& name, int ms) {
  return {name.what, [plan, name, ms](Crew& crew, Book& book) {
            const LockPlace place(plan.domain);
            Lock::prepare(place);
            Stage& stage = crew.stage();
            const std::uint64_t bytes = name.payload_bytes;
            const double share = crew.play(
                plan.time(ms),
                {{"killer", 0, [&](Sheet& sheet) { kill_role<Lock>(place, bytes, stage, sheet); },
                  true},
                 {"waiter", 1, [&](Sheet& sheet) { wait_role<Lock>(place, stage, sheet); }, true}});
            Notes notes(book, share);
            notes.percentiles(name, stage.sheet(1).times);
            notes.number(name, "resident", stage.sheet(0).numbers[0], "B");
          }};
}

std::uint64_t memory_available() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::uint64_t kibibytes = 0;
  std::string rest;
  while (file >> name >> kibibytes && std::getline(file, rest)) {
    if (name == "MemAvailable:") return kibibytes << 10;
  }
  return 0;
}

}  // namespace

Section lock_death_section(const Plan& plan) {
  Section section{"lock_death", plan.repeats(9), {}};
  for_each_robust_lock([&]<class Lock>() {
    section.runs.push_back(death<Lock>(plan, {"lock_death", Lock::kName}, 600));
  });
  return section;
}

// Up to 4 GiB if that is wanted, as far as there is half as much again.
Section lock_death_by_size_section(const Plan& plan) {
  Section section{"lock_death_by_size", plan.repeats(3), {}};
  const std::uint64_t wanted = plan.large ? 4ull << 30 : plan.quick ? 16u << 20 : 64u << 20;
  const std::uint64_t most = std::min(wanted, memory_available() / 3 * 2);
  for (std::uint64_t bytes = 1u << 20; bytes <= most; bytes *= 4) {
    for_each_robust_lock([&]<class Lock>() {
      section.runs.push_back(death<Lock>(plan, {"lock_death_by_size", Lock::kName, bytes}, 120));
    });
  }
  return section;
}

}  // namespace kith::bench
