// WaitSteps: one wait of one thread for one object, in the steps that the object's own wait is made
// of, so that several can be gone through side by side (any_wait.hpp).
//
//   look        takes it if it can be had, as its own wait would
//   prepare     says in shared memory that somebody is about to sleep; look() once more, and sleep
//   woke        after each sleep on what prepare() said, however it ended, and whatever woke it
//   give_up     at the end, unless it was taken: a wake that was for this object, and was not used,
//               is passed on
//
// The steps themselves are those of MutexCore::Waiting and of CountedWait (waiting.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/member/member_id.hpp"
#include "kith/sync/internal/lock_witness.hpp"
#include "kith/sync/lock_answer.hpp"

namespace kith::internal {

// Whose death would give a waiter what it waits for. Of more, some are looked at after a slice.
inline constexpr std::size_t kHoldersWatched = 64;
using Holders = std::span<MemberId>;

// What a waiter may sleep on.
struct Rest {
  const RealAtomics::Word<std::uint64_t>* word = nullptr;  // null: it has changed; look again
  std::uint32_t expected = 0;                              // in its lower half
  Deadline until = Deadline::now();                        // then look again
};

class WaitSteps {
 public:
  // An answer, or none while there is nothing to have. `last`: one that does not wait any longer.
  [[nodiscard]] virtual std::optional<LockAnswer> look(bool last) noexcept = 0;
  [[nodiscard]] virtual Rest prepare(Deadline deadline) noexcept = 0;
  // Fills in the holders, and says how many they are.
  [[nodiscard]] virtual std::size_t holders(Holders into) const noexcept = 0;
  // True: something has moved; look() finds out whether it can be had.
  virtual bool woke() noexcept = 0;
  // Nothing has moved: from here on look() asks whether those who hold it live.
  virtual void doubt() noexcept = 0;
  virtual void give_up() noexcept = 0;
  [[nodiscard]] const LockWitness& witness() const noexcept { return *witness_; }

 protected:
  explicit WaitSteps(const LockWitness& witness) noexcept : witness_(&witness) {}
  ~WaitSteps() = default;

 private:
  const LockWitness* witness_;
};

// The steps of a Waiting, which has all of the above but the witness.
template <class Waiting>
class StepsOf final : public WaitSteps {
 public:
  // `refusal`: why it cannot be waited for, if it is not to be had at once.
  StepsOf(const LockWitness& witness, const Waiting& waiting,
          std::optional<LockAnswer> refusal = std::nullopt) noexcept
      : WaitSteps(witness), waiting_(waiting), refusal_(refusal) {}

  std::optional<LockAnswer> look(bool last) noexcept override {
    const std::optional<LockAnswer> answer = waiting_.look(last);
    if (!answer) return refusal_;
    return witness().unless_cut_short(*answer);
  }
  Rest prepare(Deadline deadline) noexcept override { return waiting_.prepare(deadline); }
  std::size_t holders(Holders into) const noexcept override { return waiting_.holders(into); }
  bool woke() noexcept override { return waiting_.woke(); }
  void doubt() noexcept override { waiting_.doubt(); }
  void give_up() noexcept override { waiting_.give_up(); }

 private:
  Waiting waiting_;
  std::optional<LockAnswer> refusal_;
};

// Of a handle that cannot be used by this thread.
class Refused {
 public:
  explicit Refused(LockAnswer why) noexcept : why_(why) {}
  [[nodiscard]] std::optional<LockAnswer> look(bool) const noexcept { return why_; }
  [[nodiscard]] Rest prepare(Deadline) const noexcept { return {}; }
  [[nodiscard]] std::size_t holders(Holders) const noexcept { return 0; }
  [[nodiscard]] bool woke() const noexcept { return false; }
  void doubt() const noexcept {}
  void give_up() const noexcept {}

 private:
  LockAnswer why_;
};

// Where the steps of one object lie while somebody waits: nothing is allocated.
class StepsPlace {
 public:
  template <class Waiting>
  WaitSteps& begin(const LockWitness& witness, const Waiting& waiting,
                   std::optional<LockAnswer> refusal = std::nullopt) noexcept {
    using Steps = StepsOf<Waiting>;
    static_assert(sizeof(Steps) <= sizeof bytes_ && alignof(Steps) <= alignof(std::uint64_t));
    static_assert(std::is_trivially_destructible_v<Steps>);  // nobody ends them
    return *new (bytes_) Steps(witness, waiting, refusal);
  }

 private:
  alignas(std::uint64_t) std::byte bytes_[160];
};

// What wait_any() asks of an object: the State behind a handle.
class AnyObject {
 public:
  virtual WaitSteps& begin_wait(StepsPlace& place) noexcept = 0;

 protected:
  ~AnyObject() = default;
};

}  // namespace kith::internal
