#include "tests/hostile/vandal.hpp"

#include <unistd.h>

#include "tests/hostile/shared_pages.hpp"

namespace kith::hostile {
namespace {

// What a step asks for, the right value first.
VandalWork work_from(const World& world, const Step& step) {
  const std::size_t file = step.file % world.files();
  const std::uint64_t size = world.size(file);
  VandalWork work;
  work.deed = step.deed;
  work.file = world.file(file);
  work.width = step.width;
  if (step.deed != Deed::flip) {
    work.values = {size, step.offset % size};
    return work;
  }
  work.offset = step.offset % size / step.width * step.width;
  // Of a file that is cut short already, a zero.
  (void)!::pread(work.file, &work.values[0], work.width, static_cast<off_t>(work.offset));
  work.values[1] = step.value;
  return work;
}

// By system calls, which need no mapping that a cut could take the pages of.
void carry_out(const VandalWork& work, std::size_t turn) {
  const std::uint64_t value = work.values[turn];
  if (work.deed == Deed::flip) {
    (void)!::pwrite(work.file, &value, work.width, static_cast<off_t>(work.offset));
  } else {
    (void)!::ftruncate(work.file, static_cast<off_t>(value));
  }
}

// Of the one TurnVandal there is at a time; read by a signal handler of the same thread.
std::array<VandalWork, kVandalWorksMax> turn_works;
std::size_t turn_count = 0;
std::uint64_t turn_random = 1;

// Neither value twice as often as the other, nor in any order that a reader could go along with.
void take_turn() {
  turn_random ^= turn_random << 13;
  turn_random ^= turn_random >> 7;
  turn_random ^= turn_random << 17;
  for (std::size_t i = 0; i < turn_count; ++i) carry_out(turn_works[i], turn_random >> (8 + i) & 1);
}

}  // namespace

void TurnVandal::begin(const World& world, const Step& step) {
  if (turn_count == kVandalWorksMax) return;
  const Unwatched unwatched;
  if (turn_count == 0) turn_random = 0x9e3779b97f4a7c15;
  turn_works[turn_count++] = work_from(world, step);
  if (turn_count == 1) watch_pages(&take_turn);
}

void TurnVandal::end() {
  end_watching_pages();
  turn_count = 0;
}

ThreadVandal::ThreadVandal() : thread_([this] { run(); }) {}

ThreadVandal::~ThreadVandal() {
  end();
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ThreadVandal::begin(const World& world, const Step& step) {
  const std::size_t count = count_.load(std::memory_order_relaxed);
  if (count == kVandalWorksMax) return;
  works_[count] = work_from(world, step);
  const std::scoped_lock lock(mutex_);
  // release: the work is whole before the thread can find it.
  count_.store(count + 1, std::memory_order_release);
  changed_.notify_all();
}

void ThreadVandal::end() {
  const std::size_t count = count_.load(std::memory_order_relaxed);
  if (count == 0) return;
  count_.store(0, std::memory_order_relaxed);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return idle_; });
  for (std::size_t i = 0; i < count; ++i) {
    if (works_[i].deed == Deed::cut_meanwhile) carry_out(works_[i], 0);
  }
}

void ThreadVandal::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      idle_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return over_ || count_.load(std::memory_order_acquire) > 0; });
      if (over_) return;
      idle_ = false;
    }
    std::size_t turn = 0;
    for (std::size_t count = 0; (count = count_.load(std::memory_order_acquire)) > 0; ++turn) {
      for (std::size_t i = 0; i < count; ++i) carry_out(works_[i], turn % 2);
    }
  }
}

}  // namespace kith::hostile
