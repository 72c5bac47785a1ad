// Shared pages: what the library maps of files, seen from below.
//
// Each such mapping has a page without access before it and one behind it, so that reaching beyond
// it is a crash and never another mapping's bytes.
//
// Watched, nothing of them can be accessed: each access by the library faults, is let through
// alone, and is followed by a call of the vandal's; so is each look at a file by read. So the
// vandal has its turn between every two looks at the same byte, and nothing depends on the
// scheduler. For that there must be no other thread. The kernel cannot reach watched bytes:
// sleeping on them and waking return at once.
#pragma once

namespace kith::hostile {

// False where single accesses cannot be let through: it needs an x86-64.
[[nodiscard]] bool can_watch_pages() noexcept;

// `turn` may make system calls and must not touch the library's memory.
void watch_pages(void (*turn)()) noexcept;
void end_watching_pages() noexcept;

// While one lives, nothing is watched: for who judges, whose own looks are nobody's business.
class Unwatched {
 public:
  Unwatched() noexcept;
  ~Unwatched();
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;

 private:
  void (*turn_)();
};

}  // namespace kith::hostile
