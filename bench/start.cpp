// What a process pays to take part: from the start of a program to its end, for one that does
// nothing, one that contains the library, and one that joins a domain and leaves; in turns.
#include <cstdlib>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "kith/member/member.hpp"

#include "bench/bench.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;

double life_of(const std::string& program, const Domain& domain) {
  const std::string path = std::string(KITH_BENCH_PROGRAMS) + "/" + program;
  char* const arguments[] = {const_cast<char*>(path.c_str()),
                             const_cast<char*>(domain.path().c_str()), nullptr};
  const std::uint64_t before = ticks();
  pid_t child = 0;
  const int error = ::posix_spawn(&child, path.c_str(), nullptr, nullptr, arguments, environ);
  int status = 0;
  if (error != 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("the program " + program + " failed");
  }
  return duration_ns(before, ticks());
}

}  // namespace

namespace {

// Two programs in turns; the first is what the second is compared with.
Run compare(const Plan& plan, const std::string& less, const Name& limit, const std::string& more,
            const Name& name) {
  return {"start", [=](Crew& crew, Book& book) {
            Stage& stage = crew.stage();
            const auto start = [&](Sheet& sheet) {
              // Somebody is there already, so that the member table exists.
              const Member first = Member::join(plan.domain);
              const Measured measured(stage, sheet);
              while (stage.goes_on()) {
                sheet.times.record(life_of(less, plan.domain));
                sheet.more_times.record(life_of(more, plan.domain));
              }
            };
            const double share = crew.play(plan.time(400), {{"start", 0, start, true}});
            const Sheet& sheet = stage.sheet(0);
            Notes notes(book, share);
            notes.percentiles(limit, sheet.times);
            notes.percentiles(name, sheet.more_times);
            const double added =
                sheet.more_times.percentile_ns(0.5) - sheet.times.percentile_ns(0.5);
            notes.number(name, "added", added, "ns");
          }};
}

}  // namespace

Section start_section(const Plan& plan) {
  return {"start",
          plan.repeats(9),
          {compare(plan, "bench_nothing", {"limit.start_empty", "an empty program"}, "bench_links",
                   {"start", "kith, a program that contains it", 0, "start_empty"}),
           compare(plan, "bench_links", {"limit.start", "a program that contains kith"},
                   "bench_joins", {"start", "kith, a program that joins a domain", 0, "start"})}};
}

}  // namespace kith::bench
