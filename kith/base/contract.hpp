// KITH_REQUIRE: a broken contract stops this process, in release builds too.
//
//   KITH_REQUIRE(guard, "a null guard has no value to look at");
//
// Only mistakes of our own caller that no return value could carry belong here: null and moved-from
// handles. Whatever a peer, the kernel or a user can cause is an answer or a kith::Error instead.
// Callers: any thread, a signal handler too; it writes one line to standard error and aborts.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace kith::internal {

[[noreturn]] inline void contract_broken(const char* condition, const char* text, const char* file,
                                         int line) {
  std::fprintf(stderr, "kith: broken contract at %s:%d: %s (%s)\n", file, line, text, condition);
  std::abort();
}

}  // namespace kith::internal

#define KITH_REQUIRE(condition, text) \
  ((condition) ? void(0) : ::kith::internal::contract_broken(#condition, text, __FILE__, __LINE__))
