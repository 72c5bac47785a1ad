// Explorer: runs a small model of several processes through every order of their accesses to shared
// memory, and kills them in between; reports the first run in which something was wrong.
//
//   #include "testkit/explore/atomics.hpp"           // Atomics and Payload
//
//   struct Handover : World {
//     Atomics::Word<std::uint64_t> ready;
//     Payload<std::uint64_t> message;
//     Handover() {
//       process("writer", [this] {
//         message.write(7);
//         ready.store(1, std::memory_order_release);
//       });
//       process("reader", [this] {
//         if (ready.load(std::memory_order_acquire) == 1 && message.read() != 7) fail("torn");
//       });
//     }
//   };
//   const Result result = explore<Handover>({.preemptions = kUnbounded, .memory = Memory::weak});
//   std::cout << result.detail << '\n' << result.failure;
//
// The code under test is the code that ships: a template over an atomics policy, given Atomics from
// atomics.hpp instead of std::atomic; calls of the kernel are modelled by kernel.hpp.
//
// Method       each process is a fiber. At every access to a shared word somebody else may go on
//              (a preemption), the running process may be killed, and under weak memory a load may
//              return an older value. Depth first over these choices, each run replayed from its
//              beginning by the list of its choices; a run ends where it comes to a state that was
//              seen (`prune`). After Relacy (D. Vyukov) and CHESS (M. Musuvathi et al., 2008: bound
//              the preemptions, not the length), with stores and views for weak memory as in
//              "promising" semantics without promises (J. Kang et al., 2017).
// Left out     what could only happen if a load saw a store that its own process makes later;
//              stores of one word that overtake each other; accesses of mixed size. Whoever is
//              killed dies after a store, a call of the kernel or at its beginning: a death after
//              a load leaves what the death before it left.
// States       two are one if all words, all histories of what the processes were told since they
//              last said settle(), and all of World::ghost() are alike; by a 64-bit hash.
// Callers      one thread of a process at a time; not under sanitizers, which know no fibers.
// A peer dies  it is what it does.
// Cost         1 to 3 million accesses a second; memory: 16 bytes a state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "testkit/explore/place.hpp"

namespace kith::testkit::explore {

inline constexpr std::size_t kProcessesMax = 8;  // of one model
inline constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();

enum class Memory {
  sequential,  // every access as if it were seq_cst; torn payloads are found by their content
  weak,        // as the C++ memory model permits; payloads are searched for data races
};

struct Bounds {
  std::uint32_t preemptions = 2;     // of processes that could have gone on, in one run
  std::uint32_t deaths = 0;          // in one run; each restarted, or for good
  std::uint32_t stale_reads = 2;     // loads that return an older value, in one run (weak only)
  std::uint32_t spurious_wakes = 0;  // sleepers that wake for no reason, in one run
  Memory memory = Memory::sequential;
  bool prune = true;                  // false: no states are kept; every run goes to its end
  std::uint64_t random_runs = 0;      // instead of depth first: so many runs with random choices
  std::uint64_t seed = 1;             // of those
  std::uint32_t accesses_max = 5000;  // of one run; more is taken for one without end
  double seconds = 0;                 // stop then, not exhausted; 0: never
  std::string replay;                 // only this run, as Result::replay has it; all else as then
};

struct Result {
  std::uint64_t runs = 0;
  std::uint64_t states = 0;  // kept by `prune`
  std::uint64_t accesses = 0;
  std::uint64_t deaths = 0;
  std::uint64_t stale_reads = 0;
  std::uint64_t longest = 0;  // accesses of the longest run
  bool exhausted = false;     // every run within the bounds was made, or is as good as one made
  std::string failure;        // "" or what was wrong and how it came to it, line by line
  std::string replay;         // for Bounds::replay
  std::string detail;         // method, bounds and figures in one line

  // False also when nothing was tried.
  [[nodiscard]] bool fine() const { return failure.empty() && runs > 0; }
};

// A model: shared memory, processes and what must hold. Built anew for every run, so its members
// are the memory at its beginning; what its constructor does, everybody has seen. Words outside of
// it are not made anew, and carry one run's end into the next.
class World {
 public:
  using Work = std::function<void()>;
  using Writing = std::function<std::string(std::uint64_t)>;

  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  // Nobody runs any more: the books. Say fail() if they do not balance.
  virtual void at_end() {}
  // The process, by its turn in the constructor, has just been killed.
  virtual void died(std::size_t /*process*/) {}
  // What the model itself remembers, and its outcome depends on, beside its words and processes:
  // mixed into `hash` by the order of calls.
  virtual void ghost(const std::function<void(std::uint64_t)>& /*note*/) const {}

 protected:
  // At most kProcessesMax. With `recovery`, who is killed may come back and do that instead.
  void process(std::string name, Work work, Work recovery = nullptr);
  // Will not be killed.
  void immortal_process(std::string name, Work work);
  // The name under which reports speak of a word, and how they write its values.
  static void called(const void* word, std::string name, Writing writing = nullptr);
};

// ---- For the processes of a model:

// The run is wrong: it ends here. Never returns.
[[noreturn]] void fail(const std::string& why);
inline void require(bool holds, const char* why) {
  if (!holds) fail(why);
}

// "All that this process remembers from here on is this." Lets runs be seen to come to the same
// state; a lie hides states.
void settle(std::initializer_list<std::uint64_t> remembered, Place at = Place::current());

// "Something of this process can be seen from outside by now": it may die here, as after a store.
void act();

// One of `count` ways to go on, each of which is tried.
[[nodiscard]] std::uint32_t choose(std::uint32_t count);

// Whether loads may return older values in this run.
[[nodiscard]] bool is_weak();

// How often this process was killed so far.
[[nodiscard]] std::uint32_t deaths_so_far();

// While one lives, its process may make so many accesses to shared words and not one more: that an
// operation is wait-free is counted.
class AccessLimit {
 public:
  AccessLimit(const char* operation, std::uint32_t most);
  ~AccessLimit();
  AccessLimit(const AccessLimit&) = delete;
  AccessLimit& operator=(const AccessLimit&) = delete;
};

// ---- The search:

[[nodiscard]] Result explore(const Bounds& bounds,
                             const std::function<std::unique_ptr<World>()>& make);

template <class Model, class... Arguments>
[[nodiscard]] Result explore(const Bounds& bounds, const Arguments&... arguments) {
  return explore(bounds,
                 [&]() -> std::unique_ptr<World> { return std::make_unique<Model>(arguments...); });
}

}  // namespace kith::testkit::explore
