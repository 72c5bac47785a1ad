// guard_truncation: staying alive when a peer cuts short the memory that both have mapped.
//
//   kith::guard_truncation();                       // once, before or after opening anything
//   ...
//   if (region.has_lost_pages()) ...;               // what is read there may be zeros
//
// States       without it, the first touch of a page that is gone ends the process (SIGBUS). With
//              it that page reads as zeros from then on, for this process alone; memories and
//              regions say so by has_lost_pages(), channels answer `damaged`. Opening a channel
//              with guests, or as one, and looking at it or cleaning it from outside, installs it.
//              Not for huge pages.
// Callers      any thread, any number of times. It takes the process's handler for SIGBUS and hands
//              on what is not kith's; a program that sets a handler later must hand on likewise.
// A peer dies  nothing changes.
// Cost         nothing until a page is lost.
//
// Whoever may write a file may also cut it short. A memfd with seals cannot be
// (kith/memory/memfd.hpp).
#pragma once

#include "kith/os/truncation_guard.hpp"

namespace kith {

inline void guard_truncation() noexcept {
  os::guard_truncation();
}

}  // namespace kith
