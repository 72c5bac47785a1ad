#include "testkit/explore/internal/engine.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "testkit/explore/internal/hash.hpp"

namespace kith::testkit::explore::internal {
namespace {

Engine* only = nullptr;

// Thrown where no process runs: by fail() in a model's books, by leave() before anybody began.
struct Left {};

std::uint16_t rest(std::uint32_t bound, std::uint32_t used) {
  const std::uint32_t left = bound == kUnbounded ? bound : bound - std::min(bound, used);
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(left, 0xFFFF));
}

}  // namespace

Engine::Engine(const Bounds& bounds, Trail& trail, Visited* visited, bool tells)
    : bounds_(bounds),
      trail_(trail),
      visited_(visited),
      tells_(tells),
      memory_(bounds.memory == explore::Memory::weak) {}

Engine* Engine::current() noexcept {
  return only;
}

void Engine::add_process(std::string name, World::Work work, World::Work recovery, bool mortal) {
  if (processes_.size() == kProcessesMax) throw std::length_error("at most 8 processes");
  auto& process = *processes_.emplace_back(std::make_unique<Process>());
  process.name = std::move(name);
  process.work = std::move(work);
  process.recovery = std::move(recovery);
  process.mortal = mortal;
}

void Engine::clear() {
  trail_.again();
  memory_.reset();
  processes_.clear();
  attachment_ = nullptr;
  preemptions_ = deaths_ = stale_reads_ = wakes_ = 0;
  accesses_ = 0;
  abandoned_ = cut_ = false;
}

Engine::End Engine::run(const std::function<std::unique_ptr<World>()>& make) {
  only = this;
  clear();
  try {
    world_ = make();
    if (processes_.empty()) throw std::invalid_argument("the model has no process");
    for (std::size_t i = 0; i < processes_.size(); ++i) begin(i);
    schedule();
    running_ = kProcessesMax;
    if (!cut_ && failure_.empty()) world_->at_end();
  } catch (const Left&) {
    running_ = kProcessesMax;
  }
  world_.reset();
  only = nullptr;
  return cut_ ? End::cut : End::whole;
}

void Engine::begin(std::size_t index) {
  Process& process = *processes_[index];
  memory_.begin(index);
  process.fiber.begin([this, &process] {
    try {
      process.work();
    } catch (const std::exception& thrown) {
      fail(std::string("threw ") + thrown.what());
    }
    process.status = Process::Status::done;
    memory_.end(running_);
    abandoned_ = true;
    if (tells_) tell("is done", {});
    schedule();
  });
}

void Engine::before_access() {
  Process& process = self();
  ++process.accesses;
  ++accesses_;
  note(1);  // that it has come so far
  if (process.limit != 0 && process.accesses > process.limit) {
    fail(std::string(process.limited) + " took one access more than it may");
  }
  if (accesses_ > bounds_.accesses_max) {
    fail("no end after " + std::to_string(bounds_.accesses_max) + " accesses");
  }
  schedule();
}

void Engine::note(std::uint64_t word) noexcept {
  if (in_process()) self().history = mixed(self().history, word);
}

// Not by an exception: accesses may not throw.
std::uint32_t Engine::pick(std::size_t count) {
  const auto taken = trail_.choose(static_cast<std::uint32_t>(count));
  if (!taken) fail("the model is not deterministic: the run could not be repeated");
  return *taken;
}

std::uint32_t Engine::choose(std::uint32_t count) {
  const std::uint32_t taken = count > 1 ? pick(count) : 0;
  note(taken);
  return taken;
}

std::size_t Engine::choose_older(const Location& location, std::memory_order order) {
  if (!memory_.is_weak() || stale_reads_ >= bounds_.stale_reads) return 0;
  const std::size_t readable = memory_.readable(location, running_, order);
  if (readable < 2) return 0;
  const std::size_t older = pick(readable);
  if (older > 0) ++stale_reads_;
  return older;
}

void Engine::sleep() {
  self().status = Process::Status::asleep;
  schedule();
}

void Engine::wake(std::size_t process) {
  Process& sleeper = *processes_[process];
  if (sleeper.status == Process::Status::asleep) sleeper.status = Process::Status::ready;
}

bool Engine::is_asleep(std::size_t process) const {
  return processes_[process]->status == Process::Status::asleep;
}

void Engine::may_die_now(std::size_t process) {
  processes_[process]->changed = true;
}

void Engine::fail(const std::string& why) {
  if (failure_.empty()) failure_ = (in_process() ? self().name + ": " : "at the end: ") + why;
  if (!in_process()) throw Left();
  leave();
}

void Engine::leave() {
  if (!in_process()) throw Left();
  running_ = kProcessesMax;
  Fiber::change(nowhere_, outside_);
  std::terminate();  // nobody comes back to a run that is over
}

// ---- who goes on

bool Engine::may_run(std::size_t index) const {
  const Process::Status status = processes_[index]->status;
  return status == Process::Status::ready || status == Process::Status::killed;
}

bool Engine::may_die(std::size_t index) const {
  const Process& process = *processes_[index];
  const bool lives =
      process.status == Process::Status::ready || process.status == Process::Status::asleep;
  // What the kernel makes of a death, others may notice at once or later. Otherwise only what it
  // wrote is left of it, and later is no different.
  return lives && process.mortal && process.changed && deaths_ < bounds_.deaths &&
         (attachment_ != nullptr ? process.accesses > 0 : index == running_ && !abandoned_);
}

