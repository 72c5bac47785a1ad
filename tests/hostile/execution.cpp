#include "tests/hostile/execution.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "kith/region/truncation.hpp"

#include "tests/hostile/actors.hpp"
#include "tests/hostile/operations.hpp"
#include "tests/hostile/shared_pages.hpp"

namespace kith::hostile {
namespace {

// Processor time of one execution after which it counts as endless: a thousand times what the
// longest takes. SIGPROF ends the process.
constexpr std::int64_t kPatienceSeconds = 30;

class Watchdog {
 public:
  Watchdog() { set(kPatienceSeconds); }
  ~Watchdog() { set(0); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  static void set(std::int64_t seconds) {
    itimerval timer{};
    timer.it_value.tv_sec = seconds;
    ::setitimer(ITIMER_PROF, &timer, nullptr);
  }
};

bool may_cut(Target target) {
  return target == Target::truncation || target == Target::sealed;
}

// What a stranger can do to the kind of world that the target is about.
Kind kind_for(Target target, Kind kind) {
  if (target != Target::sealed || is_sealed(kind)) return kind;
  return static_cast<int>(kind) % 2 == 0 ? Kind::sealed_type : Kind::sealed_bytes;
}

}  // namespace

const char* name_of(Target target) {
  switch (target) {
    case Target::operations:
      return "operations";
    case Target::flips:
      return "flips";
    case Target::truncation:
      return "truncation";
    case Target::sealed:
      break;
  }
  return "sealed";
}

Stage::Stage(Target target) : target_(target) {
  if (target == Target::truncation) guard_truncation();
}

void Stage::run(const Script& script) {
  const Watchdog watchdog;
  world_.begin(kind_for(target_, script.kind));
  {
    Actors actors(world_, *books_);
    for (std::size_t i = 0; i < script.steps.size() && i < kStepsMax; ++i) {
      const Step& step = script.steps[i];
      if (step.deed == Deed::call) {
        call(operations()[step.call], actors, step.argument);
      } else {
        spoil(step);
      }
    }
  }
  turns_.end();
  if (thread_) thread_->end();
  ++books_->executions;
}

void Stage::spoil(const Step& step) {
  const bool meanwhile = step.deed == Deed::cut_meanwhile ||
                         (step.deed == Deed::flip && target_ != Target::operations);
  const bool is_cut = step.deed == Deed::cut || step.deed == Deed::cut_meanwhile;
  if (is_cut && !may_cut(target_)) return;
  if (meanwhile) {
    if (is_cut) ++books_->cuts;
    if (target_ == Target::flips && can_watch_pages()) return turns_.begin(world_, step);
    if (!thread_) thread_.emplace();
    thread_->begin(world_, step);
    return;
  }
  if (is_cut) return cut(step);
  const std::size_t file = step.file % world_.files();
  const std::uint64_t offset = step.offset % world_.size(file);
  struct stat status {};
  // What lies behind the end of a file that was cut is not there to be written.
  if (::fstat(world_.file(file), &status) != 0) return;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (offset >= size) return;
  const auto* from = step.deed == Deed::overwrite
                         ? step.bytes.data()
                         : reinterpret_cast<const std::uint8_t*>(&step.value);
  const std::uint64_t wanted = step.deed == Deed::overwrite ? step.bytes.size() : step.width;
  (void)!::pwrite(world_.file(file), from, std::min(wanted, size - offset),
                  static_cast<off_t>(offset));
}

void Stage::cut(const Step& step) {
  ++books_->cuts;
  const std::size_t file = step.file % world_.files();
  const std::uint64_t size = world_.size(file);
  // Also a little longer than it was.
  const std::uint64_t wanted = step.offset % (size + 2 * 4096);
  const int answer = ::ftruncate(world_.file(file), static_cast<off_t>(wanted));
  if (is_sealed(world_.kind()) && wanted != size) {
    require(answer != 0 && errno == EPERM, "a sealed memory was cut short");
  }
}

}  // namespace kith::hostile
