#include "tests/prove/lock_trial.hpp"

#include <chrono>
#include <fstream>
#include <new>
#include <span>
#include <stdexcept>
#include <sys/mman.h>
#include <thread>

#include "kith/region/layout.hpp"
#include "kith/sync/internal/mutex_word.hpp"

namespace kith::prove {

Shared& shared() {
  static auto& only = *new (::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared{};
  return only;
}

void share(testkit::Subject& subject) {
  Shared* const bytes = &shared();
  subject.clean_up = [bytes, remove = subject.clean_up] {
    remove();
    new (bytes) Shared{};
  };
  subject.watched_memory = {std::as_bytes(std::span(bytes, 1))};
}

// relaxed, here and below: ordered by the lock, which is what is being tried.
void begin_change() {
  shared().first.fetch_add(1, std::memory_order_relaxed);
}
void end_change() {
  shared().second.store(shared().first.load(std::memory_order_relaxed), std::memory_order_relaxed);
}
void change() {
  begin_change();
  end_change();
}
bool is_whole() {
  return shared().first.load(std::memory_order_relaxed) ==
         shared().second.load(std::memory_order_relaxed);
}

Deadline patience() {
  return Deadline::after(std::chrono::seconds(3));
}

void expect(LockAnswer answer, LockAnswer expected) {
  if (answer == expected) return;
  throw std::runtime_error("the lock answered " + std::string(to_string(answer)));
}

std::uint64_t word_in_file(const World& world, const std::string& object, std::uint64_t offset) {
  std::ifstream file(world.path() + "/" + object, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(internal::kRegionHeaderSize + offset));
  std::uint64_t word = 0;
  file.read(reinterpret_cast<char*>(&word), sizeof word);
  return file ? word : 0;
}

LockAnswer due(std::uint64_t word) {
  using internal::MutexWord;
  if (MutexWord::is_retired(word)) return LockAnswer::retired;
  const bool died = MutexWord::is_held(word) || (word & MutexWord::kInconsistent) != 0;
  return died ? LockAnswer::owner_died : LockAnswer::acquired;
}

void say_sleeper(bool got_it) {
  // release: what the sleeper did; pairs with the acquire below.
  shared().sleeper.store(got_it ? 1 : 2, std::memory_order_release);
}

std::string sleeper_was_woken() {
  const Deadline deadline = patience();
  std::uint32_t said = 0;
  while ((said = shared().sleeper.load(std::memory_order_acquire)) == 0) {
    if (deadline.has_passed()) return "the one asleep is still asleep";
    std::this_thread::yield();
  }
  return demand(said == 1, "the one asleep got something else");
}

}  // namespace kith::prove
