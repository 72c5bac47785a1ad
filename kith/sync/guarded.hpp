// Guarded<T>: a value with its lock, changed in transactions: a process that is killed in the
// middle of one leaves the value as it was, and nobody has anything to repair.
//
//   struct Account { std::int64_t balance; std::uint64_t bookings; };
//   Guarded<Account> account("account");                      // by name, in every program
//
//   account.change([](Account& now) { now.balance += 100; ++now.bookings; },
//                  Deadline::after(1s));                      // is_committed(), or why not
//   if (const auto now = account.read(Deadline::after(1s))) std::cout << now->balance;
//
//   struct Bank { GuardedCell<Account> mine, yours; };        // or inside your own region
//   auto bank = Region<Bank>::open_or_create(domain, "bank");
//   Guarded<Account> mine(bank, bank->mine);
//
// The function works on a copy; one store commits it. It should be short: while it runs, nobody
// else changes the value. Everybody may read it.
//
// Not for     values that one process writes and others follow: a latest-value channel
//             (kith/channel/latest.hpp) copies less and never waits. Bytes too large to be copied
//             at each change: GuardedBytes (kith/sync/guarded_bytes.hpp).
// States       at rest; being changed. The value is what was committed last, in both. Its lock as
//              in Mutex. The handle: open; closed or moved from (using it is a broken contract).
// Callers      any thread of any process; one handle may be shared by threads. A forked child uses
//              its parent's handle as a process of its own; from within a function that was called
//              in its parent it commits nothing. No thread may use a handle while another closes
//              it.
// A peer dies  changing it: the last commit stands, and the first who commits after it is told
//              `committed_after_death`. Reading: nothing. An exception in the function is as if it
//              had said no.
// Cost         changing: a mutex taken and released, and two copies. Reading: one copy, no store;
//              if three commits go by meanwhile, it takes the lock. Memory: 40 bytes and two T;
//              twice T and 4 KiB by name.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "kith/base/deadline.hpp"
#include "kith/base/fingerprint.hpp"
#include "kith/base/shareable.hpp"
#include "kith/region/domain.hpp"
#include "kith/region/lifetime.hpp"
#include "kith/region/region.hpp"
#include "kith/sync/guarded_answer.hpp"
#include "kith/sync/internal/guarded_state.hpp"
#include "kith/sync/internal/handle_of.hpp"
#include "kith/sync/mutex_facts.hpp"

namespace kith {

// What of a guarded value lies in shared memory: a member of a struct in a Region. At the beginning
// its value is T().
template <class T>
class GuardedCell {
  static_assert(require_message<T>());

 public:
  GuardedCell() noexcept : GuardedCell(T()) {}
  explicit GuardedCell(const T& first) noexcept {
    for (std::size_t i = 0; i < kWords; ++i) {
      std::uint64_t bits = 0;
      const std::size_t at = i * sizeof bits;
      const std::size_t rest = sizeof(T) - at;
      std::memcpy(&bits, reinterpret_cast<const std::byte*>(&first) + at,
                  rest < sizeof bits ? rest : sizeof bits);
      // relaxed: nobody can see it yet.
      slots_[0][i].store(bits, std::memory_order_relaxed);
    }
  }

 private:
  template <class>
  friend class Guarded;
  // Never called: it makes this a literal type, without which clang cannot see the layout of a
  // struct that has one.
  struct Nothing {};
  constexpr explicit GuardedCell(Nothing) noexcept {}

  static constexpr std::size_t kWords = internal::guarded_words(sizeof(T));
  using Word = RealAtomics::Word<std::uint64_t>;

  internal::MutexWords words_{};
  Word version_{};
  std::array<std::array<Word, kWords>, 2> slots_{};
};

template <class T>
struct Stamp<GuardedCell<T>> {
  static constexpr std::uint64_t fingerprint =
      (kith::fingerprint<T>() ^ 0x6b69'7468'6775'6101) * 0x9e37'79b9'7f4a'7c15;
};

// Of a named one, decided by its creator.
struct GuardedOptions {
  Lifetime lifetime = Lifetime::until_removed;
  Rights rights{};
};

template <class T>
class Guarded : public internal::HandleOf<internal::GuardedState> {
  using Handle = internal::HandleOf<internal::GuardedState>;
  static_assert(require_message<T>());
  static_assert(!std::is_const_v<T>);

