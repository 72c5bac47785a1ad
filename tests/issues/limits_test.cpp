// What a process may not do, or has forbidden itself. Method: a process of its own with that limit.
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>

#include "kith/channel/latest.hpp"
#include "kith/os/file.hpp"
#include "kith/os/mapping.hpp"
#include "kith/region/region.hpp"

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_domain.hpp"

namespace kith {
namespace {

using tests::Findings;
using tests::in_own_process;
using tests::ScratchDirectory;
using tests::Verdict;
using tests::why_not_refused;

struct Pose {
  double x;
  double y;
};

std::uint64_t allocated_by_a_writer(const ScratchDirectory& scratch) {
  const LatestWriter<Pose> writer(scratch.domain(), "pose");
  return os::facts_of_path(scratch.path() + "/.members").value.allocated_bytes +
         os::facts_of_path(scratch.path() + "/pose").value.allocated_bytes;
}

// Some sanitizers' run-time swallows mlockall.
bool new_pages_are_locked() {
  const auto page = os::Mapping::of_private_pages(os::page_size());
  std::ifstream facts("/proc/self/status");
  for (std::string line; std::getline(facts, line);) {
    if (line.starts_with("VmLck:")) return line.find_first_of("123456789") != std::string::npos;
  }
  return false;
}

// What used to happen: mapping a sparse file filled all its holes, until the tmpfs was full.
TEST(LockedMemory, LeavesSparseFilesSparse) {
  const ScratchDirectory usual;
  const ScratchDirectory locked;
  const std::uint64_t usually = allocated_by_a_writer(usual);
  const Verdict verdict = in_own_process([&](Findings& find) {
    if (::mlockall(MCL_FUTURE) != 0) return find.skip("mlockall is refused to this user");
    if (!new_pages_are_locked()) return find.skip("mlockall has no effect in this build");
    find.that(allocated_by_a_writer(locked) == usually, "as many bytes as without locking");
  });
  if (!verdict.skipped.empty()) GTEST_SKIP() << verdict.skipped;
  EXPECT_EQ(verdict.failures, "");
}

// What used to happen: the kernel answered with SIGXFSZ, which ends the process.
TEST(FileSizeLimit, IsAnErrorAndNotASignal) {
  const ScratchDirectory scratch;
  const Verdict verdict = in_own_process([&](Findings& find) {
    const rlimit small{1 << 16, 1 << 16};
    find.that(::setrlimit(RLIMIT_FSIZE, &small) == 0, "the limit is set");
    const Domain domain = scratch.domain();
    find.nothing(why_not_refused([&] { (void)Region<>::create(domain, "big", 1 << 20); },
                                 Errc::limit_reached, {"'big'", "ulimit -f"}),
                 "a region");
    find.nothing(why_not_refused([&] { LatestWriter<Pose> writer(domain, "pose"); },
                                 Errc::limit_reached, {"ulimit -f"}),
                 "a writer, which needs the member table");
  });
  EXPECT_EQ(verdict.failures, "");
}

}  // namespace
}  // namespace kith
