// Event: something that has happened or has not, for threads of any number of processes to wait
// for.
//
//   Event ready("camera ready");                       // by name, in every program
//   ready.set();                                       // in one
//   if (ready.wait(Deadline::after(1s)) == AwaitAnswer::happened) ...      // in others
//
//   struct Shared { EventCell go; };                   // or inside your own region
//   Event go(region, region->go, {.reset = EventReset::automatic});
//
// States       unset, set. A manual one stays set until reset() and lets everybody by; an automatic
//              one lets one by for each set(), and is unset by that. The handle: open; closed or
//              moved from (using it is a broken contract).
// Callers      any thread of any process; one handle may be shared by threads. A forked child uses
//              its parent's handle as a process of its own. No thread may use a handle while
//              another closes it.
// A peer dies  waiting: nobody else loses a wake. Setting: it is set or it is not; who sleeps on
//              one that was set sees so within a tenth of a second. Let by: what it was to do is
//              its own; a new set() lets the next one by.
// Cost         set() and reset(): an exchange, no system call while nobody waits (one more after
//              the last one who waited has gone). 24 bytes.
#pragma once

#include <cstdint>
#include <string>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/base/fingerprint.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/await_answer.hpp"
#include "kith/sync/internal/handle_of.hpp"
#include "kith/sync/waitable.hpp"

namespace kith {

namespace internal {
class EventState;

struct EventWords {
  RealAtomics::Word<std::uint64_t> set;        // 1: it is
  RealAtomics::Word<std::uint64_t> announced;  // see EventCount
  RealAtomics::Word<std::uint64_t> reset;      // 1 + EventReset, once the first handle was opened
};
static_assert(sizeof(EventWords) == 24);
}  // namespace internal

// What of an event lies in shared memory: a member of a struct in a Region. All zero: not set.
class EventCell {
 public:
  EventCell() noexcept = default;

 private:
  friend class Event;
  internal::EventWords words_{};
};

template <>
struct Stamp<EventCell> {
  static constexpr std::uint64_t fingerprint = 0x6b69'7468'6576'6e01;
};

enum class EventReset : std::uint32_t { manual, automatic };

struct EventOptions {
  EventReset reset = EventReset::manual;  // the same in all programs
  // Of a named one, decided by its creator.
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

class Event : public internal::HandleOf<internal::EventState> {
 public:
  // An event by itself, in the standard domain; opened, or created. Throws Error; wrong_type if
  // others reset it in another way.
  explicit Event(const std::string& name, EventOptions options = {})
      : Event(Domain::standard(), name, options) {}
  Event(const Domain& domain, const std::string& name, EventOptions options = {});
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own. Throws
  // invalid_argument if the cell lies elsewhere, orphaned if the region has lost its name.
  Event(const RegionHandle& region, const EventCell& cell, EventOptions options = {});

  // Wakes who waits: all, or one if it is automatic. It was set already: nothing changes. Where its
  // file was cut short nobody hears of it; who waits is answered `damaged`.
  void set() noexcept;
  // True if it was set.
  bool reset() noexcept;
  [[nodiscard]] bool is_set() const noexcept;

  // happened, timed_out, interrupted, orphaned, damaged, forked, limit_reached.
  AwaitAnswer wait(Deadline deadline) noexcept;
  // For wait_any().
  operator Waitable() & noexcept;
};

}  // namespace kith
