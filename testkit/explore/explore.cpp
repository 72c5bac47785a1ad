#include "testkit/explore/explore.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "testkit/explore/internal/engine.hpp"
#include "testkit/explore/internal/hash.hpp"

namespace kith::testkit::explore {
namespace {

using internal::Engine;
using internal::Trail;
using internal::Visited;

Engine& engine_for(const char* what) {
  Engine* engine = Engine::current();
  if (engine == nullptr) throw std::logic_error(std::string(what) + " outside of a model");
  return *engine;
}

std::string number(std::uint32_t bound) {
  return bound == kUnbounded ? "any number of" : std::to_string(bound);
}

std::string describe(const Bounds& bounds, const Result& result, bool stopped) {
  std::string text = "within " + number(bounds.preemptions) + " preemptions";
  if (bounds.deaths > 0) text += ", " + number(bounds.deaths) + " deaths";
  if (bounds.spurious_wakes > 0) text += ", " + number(bounds.spurious_wakes) + " idle wakes";
  if (bounds.memory == Memory::weak) {
    text += ", " + number(bounds.stale_reads) + " stale reads (weak memory)";
  } else {
    text += " (sequential memory)";
  }
  text += bounds.random_runs > 0 ? ": random, seed " + std::to_string(bounds.seed)
          : bounds.prune         ? ": all, by states"
                                 : ": all, run by run";
  if (result.exhausted) text += ", exhausted";
  if (stopped)
    text += ", NOT exhausted in " + std::to_string(static_cast<int>(bounds.seconds)) + " s";
  text += ": " + std::to_string(result.runs) + " runs, ";
  if (result.states > 0) text += std::to_string(result.states) + " states, ";
  return text + std::to_string(result.accesses) + " accesses, " + std::to_string(result.deaths) +
         " deaths, " + std::to_string(result.stale_reads) + " stale reads";
}

// One search. Splits the loop's body from its end conditions.
class Search {
 public:
  Search(const Bounds& bounds, const std::function<std::unique_ptr<World>()>& make)
      : bounds_(bounds),
        make_(make),
        began_(std::chrono::steady_clock::now()),
        engine_(bounds_, trail_, bounds.prune ? &visited_ : nullptr, false) {}

  Result result() {
    if (!bounds_.replay.empty()) {
      trail_ = Trail::from_text(bounds_.replay);
      one_run();
      if (result_.failure.empty() && trail_.left() > 0) {
        result_.failure = "the choices do not fit: " + std::to_string(trail_.left()) +
                          " of them were left; a replay wants the same model and the same bounds";
      }
    } else if (bounds_.random_runs > 0) {
      random_runs();
    } else {
      depth_first();
    }
    result_.states = visited_.size();
    result_.detail = describe(bounds_, result_, stopped_);
    if (!result_.failure.empty()) tell_failure();
    return std::move(result_);
  }

 private:
  // False if the search is over.
  bool one_run() {
    static_cast<void>(engine_.run(make_));
    const Engine& engine = engine_;
    ++result_.runs;
    result_.accesses += engine.accesses();
    result_.longest = std::max(result_.longest, engine.accesses());
    result_.deaths += engine.deaths();
    result_.stale_reads += engine.stale_reads();
    result_.failure = engine.failure();
    stopped_ = bounds_.seconds > 0 && result_.runs % 64 == 0 && seconds() > bounds_.seconds;
    return result_.failure.empty() && !stopped_;
  }

  void depth_first() {
    while (one_run()) {
      if (trail_.advance()) continue;
      result_.exhausted = true;
      break;
    }
  }

  void random_runs() {
    for (std::uint64_t i = 0; i < bounds_.random_runs; ++i) {
      trail_.at_random(internal::mixed(bounds_.seed, i));
      if (!one_run()) break;
    }
  }

  // Once more, telling what happens.
  void tell_failure() {
    result_.replay = trail_.text();
    Trail again = Trail::from_text(result_.replay);
    Engine engine(bounds_, again, nullptr, true);
    static_cast<void>(engine.run(make_));
    // Only a run that is told knows the words by their names.
    const bool alike = !engine.failure().empty();
    std::string story = (alike ? engine.failure() : result_.failure) + "\n";
    for (const std::string& line : engine.story()) story += "  " + line + "\n";
    if (!alike) story += "  (told again, it ended otherwise)\n";
    result_.failure = story + "  replay: " + result_.replay;
  }

  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

  const Bounds& bounds_;
  const std::function<std::unique_ptr<World>()>& make_;
  std::chrono::steady_clock::time_point began_;
  Trail trail_;
  Visited visited_;
  Engine engine_;
  Result result_;
  bool stopped_ = false;
};

}  // namespace

Result explore(const Bounds& bounds, const std::function<std::unique_ptr<World>()>& make) {
  return Search(bounds, make).result();
}

void World::process(std::string name, Work work, Work recovery) {
  engine_for("process()").add_process(std::move(name), std::move(work), std::move(recovery), true);
}

void World::immortal_process(std::string name, Work work) {
  engine_for("process()").add_process(std::move(name), std::move(work), nullptr, false);
}

void World::called(const void* word, std::string name, Writing writing) {
  Engine& engine = engine_for("called()");
  if (engine.tells()) engine.name_word(word, std::move(name), std::move(writing));
}

void fail(const std::string& why) {
  engine_for("fail()").fail(why);
}

void settle(std::initializer_list<std::uint64_t> remembered, Place at) {
  auto& process = engine_for("settle()").self();
  process.history = internal::mixed(at.line(), at.column());
  process.history = internal::mixed(process.history, process.deaths);
  for (const std::uint64_t word : remembered) {
    process.history = internal::mixed(process.history, word);
  }
  for (const auto& [word, value] : process.told) {
    process.history = internal::mixed(process.history, value);
  }
}

void act() {
  engine_for("act()").self().changed = true;
}

std::uint32_t choose(std::uint32_t count) {
  return engine_for("choose()").choose(count);
}

bool is_weak() {
  return engine_for("is_weak()").memory().is_weak();
}

std::uint32_t deaths_so_far() {
  return engine_for("deaths_so_far()").self().deaths;
}

AccessLimit::AccessLimit(const char* operation, std::uint32_t most) {
  auto& process = engine_for("AccessLimit").self();
  process.limited = operation;
  process.limit = process.accesses + most;
}

AccessLimit::~AccessLimit() {
  engine_for("AccessLimit").self().limit = 0;
}

}  // namespace kith::testkit::explore