std::size_t Engine::gather(std::array<Option, kOptionsMax>& options) const {
  std::size_t count = 0;
  const auto add = [&](Deed deed, std::size_t process) {
    options[count++] = {deed, static_cast<std::uint8_t>(process)};
  };
  const bool goes_on = in_process() && may_run(running_) && !abandoned_;
  if (goes_on) add(Deed::go, running_);
  const bool preempts = !goes_on || preemptions_ < bounds_.preemptions;
  bool anybody = goes_on;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    anybody = anybody || processes_[i]->status == Process::Status::ready;
    if (preempts && (i != running_ || !goes_on) && may_run(i)) add(Deed::go, i);
  }
  // The killed may come back at any time, or never.
  if (!anybody && count > 0) add(Deed::end, 0);
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    const bool asleep = processes_[i]->status == Process::Status::asleep;
    if (asleep && wakes_ < bounds_.spurious_wakes) add(Deed::wake, i);
    if (may_die(i)) add(Deed::kill, i);
  }
  return count;
}

void Engine::schedule() {
  for (;;) {
    std::array<Option, kOptionsMax> options;
    const std::size_t count = gather(options);
    // A death is no way on: who sleeps must be able to go on without one.
    const bool stuck = std::none_of(
        options.begin(), options.begin() + count,
        [](const Option& one) { return one.deed == Deed::go || one.deed == Deed::end; });
    if (stuck && attachment_ != nullptr && attachment_->on_idle()) continue;
    if (stuck) {
      const bool asleep = std::any_of(processes_.begin(), processes_.end(), [](const auto& one) {
        return one->status == Process::Status::asleep;
      });
      if (asleep) failure_ = "everyone sleeps who is left";
      leave();
    }
    std::size_t chosen = 0;
    if (count > 1) {
      if (trail_.is_new() && seen_before()) {
        cut_ = true;
        leave();
      }
      chosen = pick(count);
    }
    if (carry_out(options[chosen])) return;
  }
}

bool Engine::carry_out(const Option& option) {
  switch (option.deed) {
    case Deed::end:
      leave();
    case Deed::go:
      go_on(option.process);
      return true;
    case Deed::wake:
      ++wakes_;
      wake(option.process);
      return false;
    case Deed::kill:
      kill(option.process);
      return false;
  }
  return false;
}

void Engine::go_on(std::size_t process) {
  if (process == running_ && !abandoned_) return;
  const bool could_go_on = in_process() && !abandoned_ && self().status == Process::Status::ready;
  if (could_go_on) ++preemptions_;
  Fiber& from = !in_process() ? outside_ : abandoned_ ? nowhere_ : self().fiber;
  running_ = process;
  abandoned_ = false;
  if (self().status == Process::Status::killed) {
    self().status = Process::Status::ready;
    if (tells_) tell("is restarted", {});
  }
  Fiber::change(from, self().fiber);
}

void Engine::kill(std::size_t index) {
  Process& process = *processes_[index];
  ++deaths_;
  ++process.deaths;
  if (index == running_) abandoned_ = true;
  if (tells_) story_.push_back("        " + process.name + " is killed");
  if (attachment_ != nullptr) attachment_->on_death(index);
  world_->died(index);
  process.changed = false;
  process.limit = 0;
  process.told.clear();
  process.answers.clear();
  process.history = mixed(0, process.deaths);
  process.status = process.recovery ? Process::Status::killed : Process::Status::dead;
  memory_.end(index);
  memory_.forget_reads(index);
  if (!process.recovery) return;
  process.work = process.recovery;
  begin(index);
}

Budget Engine::left() const {
  return {rest(bounds_.preemptions, preemptions_), rest(bounds_.deaths, deaths_),
          rest(bounds_.stale_reads, stale_reads_), rest(bounds_.spurious_wakes, wakes_)};
}

bool Engine::seen_before() {
  if (visited_ == nullptr || trail_.is_random()) return false;
  std::uint64_t hash = memory_.state();
  for (const auto& process : processes_) {
    hash = mixed(hash, process->history);
    hash = mixed(hash, static_cast<std::uint64_t>(process->status) * 2 + process->changed);
  }
  // Who runs may go on for nothing, where preemptions are counted.
  if (bounds_.preemptions != kUnbounded || bounds_.deaths > deaths_) {
    hash = mixed(hash, abandoned_ ? kProcessesMax : running_);
  }
  if (attachment_ != nullptr) hash = mixed(hash, attachment_->state());
  world_->ghost([&](std::uint64_t word) { hash = mixed(hash, word); });
  return !visited_->insert(hash, left());
}

// ---- the story

void Engine::tell(const std::string& what, const Place& at) {
  std::string line = in_process() ? self().name : "set-up";
  line.resize(std::max<std::size_t>(line.size() + 1, 14), ' ');
  line += what;
  if (at.line() != 0) {
    const std::string file = at.file_name();
    line.resize(std::max<std::size_t>(line.size() + 2, 70), ' ');
    line += file.substr(file.rfind('/') + 1) + ":" + std::to_string(at.line());
  }
  story_.push_back(std::move(line));
}

std::string Engine::name_of(const void* word) const {
  const auto found = names_.find(word);
  return found == names_.end() ? std::string("a word") : found->second.text;
}

std::string Engine::value_of(const void* word, std::uint64_t value) const {
  const auto found = names_.find(word);
  if (found != names_.end() && found->second.writing) return found->second.writing(value);
  return std::to_string(value);
}

}  // namespace kith::testkit::explore::internal
