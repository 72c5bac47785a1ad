#include "cli/mesh/supervisor.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <numeric>
#include <optional>
#include <poll.h>
#include <random>
#include <thread>
#include <unistd.h>
#include <vector>

#include "kith/member/member.hpp"

#include "cli/mesh/books.hpp"
#include "cli/mesh/children.hpp"
#include "cli/mesh/control.hpp"
#include "cli/mesh/key_parser.hpp"
#include "cli/mesh/keyboard.hpp"
#include "cli/mesh/leftovers.hpp"
#include "cli/mesh/say.hpp"
#include "cli/mesh/signals.hpp"
#include "cli/place.hpp"

namespace kith::mesh {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Status = Children::Status;

class Supervisor {
 public:
  explicit Supervisor(const Options& options)
      : options_(options),
        domain_(options.place()),
        signals_({SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGCONT}),
        member_(Member::join(domain_)),
        control_(create_control(domain_, options_)),
        parser_(options.processes),
        restart_(options.processes, false) {
    settle_leftovers(domain_, options_, signals_);
    children_.emplace(options_);
    launches_.resize(options_.processes);
    std::iota(launches_.begin(), launches_.end(), 0u);
  }

  int run() {
    say("mesh: {} processes in {}", options_.processes, domain_.path());
    say("mesh: type a process's number{} to kill it or to start it again, q to end",
        options_.processes > 10 ? " and Enter" : "");
    keyboard_.emplace(options_.processes > 10);
    try {
      while (!over_) step();
    } catch (const std::exception& error) {
      cli::complain(error.what());
      ++failures_;
    }
    return finish();
  }

 private:
  // ---- one turn of the loop: start who is due, sleep until something happens, see to it ----

  void step() {
    launch();
    sleep_until_something();
    take_signals();
    take_keys();
    take_deaths();
    make_chaos();
    const bool time_over = end_ && Clock::now() >= *end_;
    const bool nobody_left = children_->alive() == 0 && launches_.empty() && input_ended_;
    if (is_removed() || time_over || nobody_left) over_ = true;
  }

  // Somebody removed the mesh by force: its processes have noticed, too.
  bool is_removed() {
    if (Clock::now() < next_look_) return false;
    next_look_ = Clock::now() + 1s;
    if (!control_.is_orphaned()) return false;
    say("mesh: somebody removed it");
    ++failures_;
    return true;
  }

  // A few at a time: a process that starts takes locks of every channel, and on few processors the
  // others would only wait for it.
  void launch() {
    std::erase_if(launching_, [&](std::uint32_t i) {
      return children_->status(i) != Status::running ||
             state_of(control_->cells[i]) != State::absent;
    });
    while (!launches_.empty() && launching_.size() < launching_max_) {
      launching_.push_back(launches_.front());
      children_->start(launches_.front());
      launches_.pop_front();
    }
    if (began_ || !launches_.empty() || !launching_.empty()) return;
    began_ = Clock::now();
    if (options_.seconds) {
      end_ = *began_ + std::chrono::duration_cast<Clock::duration>(*options_.seconds);
    }
    if (options_.chaos) next_kill_ = *began_;
  }

  void sleep_until_something() {
    auto wake = Clock::now() + 1s;
    if (!launching_.empty()) wake = std::min(wake, Clock::now() + 2ms);
    if (end_) wake = std::min(wake, *end_);
    if (next_kill_) wake = std::min(wake, *next_kill_);
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now()).count();
    pollfd ready[] = {{signals_.descriptor(), POLLIN, 0},
                      {keyboard_->descriptor(), POLLIN, 0},
                      {STDOUT_FILENO, 0, 0}};
    ::poll(ready, 3, static_cast<int>(std::max<std::int64_t>(time, 0)));
    typed_ = ready[1].revents != 0;
    // The reader of our lines is gone, as in `kith mesh 3 | head`.
    if ((ready[2].revents & (POLLERR | POLLHUP)) != 0) over_ = true;
  }

  void take_signals() {
    while (const auto signal = signals_.next()) {
      if (*signal == SIGCONT) {
        keyboard_->take_terminal();
      } else if (*signal != SIGCHLD) {
        over_ = true;
      }
    }
  }

  // Without a terminal and after the end of a pipe the mesh goes on: until its time is over, a
  // signal comes, or nobody is left whom anybody could start again.
  void take_keys() {
    if (!typed_) return;
    const auto typed = keyboard_->read();
    if (!typed) input_ended_ = true;
    for (const Key& key : typed ? parser_.parse(*typed) : parser_.finish()) {
      switch (key.kind) {
        case Key::Kind::quit:
          over_ = true;
          return;
        case Key::Kind::no_such_process:
          say("mesh: there is no process {}, only 0 to {}", key.number, options_.processes - 1);
          break;
        case Key::Kind::toggle:
          toggle(key.process);
          break;
      }
    }
  }

  void toggle(std::uint32_t index) {
    if (std::find(launches_.begin(), launches_.end(), index) != launches_.end()) {
      say("mesh: process {} has not been started yet", index);
      return;
    }
    switch (children_->status(index)) {
      case Status::running:
        kill(index);
        break;
      case Status::dying:
        restart_[index] = !restart_[index];
        break;
      case Status::down:
        start_again(index);
        break;
    }
  }

  void kill(std::uint32_t index) {
    children_->kill(index);
    ++kills_;
    say("mesh: process {} killed", index);
  }

