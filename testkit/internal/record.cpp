#include "testkit/internal/record.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <unordered_map>

#include "testkit/internal/marks.hpp"
#include "testkit/internal/nursery.hpp"

namespace kith::testkit::internal {
namespace {

constexpr std::size_t kMostSteps = 4'000'000;

enum class Kind { plain, system_call, repeats };

// Only what decides about kill points is decoded: `syscall`, and `rep` before a string instruction.
Kind kind_of(const std::array<std::uint8_t, 16>& code) {
  if (code[0] == 0x0f && code[1] == 0x05) return Kind::system_call;
  bool repeated = false;
  std::size_t at = 0;
  for (; at < 8; ++at) {
    const std::uint8_t byte = code[at];
    if (byte == 0xf2 || byte == 0xf3) {
      repeated = true;
    } else if (byte != 0x66 && byte != 0x67 && (byte & 0xf0) != 0x40) {
      break;
    }
  }
  const std::uint8_t operation = code[at];
  const bool is_string =
      (operation >= 0xa4 && operation <= 0xa7) || (operation >= 0xaa && operation <= 0xaf);
  return repeated && is_string ? Kind::repeats : Kind::plain;
}

class Decoder {
 public:
  explicit Decoder(const Tracee& victim) : victim_(victim) {}

  Kind kind_at(std::uint64_t address) {
    const auto known = kinds_.find(address);
    if (known != kinds_.end()) return known->second;
    return kinds_[address] = kind_of(bytes_at(address));
  }

 private:
  // Reads whole words at their own addresses: such a word never reaches into a missing page.
  std::array<std::uint8_t, 16> bytes_at(std::uint64_t address) const {
    std::array<std::uint8_t, 16> code{};
    for (std::size_t i = 0; i < code.size(); ++i) {
      const std::uint64_t at = address + i;
      const std::uint64_t word = victim_.peek(at & ~std::uint64_t{7}).value_or(0);
      code[i] = static_cast<std::uint8_t>(word >> (8 * (at & 7)));
    }
    return code;
  }

  const Tracee& victim_;
  std::unordered_map<std::uint64_t, Kind> kinds_;
};

std::string ended_by_itself(const Tracee& victim) {
  return "the operation did not reach its end: the victim " + how_it_ended(victim.ending());
}

// Finishes a call that did not return soon: it is a kill point of its own. Notes the sleep.
Tracee::Stop wait_in_call(Tracee& victim, const Subject& subject, Step& step) {
  step.slept = true;
  return victim.wait_on(subject.sleeps_at_most);
}

}  // namespace

Record record_operation(Tracee& victim, Watch& watch, const Subject& subject) {
  Record record;
  Decoder decoder(victim);
  Tracee::Stop stop = victim.step();  // the call that enters the operation, which is not part of it
  while (stop == Tracee::Stop::trapped) {
    const user_regs_struct registers = victim.registers();
    if (registers.rip == end_mark()) break;
    if (record.steps.size() == kMostSteps) {
      record.broken = "the operation has more than " + std::to_string(kMostSteps) +
                      " instructions; give it less to do";
      return record;
    }
    const Kind kind = decoder.kind_at(registers.rip);
    Step step;
    step.address = registers.rip;
    step.repeats = kind == Kind::repeats;
    if (kind == Kind::system_call) {
      step.call = static_cast<std::int32_t>(registers.rax);
      stop = victim.step(subject.asleep_after);
      if (stop == Tracee::Stop::asleep) stop = wait_in_call(victim, subject, step);
    } else {
      stop = victim.step();
    }
    record.sleeps_for_ever = stop == Tracee::Stop::asleep;
    step.changed = watch.changed(step.call >= 0);
    record.steps.push_back(step);
  }
  if (stop == Tracee::Stop::ended) record.broken = ended_by_itself(victim);
  record.overflowed = watch.overflowed();
  return record;
}

std::vector<KillPoint> choose_kill_points(const Record& record, const Plan& plan,
                                          std::uint64_t& skipped) {
  std::vector<KillPoint> chosen;
  std::vector<KillPoint> others;
  const std::uint64_t last = record.last_kill_point();
  for (std::uint64_t after = 0; after <= last; ++after) {
    const bool at_an_end = after == 0 || after == last;
    const Step* done = after > 0 ? &record.steps[after - 1] : nullptr;
    const bool tells = at_an_end || done->call >= 0 || done->changed;
    (plan.everywhere || tells ? chosen : others).push_back({after, false});
    if (after < record.steps.size() && record.steps[after].slept) chosen.push_back({after, true});
  }
  std::mt19937_64 random(plan.seed);
  std::shuffle(others.begin(), others.end(), random);
  const std::uint64_t all = chosen.size() + others.size();
  others.resize(std::min(others.size(), plan.sample));
  chosen.insert(chosen.end(), others.begin(), others.end());
  if (plan.most_kills != 0 && chosen.size() > plan.most_kills) {
    std::shuffle(chosen.begin(), chosen.end(), random);
    chosen.resize(plan.most_kills);
  }
  skipped = all - chosen.size();
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const KillPoint& a, const KillPoint& b) { return a.after < b.after; });
  // With a time budget the tail is cut off, so no part of the operation may be the tail.
  if (plan.budget.count() != 0) std::shuffle(chosen.begin(), chosen.end(), random);
  return chosen;
}

Routes::Routes(const Record& record) : routes_(record.last_kill_point() + 1) {
  // Costs in units of one step. Passing a breakpoint takes about two; so does a `rep`'s shortcut.
  std::unordered_map<std::uint64_t, std::uint64_t> visits;
  const std::vector<Step>& steps = record.steps;
  Route walk;  // the cheapest way that ends in the plain state, from which one can step on
  std::uint64_t walk_cost = 1;
  std::uint64_t round = 0;  // of the `rep` that the point stands in
  Route to_first_round;
  std::uint64_t to_first_round_cost = 0;
  for (std::uint64_t point = 0; point < routes_.size(); ++point) {
    if (point > 0) {
      ++walk.steps;
      ++walk_cost;
    }
    if (point == steps.size()) {  // the end itself has no address in the record
      routes_[point] = walk;
      break;
    }
    const std::uint64_t arrivals = ++visits[steps[point].address];
    if (2 * arrivals + 1 < walk_cost) {
      walk = {point, arrivals, 0, 0};
      walk_cost = 2 * arrivals + 1;
    }
    const bool goes_on =
        point > 0 && steps[point].repeats && steps[point].address == steps[point - 1].address;
    round = goes_on ? round + 1 : 0;
    if (!goes_on) {
      to_first_round = walk;
      to_first_round_cost = walk_cost;
    }
    routes_[point] = walk;
    if (round > 0 && to_first_round_cost + 3 < walk_cost) {
      routes_[point] = to_first_round;
      routes_[point].rounds = round;
    }
  }
}

}  // namespace kith::testkit::internal
