#include "tests/explore/barrier_world.hpp"

#include <algorithm>
#include <string>

namespace kith::explored {

using internal::BarrierCore;
using internal::BarrierSeat;
using testkit::explore::require;

BarrierWorld::BarrierWorld(const BarrierSetting& setting)
    : WaitsWorld(setting.slices, setting.doubts), setting_(setting) {
  called(&words_.phase, "phase");
  called(&words_.announced, "announced");
  for (std::uint32_t i = 0; i < setting.parties; ++i) {
    called(&seats_.at(i).party, "seat " + std::to_string(i));
    called(&seats_.at(i).arrived, "arrived on seat " + std::to_string(i));
  }
  for (auto& work : work_) called(&work, "work");
  for (std::uint32_t i = 0; i < setting.parties; ++i) {
    // As docs/memory_map.md has it of one who left.
    if (setting.used) seats_.at(i).party.store(std::uint64_t{1} << 31, std::memory_order_seq_cst);
    const Work anew = [this, i] { come_back(i); };
    Work first = anew;
    if (setting.seated) {
      const std::uint64_t me = born_before(i);
      seats_.at(i).party.store(me, std::memory_order_seq_cst);
      first = [this, i, me] { live(i, i, me); };
    }
    process("party " + std::to_string(i), first, setting.returns ? anew : Work());
  }
  for (std::uint32_t i = 0; i < setting.reapers; ++i) {
    const Work work = [this] { reap(); };
    process("reaper " + std::to_string(i), work, work);
  }
}

BarrierCore BarrierWorld::core() {
  return {words_, std::span(seats_).first(setting_.parties), patience(setting_.spins)};
}

void BarrierWorld::come_back(std::uint32_t party) {
  const std::uint64_t me = born(party);
  const std::size_t seat = core().sit_down(me, *this);
  // Its own of before is free, if no other is.
  require(seat != BarrierCore::kNoSeat, "no seat, and one is dead");
  live(party, seat, me);
}

void BarrierWorld::live(std::uint32_t party, std::size_t seat, std::uint64_t me) {
  const bool early = setting_.leaves && party == 0;
  for (std::uint32_t turn = 0; turn < (early ? 1 : setting_.phases); ++turn) {
    const std::uint64_t phase = core().phase();
    if (phase >= setting_.phases) break;
    take_part(party, seat, phase);
  }
  core().leave(seat, me);
}

void BarrierWorld::take_part(std::uint32_t party, std::size_t seat, std::uint64_t phase) {
  if (phase > 0) see(party, phase - 1);
  work_.at(party * kPhasesMax + phase).write(phase + 1);
  require(phase >= passed_, "arrives in a phase that others have passed");
  arrived_.at(party) |= 1u << phase;
  core().arrive(seat, phase);
  const LockAnswer answer = core().wait(phase, *this, Deadline::never());
  require(holds(answer), "an answer that nobody expects");
  passed(party, phase, answer == LockAnswer::owner_died);
}

bool BarrierWorld::is_lost(const BarrierSeat& seat, std::uint64_t phase) const {
  const std::uint64_t word = seat.party.peek();
  return internal::has_owner(word) && !lives(internal::owner_of(word)) &&
         seat.arrived.peek() < phase + 1;
}

void BarrierWorld::passed(std::uint32_t party, std::uint64_t phase, bool told) {
  passed_ = std::max(passed_, phase + 1);
  std::optional<bool>& others = told_.at(phase);
  require(!others || *others == told, "not all are told the same");
  others = told;
  require(!told || somebody_died_, "told of a death that was none");
  for (std::uint32_t i = 0; i < setting_.parties; ++i) {
    require(told || !is_lost(seats_.at(i), phase), "not told that one was lost");
    require(!setting_.used || (arrived_.at(i) & 1u << phase) != 0, "passed before all had come");
  }
  see(party, phase);
}

void BarrierWorld::see(std::uint32_t party, std::uint64_t phase) {
  for (std::uint32_t i = 0; i < setting_.parties; ++i) {
    if (i == party || (arrived_.at(i) & 1u << phase) == 0) continue;
    require(work_.at(i * kPhasesMax + phase).read() == phase + 1, "passed too early");
  }
}

void BarrierWorld::reap() {
  for (std::uint32_t i = 0; i < setting_.parties; ++i) {
    const std::uint64_t owner = dead(i);
    // As a reaper does, which asks the kernel first.
    if (owner == 0 || liveness(internal::owner_of(owner)) != Liveness::dead) continue;
    core().abandon(owner);
    for (const BarrierSeat& seat : seats_) {
      require(seat.party.peek() != owner, "reaped, and still there");
    }
  }
}

void BarrierWorld::died(std::size_t process) {
  WaitsWorld::died(process);
  if (process >= setting_.parties) return;
  arrived_.at(process) = 0;
  somebody_died_ = true;
}

void BarrierWorld::ghost(const std::function<void(std::uint64_t)>& note) const {
  WaitsWorld::ghost(note);
  for (const std::uint32_t arrived : arrived_) note(arrived);
  note(passed_);
  for (const auto& told : told_) note(told ? *told + 1 : 0);
  note(somebody_died_);
}

}  // namespace kith::explored