  void start_again(std::uint32_t index) {
    children_->start(index);
    say("mesh: process {} started again", index);
  }

  void take_deaths() {
    while (const auto ended = children_->reap()) {
      set_state(control_->cells[ended->index], State::absent);
      if (ended->killed && !ended->killed_by_us) {
        ++kills_;
        say("mesh: process {} was killed by somebody else", ended->index);
      } else if (ended->failed || (!ended->killed && !over_)) {
        say("mesh: process {} ended {}", ended->index, ended->how);
      }
      if (ended->failed) ++failures_;
      if (!ended->killed) next_look_ = Clock::now();  // it may have seen the mesh removed
      // The others would wait for it for ever.
      if (ended->failed && !began_) over_ = true;
      if (restart_[ended->index] && !over_) {
        start_again(ended->index);
      }
      restart_[ended->index] = false;
    }
  }

  void make_chaos() {
    if (!next_kill_ || Clock::now() < *next_kill_) return;
    std::vector<std::uint32_t> running;
    for (std::uint32_t i = 0; i < options_.processes; ++i) {
      if (children_->status(i) == Status::running) running.push_back(i);
    }
    if (!running.empty()) {
      const std::uint32_t victim = running[random_() % running.size()];
      restart_[victim] = true;
      kill(victim);
    }
    // Half to one and a half times the time asked for, so that kills fall in step with nothing.
    const auto microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(*options_.chaos).count();
    std::uniform_int_distribution<std::int64_t> about(microseconds / 2, microseconds * 3 / 2);
    next_kill_ = Clock::now() + std::chrono::microseconds(about(random_));
  }

  // ---- the end: everybody parks, the books are taken, everybody closes ----

  int finish() {
    const auto ended = Clock::now();
    keyboard_.reset();
    launches_.clear();
    restart_.assign(restart_.size(), false);
    set_phase(*control_, Phase::parking);
    wait_for_all([&](std::uint32_t i) { return state_of(control_->cells[i]) == State::parked; });
    const Books books = take_books();
    set_phase(*control_, Phase::closing);
    wait_for_all([](std::uint32_t) { return false; });
    remove_channels(domain_);

    const double seconds = std::chrono::duration<double>(ended - began_.value_or(ended)).count();
    say_books(books, options_.processes, seconds);
    if (failures_ > 0) say("mesh: failures {}", failures_);
    const bool idle = (books.writes == 0 || books.reads == 0) && seconds >= 1;
    if (idle) say("mesh: nothing was written or read");
    const bool fine = books.balance() && failures_ == 0 && !idle;
    if (options_.json) print_books(books, options_.processes, seconds, failures_, fine);
    return fine ? cli::kFine : cli::kProblem;
  }

  // Until everybody who runs is `done` or dead. A second signal, or too long a wait, kills the
  // rest.
  template <class Done>
  void wait_for_all(const Done& done) {
    const auto patience = Clock::now() + 10s + options_.processes * 60ms;
    bool killed = false;
    children_->tell_all();
    while (!all(done)) {
      std::this_thread::sleep_for(1ms + options_.processes * 10us);
      bool hurry = false;
      while (const auto signal = signals_.next()) {
        hurry = hurry || (*signal != SIGCHLD && *signal != SIGCONT);
      }
      take_deaths();
      const bool late = Clock::now() > patience;
      if (killed || !(hurry || late)) continue;
      if (late) ++failures_;
      say("mesh: {}: the processes that are left are killed", late ? "too late" : "told twice");
      children_->kill_all();
      killed = true;
    }
  }

  template <class Done>
  bool all(const Done& done) {
    for (std::uint32_t i = 0; i < options_.processes; ++i) {
      if (children_->status(i) == Status::dying) return false;
      if (children_->status(i) == Status::running && !done(i)) return false;
    }
    return true;
  }

  Books take_books() {
    std::vector<bool> runs(options_.processes);
    for (std::uint32_t i = 0; i < options_.processes; ++i) {
      runs[i] = children_->status(i) == Status::running;
    }
    Books books = sum_up(*control_, options_.processes);
    books.kills = kills_;
    books.restarts = children_->restarts();
    books.leaked = count_leaked_slots(domain_, *control_, runs);
    return books;
  }

  // In the order of their making; the member comes before the objects, so that it leaves after
  // them, finds the domain empty and takes it along.
  const Options options_;
  const Domain domain_;
  const Signals signals_;  // before anything that a signal could leave behind
  const Member member_;
  ControlRegion control_;
  KeyParser parser_;
  std::optional<Children> children_;
  std::optional<Keyboard> keyboard_;

  const std::size_t launching_max_ = std::max(2u, 2 * std::thread::hardware_concurrency());
  std::deque<std::uint32_t> launches_;      // not started yet, once
  std::vector<std::uint32_t> launching_;    // started, and still opening channels
  std::vector<bool> restart_;               // start again when it is dead
  std::optional<Clock::time_point> began_;  // when all had been started
  std::optional<Clock::time_point> end_;
  std::optional<Clock::time_point> next_kill_;
  Clock::time_point next_look_ = Clock::now() + 1s;  // whether the mesh is still there
  std::uint64_t kills_ = 0;
  std::uint64_t failures_ = 0;
  bool typed_ = false;
  bool input_ended_ = false;
  bool over_ = false;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace

int run_supervisor(const Options& options) {
  return Supervisor(options).run();
}

}  // namespace kith::mesh
