// Engine: one run of a model, from its beginning to its end, along a list of choices.
#pragma once

#include <any>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "testkit/explore/explore.hpp"
#include "testkit/explore/internal/fiber.hpp"
#include "testkit/explore/internal/memory.hpp"
#include "testkit/explore/internal/mutants.hpp"
#include "testkit/explore/internal/trail.hpp"
#include "testkit/explore/internal/visited.hpp"

namespace kith::testkit::explore::internal {

struct Process {
  enum class Status {
    ready,
    asleep,
    killed,  // may come back, or not
    done,
    dead,
  };

  std::string name;
  World::Work work;
  World::Work recovery;
  bool mortal = true;

  Fiber fiber;
  Status status = Status::ready;
  std::uint64_t history = 0;  // of all it was told: with the code, this is its whole state
  bool changed = true;        // something since its last chance to die
  std::uint32_t deaths = 0;
  std::uint64_t accesses = 0;
  std::uint64_t limit = 0;  // of accesses; 0: none
  const char* limited = nullptr;
  std::map<const void*, std::uint64_t> told;  // its last look at each word, for one kind of mutant
  std::map<std::string, std::any> answers;    // the kernel's last about each thing, for the same
};

// What the kernel's model hangs on a run: see kernel.hpp.
class Attachment {
 public:
  virtual ~Attachment() = default;
  virtual void on_death(std::size_t process) = 0;
  // Nobody can go on: true if somebody can now.
  virtual bool on_idle() = 0;
  [[nodiscard]] virtual std::uint64_t state() const = 0;
};

class Engine {
 public:
  // One engine makes all runs of a search, one after the other.
  Engine(const Bounds& bounds, Trail& trail, Visited* visited, bool tells);

  // The engine whose model is being built or run; a word outside of any is just a word.
  static Engine* current() noexcept;

  enum class End { whole, cut };  // cut: it came to a state that was seen
  End run(const std::function<std::unique_ptr<World>()>& make);
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  [[nodiscard]] const std::vector<std::string>& story() const noexcept { return story_; }
  [[nodiscard]] std::uint64_t accesses() const noexcept { return accesses_; }
  [[nodiscard]] std::uint64_t deaths() const noexcept { return deaths_; }
  [[nodiscard]] std::uint64_t stale_reads() const noexcept { return stale_reads_; }

  // ---- the model's set-up
  void add_process(std::string name, World::Work work, World::Work recovery, bool mortal);
  void name_word(const void* word, std::string name, World::Writing writing) {
    names_[word] = {std::move(name), std::move(writing)};
  }
  void attach(Attachment& attachment) { attachment_ = &attachment; }
  [[nodiscard]] Memory& memory() noexcept { return memory_; }

  // ---- calls of the running process
  [[nodiscard]] bool in_process() const noexcept { return running_ < processes_.size(); }
  [[nodiscard]] std::size_t running() const noexcept { return running_; }
  [[nodiscard]] Process& self() noexcept { return *processes_[running_]; }
  // The process stands before an access: whoever is chosen goes on, and this returns when it is us.
  void before_access();
  // We were told this: a part of our state.
  void note(std::uint64_t word) noexcept;
  std::uint32_t choose(std::uint32_t count);
  std::size_t choose_older(const Location& location, std::memory_order order);
  // Sleeps until woken, or for no reason where the bounds let it.
  void sleep();
  void wake(std::size_t process);
  [[nodiscard]] bool is_asleep(std::size_t process) const;
  // Something happened to it that its death would undo.
  void may_die_now(std::size_t process);
  [[noreturn]] void fail(const std::string& why);

  [[nodiscard]] bool tells() const noexcept { return tells_; }
  void tell(const std::string& what, const Place& at);
  // "claim 3: 17", or without a value "claim 3".
  [[nodiscard]] std::string name_of(const void* word) const;
  [[nodiscard]] std::string value_of(const void* word, std::uint64_t value) const;

 private:
  enum class Deed : std::uint8_t { go, kill, wake, end };
  struct Option {
    Deed deed;
    std::uint8_t process;
  };
  static constexpr std::size_t kOptionsMax = 4 * kProcessesMax;

  void schedule();
  std::uint32_t pick(std::size_t count);
  std::size_t gather(std::array<Option, kOptionsMax>& options) const;
  [[nodiscard]] bool may_die(std::size_t process) const;
  [[nodiscard]] bool may_run(std::size_t process) const;
  [[nodiscard]] bool seen_before();
  // True if it came back to who called schedule().
  bool carry_out(const Option& option);
  void go_on(std::size_t process);
  void begin(std::size_t process);
  void kill(std::size_t process);
  void clear();
  [[noreturn]] void leave();  // the run: back to run()
  [[nodiscard]] Budget left() const;

  const Bounds& bounds_;
  Trail& trail_;
  Visited* visited_;
  bool tells_;
  Memory memory_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::unique_ptr<World> world_;
  Attachment* attachment_ = nullptr;
  Fiber outside_;
  Fiber nowhere_;  // the stack of who will never return to it
  std::size_t running_ = kProcessesMax;
  bool abandoned_ = false;  // who runs was killed, or is done: its stack only carries the choice on
  std::uint32_t preemptions_ = 0;
  std::uint32_t deaths_ = 0;
  std::uint32_t stale_reads_ = 0;
  std::uint32_t wakes_ = 0;
  std::uint64_t accesses_ = 0;
  bool cut_ = false;
  std::string failure_;
  std::vector<std::string> story_;
  struct Name {
    std::string text;
    World::Writing writing;
  };
  std::map<const void*, Name> names_;
};

}  // namespace kith::testkit::explore::internal
