// Once: what is to be done once among all processes, and is done by whoever comes first.
//
//   Once prepared("tables");                                  // by name, in every program
//   prepared.call([] { write_tables(); }, Deadline::after(10s));   // is_done(), or why not
//
//   struct Shared { OnceCell prepared; Tables tables; };      // or inside your own region
//   auto shared = Region<Shared>::open_or_create(domain, "shared");
//   Once once(shared, shared->prepared);
//   once.call([&](bool again) { if (again) wipe(shared->tables); fill(shared->tables); }, within);
//
// What the function did before it returned is there for everybody who is answered that it is done.
//
// Not for      what a region holds from the beginning: the constructor of Region<T>'s T does that,
//              and nobody sees it half done.
// States       not done; being run; done, for good. The handle: open; closed or moved from (using
//              it is a broken contract).
// Callers      any thread of any process; one handle may be shared by threads. A forked child uses
//              its parent's handle as a process of its own.
// A peer dies  running it: the next one runs it again, and is told. One who is killed between the
//              function's last instruction and the note that it is done has not done it: so the
//              function must bear to be run again. An exception in it is no death: the next one
//              runs it, too.
// Cost         done: one load. Memory: 40 bytes.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "kith/base/deadline.hpp"
#include "kith/base/shareable.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/internal/handle_of.hpp"
#include "kith/sync/internal/mutex_state.hpp"
#include "kith/sync/internal/once_core.hpp"
#include "kith/sync/mutex_facts.hpp"
#include "kith/sync/once_answer.hpp"

namespace kith {

namespace internal {

struct OnceWords {
  MutexWords mutex;
  OnceCore::Word done;
};
static_assert(sizeof(OnceWords) == 40);

struct OnceState final : public MutexState {
  OnceState(std::unique_ptr<LockSite> site, OnceCore::Word& done);

  OnceCore core;
};

}  // namespace internal

// What of it lies in shared memory: a member of a struct in a Region. All zero: not done.
class OnceCell {
 public:
  OnceCell() noexcept = default;

 private:
  friend class Once;
  internal::OnceWords words_{};
};

template <>
struct Stamp<OnceCell> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'6f6e'6301;
};

// Of a named one, decided by its creator.
struct OnceOptions {
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class Once : public internal::HandleOf<internal::OnceState> {
 public:
  // By itself, in the standard domain; opened, or created. Throws Error.
  explicit Once(const std::string& name, OnceOptions options = {})
      : Once(Domain::standard(), name, options) {}
  Once(const Domain& domain, const std::string& name, OnceOptions options = {});
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own: it may
  // outlive the region's. Throws invalid_argument if the cell lies elsewhere, orphaned if the
  // region has lost its name.
  Once(const RegionHandle& region, const OnceCell& cell);

  // Calls `function()`, or `function(bool again_after_death)`, if it is not done; waits until the
  // deadline for somebody who runs it. Throws what it throws. ran, ran_after_death, done_before; on
  // timed_out and most others it was not called. But forked: it was, and came back in a child as
  // well; and damaged: it may have been.
  template <class Function>
  requires std::invocable<Function&, bool> || std::invocable<Function&> OnceAnswer
  call(Function&& function, Deadline deadline) {
    internal::OnceState& state = this->state();
    if (state.core.is_done()) [[likely]]
      return OnceAnswer::done_before;
    return state.core.run(state, deadline, [&function](bool again_after_death) {
      if constexpr (std::invocable<Function&, bool>) {
        static_cast<void>(function(again_after_death));
      } else {
        static_cast<void>(function());
      }
    });
  }

  // What it did can be seen then.
  [[nodiscard]] bool is_done() const noexcept { return state().core.is_done(); }
  // Of its lock: who runs it.
  [[nodiscard]] MutexFacts facts() const { return state().facts(); }
};

}  // namespace kith
