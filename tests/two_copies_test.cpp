// A program that contains kith, and uses some of it, beside a shared library that contains it too:
// calls of the library may end in the program's copy.
#include <gtest/gtest.h>

#include "kith/sync/event.hpp"

#include "tests/plugin.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::ScratchDirectory;

// Of a program that has an event, and so some of the library, in it.
const char* with_an_event(tests::PluginCall* call) {
  const ScratchDirectory scratch;
  Event event(Domain::at(scratch.path()), "event");
  event.set();
  return event.wait(Deadline::now()) == AwaitAnswer::happened ? call(scratch.path().c_str())
                                                              : "the event did not happen";
}

TEST(TwoCopies, AMutexOfALibraryIsReleased) {
  EXPECT_STREQ(with_an_event(&tests::plugin_uses_mutex), "");
}

TEST(TwoCopies, AReadWriteLockOfALibraryIsReleased) {
  EXPECT_STREQ(with_an_event(&tests::plugin_reads_and_writes), "");
}

TEST(TwoCopies, AChildForkedInAChangeOfALibraryIsToldSo) {
  EXPECT_STREQ(with_an_event(&tests::plugin_forks_in_a_change), "");
}

}  // namespace
}  // namespace kith
