// Vandals spoil the world's files while operations run: numbers change between two looks at them,
// files lose their pages between a check and a use. There are two. TurnVandal changes numbers after
// each look that the library takes at shared bytes (shared_pages.hpp), the same way in every run.
// ThreadVandal changes and cuts at any moment.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "tests/hostile/script.hpp"
#include "tests/hostile/world.hpp"

namespace kith::hostile {

inline constexpr std::size_t kVandalWorksMax = 8;
struct VandalWork {
  Deed deed = Deed::flip;
  int file = -1;
  std::uint64_t offset = 0;
  std::uint8_t width = 8;
  std::array<std::uint64_t, 2> values{};  // in turn; sizes of a file that is cut
};

class TurnVandal {
 public:
  TurnVandal() = default;
  ~TurnVandal() { end(); }
  TurnVandal(const TurnVandal&) = delete;
  TurnVandal& operator=(const TurnVandal&) = delete;

  // From now on, beside what it does already, a flip. More than it can do is ignored.
  static void begin(const World& world, const Step& step);
  static void end();
};

class ThreadVandal {
 public:
  ThreadVandal();
  ~ThreadVandal();
  ThreadVandal(const ThreadVandal&) = delete;
  ThreadVandal& operator=(const ThreadVandal&) = delete;

  // The same, of a flip or a cut_meanwhile.
  void begin(const World& world, const Step& step);
  // Returns when it has stopped; the files have their sizes then.
  void end();

 private:
  void run();

  std::array<VandalWork, kVandalWorksMax> works_;
  std::atomic<std::size_t> count_{0};  // works that are there to be done
  std::mutex mutex_;
  std::condition_variable changed_;
  bool idle_ = true;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace kith::hostile
