// What trials of locks have in common: what is guarded, what the roles tell each other, and what
// the next one to come must be told.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "kith/base/deadline.hpp"
#include "kith/sync/lock_answer.hpp"

#include "tests/prove/world.hpp"

namespace kith::prove {

// Of one trial, in memory that all its roles share. Zeros at first.
struct Shared {
  std::atomic<std::uint64_t> first;    // changed one after the other, under the lock: differ where
  std::atomic<std::uint64_t> second;   // somebody died in between
  std::atomic<std::uint32_t> sleeper;  // 1: the one asleep got what it waited for; 2: it did not
  std::atomic<std::uint32_t> others;   // so many have done what they were to do, and hold nothing
};

// Mapped by the first call, which must come before any role is forked.
[[nodiscard]] Shared& shared();
// The trial uses it: it is watched, and is zeros again afterwards.
void share(testkit::Subject& subject);

void begin_change();
void end_change();
void change();
[[nodiscard]] bool is_whole();

[[nodiscard]] Deadline patience();

// Throws if a lock's answer is another one.
void expect(LockAnswer answer, LockAnswer expected);

// A word of the object's content as it stands in the file, before anybody joins the domain, and so
// heals it. Zero: there is no object.
[[nodiscard]] std::uint64_t word_in_file(const World& world, const std::string& object,
                                         std::uint64_t offset = 0);
// What the next one must be told who takes a mutex in whose word this stands, when all others are
// dead.
[[nodiscard]] LockAnswer due(std::uint64_t word);

// By the one asleep, and by who wants to know: "" or what went wrong.
void say_sleeper(bool got_it);
[[nodiscard]] std::string sleeper_was_woken();

}  // namespace kith::prove
