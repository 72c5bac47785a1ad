#include "bench/crew.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <new>
#include <sched.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "testkit/process.hpp"

namespace kith::bench {
namespace {

using testkit::Mouth;
using testkit::Process;

constexpr std::chrono::seconds kPatience{60};

double process_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Processor time of this process and of its children that have ended.
double own_cpu_seconds() {
  double all = 0;
  for (const int whose : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(whose, &usage);
    all += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  }
  return all;
}

// Processor time of the whole machine that was not idle.
double machine_cpu_seconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  double busy = 0;
  file >> name;
  for (int column = 0; column < 8; ++column) {
    double value = 0;
    file >> value;
    const bool idle = column == 3 || column == 4;
    if (!idle) busy += value;
  }
  return busy / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// A session has a scheduling group; its weight counts against others, a nice value does not.
void ask_for_priority() {
  ::setsid();
  std::ofstream("/proc/self/autogroup") << "-20";
  ::setpriority(PRIO_PROCESS, 0, -20);
}

}  // namespace

// What of the memory is not made here stays as the last run left it, untouched.
Stage::Stage(std::size_t parts) {
  parts_.value.store(parts, std::memory_order_seq_cst);
  for (std::size_t i = 0; i < parts; ++i) new (&sheets_[i * sizeof(Sheet)]) Sheet;
}

void Stage::meet() noexcept {
  const auto order = std::memory_order_seq_cst;
  const std::uint64_t parts = parts_.value.load(order);
  if (arrived_.value.fetch_add(1, order) + 1 == parts) {
    end_.store(ticks() + duration_ticks_, order);
    return;
  }
  // Two have a core each, and begin together; a crowd must let those run who are still to come.
  const timespec pause{0, 200'000};
  while (end_.load(order) == 0) {
    if (parts > 2) {
      ::nanosleep(&pause, nullptr);
    } else {
      ::sched_yield();
    }
  }
}

Measured::Measured(Stage& stage, Sheet& sheet) : sheet_(sheet), start_(0), start_cpu_ns_(0) {
  stage.meet();
  start_cpu_ns_ = process_cpu_ns();
  start_ = ticks();
}

Measured::~Measured() {
  const double wall_ns = ticking().ns(ticks() - start_);
  sheet_.seconds = wall_ns * 1e-9;
  sheet_.foreign_share = std::max(0.0, 1 - (process_cpu_ns() - start_cpu_ns_) / wall_ns);
}

Crew::Crew(std::vector<int> cores) : cores_(std::move(cores)) {
  (void)ticking();  // before any child, which inherits it
  void* memory = ::mmap(nullptr, sizeof(Stage), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for the benchmark's own records");
  stage_ = new (memory) Stage(0);
}

Crew::~Crew() {
  ::munmap(stage_, sizeof(Stage));
}

void Crew::enter(std::size_t core) const {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cores_[core % cores_.size()], &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error("this process may not be pinned to a core");
  }
  ask_for_priority();
}

double Crew::play(std::chrono::nanoseconds duration, const std::vector<Part>& parts) {
  if (parts.empty() || parts.size() > kPartsMax)
    throw std::runtime_error("too many parts, or none");
  new (stage_) Stage(parts.size());
  stage_->duration_ticks_ =
      static_cast<std::uint64_t>(static_cast<double>(duration.count()) / ticking().ns_per_tick);
  const double machine_before = machine_cpu_seconds();
  const double own_before = own_cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  std::vector<Process> processes;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    processes.push_back(Process::fork(parts[i].name, [this, &parts, i](Mouth&) -> std::string {
      enter(parts[i].core);
      parts[i].act(stage_->sheet(i));
      return "";
    }));
  }
  const std::string complaint = testkit::verdict(processes, testkit::within(duration + kPatience));
  if (!complaint.empty()) throw std::runtime_error(complaint);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  double share = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].sleeps) share = std::max(share, stage_->sheet(i).foreign_share);
  }
  const bool busy =
      std::none_of(parts.begin(), parts.end(), [](auto& part) { return part.sleeps; });
  if (busy) return share;
  const double foreign = machine_cpu_seconds() - machine_before - (own_cpu_seconds() - own_before);
  const double all = wall.count() * static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
  return std::max(share, foreign / all);
}

}  // namespace kith::bench
