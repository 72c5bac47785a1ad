#include "tests/hostile/shared_pages.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// The functions of this name at the end of this file are this program's own; the library finds them
// before those of libc.
namespace kith::hostile {
namespace {

constexpr std::size_t kPage = 4096;

// One of the library's mappings of a file.
struct SharedMapping {
  char* begin = nullptr;  // null: a free place in the table
  std::size_t size = 0;   // whole pages
  int protection = PROT_NONE;
  bool shut = false;  // it has no access at the moment, because it is watched
};

// Read by the signal handlers below, which run on the thread that is watched, and on a thread of
// the library's that reaches pages while they are.
std::array<SharedMapping, 256> mappings;
std::mutex mappings_mutex;
std::atomic<void (*)()> vandal_turn = nullptr;  // null: nothing is watched
std::atomic<long> watched_thread = 0;

bool is_watched_thread() {
  return ::syscall(SYS_gettid) == watched_thread.load(std::memory_order_relaxed);
}

void* map(void* address, std::size_t size, int protection, int flags, int file, off_t offset) {
  // What the call gives is an address, or MAP_FAILED, as its -1 is called.
  return reinterpret_cast<void*>(
      ::syscall(SYS_mmap, address, size, protection, flags, file, offset));
}

std::size_t whole_pages(std::size_t size) {
  return (size + kPage - 1) / kPage * kPage;
}

SharedMapping* mapping_at(const void* begin) {
  for (SharedMapping& mapping : mappings) {
    if (mapping.begin == begin) return &mapping;
  }
  return nullptr;
}

void shut(SharedMapping& mapping) {
  ::syscall(SYS_mprotect, mapping.begin, mapping.size, PROT_NONE);
  mapping.shut = true;
}
void open(SharedMapping& mapping) {
  ::syscall(SYS_mprotect, mapping.begin, mapping.size, mapping.protection);
  mapping.shut = false;
}

#ifdef __x86_64__

constexpr greg_t kTrapFlag = 0x100;
struct sigaction former_fault {};

// Opens the mapping for the one instruction that was refused.
void on_fault(int, siginfo_t* info, void* context) {
  const auto* address = static_cast<const char*>(info->si_addr);
  for (SharedMapping& mapping : mappings) {
    const bool inside = mapping.begin != nullptr && address >= mapping.begin &&
                        address < mapping.begin + mapping.size;
    if (!inside) continue;
    // Another thread opens it for good, until the watched one has had its turn; it may be open by
    // now, because that one did just the same.
    if (!is_watched_thread()) return open(mapping);
    if (!mapping.shut || vandal_turn == nullptr) continue;
    open(mapping);
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] |= kTrapFlag;
    return;
  }
  // Somebody really reached where nothing is: tried again, it ends as it would have.
  ::sigaction(SIGSEGV, &former_fault, nullptr);
}

// After that instruction.
void on_trap(int, siginfo_t*, void* context) {
  const int error = errno;
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  for (SharedMapping& mapping : mappings) {
    if (mapping.begin != nullptr && !mapping.shut && mapping.protection != PROT_NONE) shut(mapping);
  }
  if (vandal_turn != nullptr) vandal_turn.load()();
  errno = error;
}

void install_handlers() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    action.sa_sigaction = &on_trap;
    ::sigaction(SIGTRAP, &action, nullptr);
    action.sa_sigaction = &on_fault;
    ::sigaction(SIGSEGV, &action, &former_fault);
    return true;
  }();
  static_cast<void>(installed);
}

#else

void install_handlers() {}

#endif

}  // namespace

bool can_watch_pages() noexcept {
#ifdef __x86_64__
  return true;
#else
  return false;
#endif
}

void watch_pages(void (*turn)()) noexcept {
  install_handlers();
  watched_thread = ::syscall(SYS_gettid);
  vandal_turn = turn;
  for (SharedMapping& mapping : mappings) {
    if (mapping.begin != nullptr && mapping.protection != PROT_NONE) shut(mapping);
  }
}

void end_watching_pages() noexcept {
  vandal_turn = nullptr;
  for (SharedMapping& mapping : mappings) {
    if (mapping.begin != nullptr && mapping.shut) open(mapping);
  }
}

Unwatched::Unwatched() noexcept : turn_(vandal_turn) {
  if (turn_ != nullptr) end_watching_pages();
}

Unwatched::~Unwatched() {
  if (turn_ != nullptr) watch_pages(turn_);
}

}  // namespace kith::hostile

using namespace kith::hostile;

extern "C" void* mmap(void* address, std::size_t size, int protection, int flags, int file,
                      off_t offset) noexcept {
  // Only system calls where somebody names the address: a signal handler does.
  const std::size_t whole = whole_pages(size);
  const bool wanted =
      address == nullptr && file >= 0 && (flags & MAP_SHARED) != 0 && size != 0 && whole >= size;
  if (!wanted) return map(address, size, protection, flags, file, offset);
  void* around = map(nullptr, whole + 2 * kPage, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (around == MAP_FAILED) return MAP_FAILED;
  void* inside = static_cast<char*>(around) + kPage;
  if (map(inside, size, protection, flags | MAP_FIXED, file, offset) == MAP_FAILED) {
    const int error = errno;
    ::syscall(SYS_munmap, around, whole + 2 * kPage);
    errno = error;
    return MAP_FAILED;
  }
  const std::scoped_lock lock(mappings_mutex);
  SharedMapping* mapping = mapping_at(nullptr);
  if (mapping == nullptr) ::abort();  // nobody maps so many files
  *mapping = {static_cast<char*>(inside), whole, protection, false};
  if (vandal_turn != nullptr && protection != PROT_NONE) shut(*mapping);
  return inside;
}

extern "C" int mprotect(void* address, std::size_t size, int protection) noexcept {
  const auto answer = static_cast<int>(::syscall(SYS_mprotect, address, size, protection));
  const std::scoped_lock lock(mappings_mutex);
  SharedMapping* mapping = address != nullptr ? mapping_at(address) : nullptr;
  if (answer != 0 || mapping == nullptr) return answer;
  mapping->protection = protection;
  if (vandal_turn != nullptr) shut(*mapping);
  return answer;
}

extern "C" int munmap(void* address, std::size_t size) noexcept {
  const std::scoped_lock lock(mappings_mutex);
  SharedMapping* mapping = address != nullptr ? mapping_at(address) : nullptr;
  if (mapping == nullptr) return static_cast<int>(::syscall(SYS_munmap, address, size));
  *mapping = {};
  return static_cast<int>(
      ::syscall(SYS_munmap, static_cast<char*>(address) - kPage, whole_pages(size) + 2 * kPage));
}

extern "C" ssize_t pread(int file, void* to, std::size_t size, off_t offset) {
  const ssize_t got = ::syscall(SYS_pread64, file, to, size, offset);
  const int error = errno;
  if (vandal_turn != nullptr && is_watched_thread()) vandal_turn.load()();
  errno = error;
  return got;
}