 public:
  // By itself, in the standard domain; opened, or created with `first` in it. Throws Error:
  // wrong_type if the other program means something else by T.
  explicit Guarded(const std::string& name, GuardedOptions options = {}, const T& first = T())
      : Guarded(Domain::standard(), name, options, first) {}
  Guarded(const Domain& domain, const std::string& name, GuardedOptions options = {},
          const T& first = T())
      : Handle(internal::GuardedState::open(domain, name, options, type_of(first))) {}
  // The one that lies in `cell`, inside the region. The handle has a mapping of its own: it may
  // outlive the region's. Throws invalid_argument if the cell lies elsewhere, orphaned if the
  // region has lost its name.
  Guarded(const RegionHandle& region, const GuardedCell<T>& cell)
      : Handle(internal::GuardedState::open(region.mapped(), cell.words_, type_of(T()))) {
    static_assert(offsetof(GuardedCell<T>, words_) == 0);
    static_assert(offsetof(GuardedCell<T>, version_) == sizeof(internal::MutexWords));
    static_assert(sizeof(GuardedCell<T>) ==
                  sizeof(internal::MutexWords) + 8 + 2 * 8 * GuardedCell<T>::kWords);
  }

  // Calls `function(T&)` on a copy of the value, and commits what it made of it; one that returns
  // something returns whether to. Throws what it throws, and then nothing is changed.
  // committed, committed_after_death, unchanged; timed_out and everything else: it was not called.
  // But forked: it was called, and came back in a child as well; and damaged: it may have been.
  template <class Function>
  requires std::invocable<Function&, T&> GuardedAnswer change(Function&& function,
                                                              Deadline deadline) {
    internal::GuardedState& state = this->state();
    const auto on_bytes = [&function](std::byte* bytes) {
      T& value = *std::launder(reinterpret_cast<T*>(bytes));
      if constexpr (std::is_void_v<std::invoke_result_t<Function&, T&>>) {
        function(value);
        return true;
      } else {
        return static_cast<bool>(function(value));
      }
    };
    if constexpr (sizeof(T) <= internal::GuardedState::kOnStackMax) {
      alignas(T) std::array<std::byte, sizeof(T)> shadow;
      return state.core.change(state, shadow.data(), sizeof(T), deadline, on_bytes);
    } else {
      return state.core.change(state, state.shadow(), sizeof(T), deadline, on_bytes);
    }
  }

  // Puts `value` there, whatever was there. committed, committed_after_death, or why not.
  GuardedAnswer set(const T& value, Deadline deadline) noexcept {
    internal::GuardedState& state = this->state();
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    return state.core.set(state, bytes, sizeof(T), deadline);
  }

  // The value that was committed last. On any other answer than `value`, `out` is not to be used.
  GuardedAnswer read(T& out, Deadline deadline) const noexcept {
    internal::GuardedState& state = this->state();
    return state.core.read(state, reinterpret_cast<std::byte*>(&out), sizeof(T), deadline);
  }
  // Empty on any other answer than `value`.
  [[nodiscard]] std::optional<T> read(Deadline deadline) const noexcept {
    T now = T();
    if (read(now, deadline) != GuardedAnswer::value) return std::nullopt;
    return now;
  }

  // How often it was committed: whoever sees another number finds another value.
  [[nodiscard]] std::uint64_t version() const noexcept { return this->state().core.version(); }
  // Of its lock.
  [[nodiscard]] MutexFacts facts() const { return this->state().facts(); }

 private:
  [[nodiscard]] static internal::GuardedType type_of(const T& first) {
    return {kith::fingerprint<T>(), std::string(kith::type_name<T>()), alignof(T),
            std::as_bytes(std::span(&first, 1))};
  }
};

}  // namespace kith
