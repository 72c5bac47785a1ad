// Calls of a modelled kernel as places of mutants: the functions that stand for the calls, between
// the code under test and kernel.hpp, ask here what the mutant under test makes of them.
//
//   Done unlink_at(const Descriptor& directory, const std::string& name) {
//     if (is_mutated("unlink_at", Mutation::skipped)) return {};
//     return done(kernel().unlink(directory.number(), name));
//   }
//
// Such a function has no argument that says where it is called from, and the code under test is not
// changed to give it one. So the place is found by the stack: by return addresses, which addr2line
// (of binutils) turns into lines once all are collected. The functions between the code under test
// and here are no places themselves; nor is what a destructor of theirs does, which no statement
// asked for. All of them are compiled with
//
//   -g -fno-omit-frame-pointer -fno-optimize-sibling-calls
//
// What is compiled otherwise is no place, and nothing says so: see that there are as many as you
// expect.
#pragma once

#include <any>
#include <string>

#include "testkit/explore/mutation.hpp"

namespace kith::testkit::explore {
namespace internal {

extern bool calls_matter;  // they are collected, or one is mutated
[[nodiscard]] bool is_mutated_call(const char* name, Mutation mutation, const void* frame);
void count_use() noexcept;

}  // namespace internal

// False: nobody asks, and nothing need be done to answer.
[[nodiscard]] inline bool calls_matter() noexcept {
  return internal::calls_matter;
}

// Whether the mutant under test does `mutation`, the one that this kind of call has, to the call
// `name`. Inlined, because it is the caller's stack that it looks at.
[[nodiscard, gnu::always_inline]] inline bool is_mutated(const char* name, Mutation mutation) {
  return internal::calls_matter &&
         internal::is_mutated_call(name, mutation, __builtin_frame_address(0));
}

// What the running process keeps of what it was told, and the last that it kept; null: nothing.
void keep_answer(const std::string& thing, std::any answer);
[[nodiscard]] const std::any* kept_answer(const std::string& thing);

// A look at `thing`, whose second answer the mutant under test may hold to be the first's: `ask`s
// the kernel, unless it was `mutated` and this process was answered before.
template <class Ask>
[[nodiscard]] auto looked(bool mutated, const std::string& thing, const Ask& ask)
    -> decltype(ask()) {
  using Answered = decltype(ask());
  if (mutated) {
    if (const auto* before = std::any_cast<Answered>(kept_answer(thing))) {
      internal::count_use();
      return *before;
    }
  }
  Answered answered = ask();
  if (calls_matter()) keep_answer(thing, answered);
  return answered;
}

}  // namespace kith::testkit::explore
