#include "kith/os/truncation_guard.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "kith/os/fork.hpp"

namespace kith::os {
namespace {

using Address = std::uintptr_t;

// Notes in chunks that are never freed, so that the signal handler can go through them without a
// lock. All of it is written under a ForkGuard.
struct Chunk {
  std::array<MappingNote, 256> notes;
  Chunk* next = nullptr;
};

std::atomic<Chunk*> first_chunk{nullptr};
struct sigaction former {};

std::vector<MappingNote*>& unused_notes() {
  static auto& only = *new std::vector<MappingNote*>;  // outlives static destructors
  return only;
}

bool make_notes() noexcept {
  auto* chunk = new (std::nothrow) Chunk;
  if (chunk == nullptr) return false;
  try {
    unused_notes().reserve(unused_notes().capacity() + chunk->notes.size());
  } catch (const std::bad_alloc&) {
    delete chunk;
    return false;
  }
  for (MappingNote& note : chunk->notes) unused_notes().push_back(&note);
  chunk->next = first_chunk.load(std::memory_order_relaxed);
  // release: the chunk is whole before the handler can find it.
  first_chunk.store(chunk, std::memory_order_release);
  return true;
}

MappingNote* note_around(Address address) noexcept {
  for (Chunk* chunk = first_chunk.load(std::memory_order_acquire); chunk != nullptr;
       chunk = chunk->next) {
    for (MappingNote& note : chunk->notes) {
      const Address begin = note.begin.load(std::memory_order_acquire);
      // acquire, and the beginning again: a note that was re-used in between has another's size.
      const std::size_t size = note.size.load(std::memory_order_acquire);
      const bool is_one = note.begin.load(std::memory_order_relaxed) == begin;
      if (is_one && begin != 0 && address >= begin && address - begin < size) return &note;
    }
  }
  return nullptr;
}

// Only system calls that a signal handler may make, and atomics.
bool replace_lost_page(void* at) noexcept {
  const auto address = reinterpret_cast<Address>(at);
  MappingNote* note = note_around(address);
  if (note == nullptr) return false;
  // Before the zeros: another thread that finds them, and then asks, is told as well.
  note->lost.store(true, std::memory_order_seq_cst);
  const Address page = page_size();
  void* begin = reinterpret_cast<void*>(address / page * page);
  // Readable and writable, whatever the mapping was: nobody else sees what is written there.
  const void* mapped =
      ::mmap(begin, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return mapped != MAP_FAILED;
}

void hand_on(int number, siginfo_t* info, void* context) noexcept {
  if ((former.sa_flags & SA_SIGINFO) != 0 && former.sa_sigaction != nullptr) {
    former.sa_sigaction(number, info, context);
  } else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
    former.sa_handler(number);
  } else {
    // Back to the default, under which the same instruction, tried again, ends the process.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(SIGBUS, &standard, nullptr);
    // One that a process sent has no instruction to try again. Delivered when the handler returns.
    if (info->si_code <= 0) ::raise(number);
  }
}

void on_bus_error(int number, siginfo_t* info, void* context) noexcept {
  const int error = errno;
  const bool is_ours = info->si_code == BUS_ADRERR && replace_lost_page(info->si_addr);
  if (!is_ours) hand_on(number, info, context);
  errno = error;
}

}  // namespace

void guard_truncation() noexcept {
  static const bool installed = [] {
    static_cast<void>(page_size());  // known from now on, so that the handler need not ask
    struct sigaction action {};
    action.sa_sigaction = &on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    ::sigaction(SIGBUS, &action, &former);
    return true;
  }();
  static_cast<void>(installed);
}

GuardedPages::GuardedPages(const Mapping& mapping) noexcept {
  const ForkGuard guard;
  if (unused_notes().empty() && !make_notes()) return;
  note_ = unused_notes().back();
  unused_notes().pop_back();
  note_->lost.store(false, std::memory_order_relaxed);
  note_->size.store(mapping.size(), std::memory_order_relaxed);
  // release: publishes the size to the handler.
  note_->begin.store(reinterpret_cast<Address>(mapping.data()), std::memory_order_release);
}

void GuardedPages::end() noexcept {
  if (note_ == nullptr) return;
  const ForkGuard guard;
  note_->begin.store(0, std::memory_order_release);
  unused_notes().push_back(std::exchange(note_, nullptr));  // there is room: it came from there
}

}  // namespace kith::os
