// A guarded value of 64 B that nobody else wants: changing it and reading it, against a mutex that
// is taken and given back in the same repeat, and beside a robust mutex with a copy.
#include "kith/sync/guarded.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>

#include "bench/bench.hpp"
#include "bench/lock_rivals.hpp"
#include "bench/values.hpp"

namespace kith::bench {
namespace {

using Name = Notes::Name;
constexpr const char* kCase = "guarded";

void require(GuardedAnswer answer, GuardedAnswer wanted) {
  if (answer != wanted) throw std::runtime_error("kith: the guarded value said no");
}

// What is timed: each takes the value on from where the last one left it.
struct Change {
  static constexpr const char* kName = "kith, change";
  void operator()(Guarded<Value64>& value) const {
    const auto next = [](Value64& now) { ++now.number; };
    require(value.change(next, Deadline::never()), GuardedAnswer::committed);
  }
};
struct Set {
  static constexpr const char* kName = "kith, set";
  void operator()(Guarded<Value64>& value) {
    ++next.number;
    require(value.set(next, Deadline::never()), GuardedAnswer::committed);
  }
  Value64 next{};
};
struct Read {
  static constexpr const char* kName = "kith, read";
  void operator()(const Guarded<Value64>& value) {
    require(value.read(seen, Deadline::never()), GuardedAnswer::value);
    keep(seen);
  }
  Value64 seen{};
};

template <class Use>
void time_ours(const Plan& plan, Crew& crew, Book& book, const TimedAlone& mutex) {
  const LockPlace place(plan.domain);
  const Name name{kCase, Use::kName, sizeof(Value64)};
  const TimedAlone found = time_alone(plan, 80, crew, book, name, [&] {
    return [value = Guarded<Value64>(place.domain(), LockPlace::kName), use = Use()]() mutable {
      use(value);
    };
  });
  Notes(book, std::max(found.share, mutex.share))
      .number(name, "mutex_ratio", found.p50_ns / mutex.p50_ns, "x");
}

void time_rival(const Plan& plan, Crew& crew, Book& book) {
  using Rival = LockedByRobustMutex;
  const LockPlace place(plan.domain);
  auto* const memory = static_cast<std::byte*>(place.guarded());
  Rival(memory, sizeof(Value64)).prepare();
  (void)time_alone(plan, 80, crew, book, {kCase, Rival::kName, sizeof(Value64)}, [&] {
    return [rival = Rival(memory, sizeof(Value64)), value = Value64{}]() mutable {
      ++value.number;
      rival.write(std::as_bytes(std::span(&value, 1)));
    };
  });
}

}  // namespace

Section guarded_section(const Plan& plan) {
  const auto measure = [plan](Crew& crew, Book& book) {
    const TimedAlone mutex = time_lock<KithLock>(plan, crew, book, kCase, "kith, a mutex alone");
    time_ours<Change>(plan, crew, book, mutex);
    time_ours<Set>(plan, crew, book, mutex);
    time_ours<Read>(plan, crew, book, mutex);
    time_rival(plan, crew, book);
  };
  return {"guarded", plan.repeats(21), {exchange_store_run(plan), {kCase, measure}}};
}

}  // namespace kith::bench
