// DeathWatch: a thread of this process that hears of other members' deaths, and wakes who waits for
// the dead here.
//
// Two steps: the kernel says that a process is dying (kith/os/last_word.hpp), which is a hint; once
// its life lock is free as well, which is the truth, the sleepers are woken, and look for
// themselves. What is missed costs a slice of their sleep: nothing depends on the watch.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kith/base/atomics.hpp"
#include "kith/base/deadline.hpp"
#include "kith/member/internal/table_layout.hpp"
#include "kith/member/member_id.hpp"
#include "kith/os/last_word.hpp"
#include "kith/region/internal/mapped_region.hpp"

namespace kith::internal {

class DeathWatch final : public os::LastWord::Work {
 public:
  using Word = RealAtomics::Word<std::uint64_t>;

  // With a mapping of the table of its own: the thread may outlive the membership. Who dies for
  // longer than `dying_max` is left to those who wait for it: it takes 70 ms to tear down a
  // gibibyte, and a vfork child may hold up its parent's end for as long as it likes.
  DeathWatch(MappedRegion table, std::uint32_t members_max,
             std::chrono::nanoseconds dying_max = std::chrono::seconds(10));

  // ---- sleepers

  // While one lives, whoever sleeps on `word` is woken when any of the members is dead.
  class Sleep {
   public:
    Sleep(DeathWatch& watch, const Word& word, std::span<const MemberId> members) noexcept;
    ~Sleep();
    Sleep(const Sleep&) = delete;
    Sleep& operator=(const Sleep&) = delete;

   private:
    std::atomic<const Word*>* seat_ = nullptr;  // null: none was free
  };

  // The thread ends when it comes to it.
  void end() noexcept;

 private:
  static constexpr std::size_t kSeats = 64;       // sleepers of this process that are known
  static constexpr std::uint32_t kWatched = 126;  // members at once; the kernel takes 128 words

  // Whom the kernel has announced, or would not announce, until its life lock is free.
  struct Dying {
    std::uint32_t member = 0;
    std::uint64_t state = 0;
    Deadline until = Deadline::now();
  };

  void run() override;
  void add(std::uint32_t member) noexcept;
  [[nodiscard]] std::uint32_t records_ready() const noexcept;
  [[nodiscard]] RealAtomics::Word<std::uint32_t>& life(std::uint32_t member) const noexcept;
  [[nodiscard]] std::uint64_t state(std::uint32_t member) const noexcept;
  void wait() noexcept;
  void take_up_dying() noexcept;
  void take_up(const Dying& one) noexcept;
  void see_them_dead() noexcept;
  [[nodiscard]] bool is_dead(std::uint32_t member) const noexcept;
  void wake_sleepers() noexcept;

  MappedRegion table_;
  std::uint32_t members_max_;
  std::array<std::atomic<const Word*>, kSeats> seats_{};
  std::array<std::atomic<std::uint32_t>, kWatched> watched_{};  // member + 1; 0: none
  std::atomic<std::uint32_t> next_{0};                          // whose place is taken if all are
  RealAtomics::Word<std::uint32_t> poke_{0};                    // changes when the above did
  std::atomic<bool> ended_{false};
  // The thread's own.
  std::chrono::nanoseconds dying_max_;
  std::array<Dying, kWatched> dying_;
  std::size_t dying_count_ = 0;
  std::chrono::nanoseconds pause_{0};  // between two looks at them; grows
  Deadline next_look_ = Deadline::never();
};

}  // namespace kith::internal
