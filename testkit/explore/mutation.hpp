// Mutation: changes one place of the code under test at a time, when it runs, and demands that the
// explorer finds it out. What it does not find is either not needed or not tested.
//
//   const std::vector<Mutant> mutants = mutants_of([] { (void)explore<Handover>(bounds); });
//   for (const Mutant& mutant : mutants) {
//     const Mutated applied(mutant);
//     if (explore<Handover>(bounds).failure.empty()) std::cout << to_string(mutant) << '\n';
//   }
//
// A place is a file, line and column at which a Word or a fence is used, or a file, line and name
// of a call of the modelled kernel (calls.hpp). A mutant that cannot be found because the code is
// as right with it says so in the source, in the comment above the place's statement or beside it:
//
//   // equivalent if relaxed: only the writer stores this word, and here it is the writer's.
//   // equivalent if unlock skipped: closing the file, which is next, drops the lock.
//
// One that is wrong, but only by what the explorer leaves out, says that, and what it is:
//
//   // unseen if relaxed: a compiler may let this store go first, and a death come between.
//
// Names       weaker orders by their own (acquire, release, acq_rel, relaxed, and failure_... for
//             that of a failed compare-exchange); `skipped`: not done, a compare-exchange fails;
//             `remembered`: a second look returns what the process last saw there;
//             `unconditional`: a compare-exchange stores whatever it finds. Calls: `skipped` says
//             that it was done and does nothing, a lock is said to be granted, a question is
//             answered with no; `remembered`: a second look at one thing is answered as the first.
// Callers     one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kith::testkit::explore {

enum class Access { load, store, change, compare, fence, call };

enum class Mutation {
  none,
  acquire,
  release,
  acq_rel,
  relaxed,
  failure_acquire,
  failure_relaxed,
  skipped,
  remembered,
  unconditional,
};

struct Mutant {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  Access access = Access::load;
  Mutation mutation = Mutation::none;
  // Of a call: its name, and the return addresses by which the place is known.
  std::string call{};
  std::vector<std::uintptr_t> addresses{};
};

// "latest_core.hpp:318 load, relaxed"
[[nodiscard]] std::string to_string(const Mutant& mutant);
[[nodiscard]] std::string to_string(Mutation mutation);

// Of all places in files whose path contains `within` that `runs` comes by. The caller of a
// call is the first that lies outside of files whose path contains `through`; empty: there are no
// mutants of calls.
[[nodiscard]] std::vector<Mutant> mutants_of(const std::function<void()>& runs,
                                             const std::string& within = {},
                                             const std::string& through = {});

// The reason in the source why the mutant is no worse; empty if there is none.
[[nodiscard]] std::string why_equivalent(const Mutant& mutant);
// The reason in the source why the explorer cannot see what is wrong with it; or empty.
[[nodiscard]] std::string why_unseen(const Mutant& mutant);

// While it lives, the code under test is the mutant.
class Mutated {
 public:
  explicit Mutated(const Mutant& mutant);
  ~Mutated();
  Mutated(const Mutated&) = delete;
  Mutated& operator=(const Mutated&) = delete;
  // How often the change took effect: a mutant for which that is never is none.
  [[nodiscard]] std::uint64_t uses() const;
};

}  // namespace kith::testkit::explore
