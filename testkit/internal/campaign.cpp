#include "testkit/internal/campaign.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>

#include "testkit/internal/marks.hpp"
#include "testkit/internal/nursery.hpp"
#include "testkit/internal/record.hpp"
#include "testkit/internal/symbols.hpp"
#include "testkit/internal/tracee.hpp"
#include "testkit/internal/watch.hpp"

namespace kith::testkit::internal {
namespace {

using Clock = std::chrono::steady_clock;

// What the first role that was not content said.
struct Complaint {
  Failure::Kind kind = Failure::Kind::wrong;
  std::string who;
  std::string text;
};

// Where a victim was killed, compared with where it should have been.
enum class Reached {
  there,      // at the recorded instruction
  elsewhere,  // at another one, or at the end: killed there all the same
  missed,     // ran past the kill point without meeting the breakpoint
  died,       // ended by itself
};

std::optional<Complaint> complaint_of(Part part, const Answer& answer) {
  if (answer.in_time && answer.text.empty()) return std::nullopt;
  Complaint complaint{Failure::Kind::wrong, name_of(part), answer.text};
  if (!answer.in_time) complaint.kind = Failure::Kind::hang;
  if (answer.in_time && answer.text.starts_with("leak:")) complaint.kind = Failure::Kind::leaked;
  return complaint;
}

class Campaign {
 public:
  Campaign(const Subject& subject, const Plan& plan)
      : subject_(subject), plan_(plan), nursery_(subject) {}

  Report run();

 private:
  std::optional<Complaint> make_world();
  void end_world();
  std::optional<Complaint> stand_at_begin_mark(Tracee& victim, pid_t pid);
  Complaint died_by_itself(const Tracee& victim, pid_t pid);

  bool record();
  void note_what_was_recorded();
  std::optional<Complaint> try_point(const KillPoint& point);
  std::optional<Complaint> kill_at(const KillPoint& point, bool by_stepping, Reached& reached);
  Reached go_to(Tracee& victim, const KillPoint& point, const Route& route);
  Reached go_to_anchor(Tracee& victim, const Route& route);
  Reached run_rounds(Tracee& victim, std::uint64_t point, std::uint64_t rounds);
  Reached fall_asleep(Tracee& victim);
  void note_divergence(const KillPoint& point, Reached reached);
  void note_failure(const KillPoint& point, const Complaint& complaint);
  std::string place_of(const KillPoint& point) const;

  const Subject& subject_;
  const Plan& plan_;
  Nursery nursery_;
  Record record_;
  std::optional<Routes> routes_;
  pid_t bystander_ = -1;
  Report report_;
};

std::optional<Complaint> Campaign::make_world() {
  auto complaint = complaint_of(Part::prepare, nursery_.run(Part::prepare, subject_.patience));
  if (complaint || !subject_.bystander) return complaint;
  bystander_ = nursery_.start(Part::bystander);
  return complaint_of(Part::bystander, nursery_.wait_until_it_spoke(bystander_, subject_.patience));
}

void Campaign::end_world() {
  if (bystander_ > 0) nursery_.end(bystander_);
  bystander_ = -1;
  const auto complaint =
      complaint_of(Part::clean_up, nursery_.run(Part::clean_up, subject_.patience));
  if (complaint && report_.broken.empty()) report_.broken = "clean_up: " + complaint->text;
}

Complaint Campaign::died_by_itself(const Tracee& victim, pid_t pid) {
  const std::string words = nursery_.last_words(pid);
  std::string text = "the victim " + how_it_ended(victim.ending()) + " before it was killed";
  if (!words.empty()) text += "; it said: " + words;
  return {Failure::Kind::wrong, name_of(Part::victim), text};
}

std::optional<Complaint> Campaign::stand_at_begin_mark(Tracee& victim, pid_t pid) {
  nursery_.open_gate();
  const Tracee::Stop stop = victim.wait_on(subject_.patience);
  if (stop == Tracee::Stop::ended) return died_by_itself(victim, pid);
  if (stop == Tracee::Stop::asleep) {
    return Complaint{Failure::Kind::hang, name_of(Part::victim), "before() did not return"};
  }
  if (victim.registers().rip == begin_mark()) return std::nullopt;
  return Complaint{Failure::Kind::wrong, name_of(Part::victim), "before() hit a trap of its own"};
}

bool Campaign::record() {
  std::optional<Complaint> complaint = make_world();
  if (!complaint) {
    const pid_t pid = nursery_.start(Part::victim);
    {
      Tracee victim(pid);
      complaint = stand_at_begin_mark(victim, pid);
      if (!complaint) {
        Watch watch(subject_);
        record_ = record_operation(victim, watch, subject_);
        report_.broken = record_.broken;
      }
      victim.kill();
    }
    const std::string words = nursery_.last_words(pid);
    if (!report_.broken.empty() && !words.empty()) report_.broken += "; it said: " + words;
    nursery_.end(pid);
  }
  if (complaint) report_.broken = complaint->who + ": " + complaint->text;
  end_world();
  return report_.broken.empty();
}

void Campaign::note_what_was_recorded() {
  report_.instructions = record_.last_kill_point();
  for (const Step& step : record_.steps) {
    report_.calls += step.call >= 0 ? 1 : 0;
    report_.changes += step.changed ? 1 : 0;
  }
  if (record_.sleeps_for_ever) {
    report_.note = "the operation sleeps for ever in " + name_of_call(record_.steps.back().call) +
                   "; it was recorded up to there";
  }
  if (record_.overflowed) {
    report_.note += std::string(report_.note.empty() ? "" : "; ") +
                    "not all watched bytes were watched: there are too many";
  }
}

std::string Campaign::place_of(const KillPoint& point) const {
  if (point.after >= record_.steps.size()) return "the operation's end";
  const Step& next = record_.steps[point.after];
  std::string place = name_of_address(next.address);
  if (next.call >= 0) place = name_of_call(next.call) + ", " + place;
  if (point.inside_call || point.after == 0) return place;
  const Step& last = record_.steps[point.after - 1];
  if (last.call >= 0) place += ", after " + name_of_call(last.call);
  return place;
}

Reached Campaign::go_to_anchor(Tracee& victim, const Route& route) {
  if (!victim.set_breakpoint(record_.steps[route.anchor].address)) return Reached::missed;
  Tracee::Stop stop = victim.run_on(subject_.patience);
  for (std::uint64_t arrival = 1; stop == Tracee::Stop::trapped; ++arrival) {
    if (!victim.at_breakpoint()) return Reached::missed;
    if (arrival == route.arrivals) {
      victim.remove_breakpoint();
      return Reached::there;
    }
    stop = victim.pass_breakpoint(subject_.patience);
    if (stop != Tracee::Stop::trapped || victim.registers().rip == end_mark()) break;
    stop = victim.run_on(subject_.patience);
  }
  return stop == Tracee::Stop::ended ? Reached::died : Reached::missed;
}

// The victim is about to die, so its registers do not matter: a shorter count does exactly the
// memory accesses of the first rounds, and the instruction after the `rep` is where they are done.
Reached Campaign::run_rounds(Tracee& victim, std::uint64_t point, std::uint64_t rounds) {
  user_regs_struct registers = victim.registers();
  const std::uint64_t repeating = record_.steps[point].address;
  if (registers.rip != repeating) return Reached::elsewhere;
  std::uint64_t next = point;
  while (next < record_.steps.size() && record_.steps[next].address == repeating) ++next;
  const std::uint64_t address =
      next < record_.steps.size() ? record_.steps[next].address : end_mark();
  registers.rcx = rounds;
  victim.set_registers(registers);
  if (!victim.set_breakpoint(address)) return Reached::missed;
  const Tracee::Stop stop = victim.run_on(subject_.patience);
  if (stop == Tracee::Stop::ended) return Reached::died;
  return stop == Tracee::Stop::trapped && victim.at_breakpoint() ? Reached::there
                                                                 : Reached::elsewhere;
}

Reached Campaign::fall_asleep(Tracee& victim) {
  switch (victim.step(subject_.asleep_after)) {
    case Tracee::Stop::ended:
      return Reached::died;
    case Tracee::Stop::trapped:
      return Reached::elsewhere;
    case Tracee::Stop::asleep:
      break;
  }
  return Reached::there;
}

Reached Campaign::go_to(Tracee& victim, const KillPoint& point, const Route& route) {
  if (route.arrivals > 0) {
    const Reached reached = go_to_anchor(victim, route);
    if (reached != Reached::there) return reached;
  } else if (victim.step() == Tracee::Stop::ended) {  // the call that enters the operation
    return Reached::died;
  }
  const std::chrono::milliseconds longest = subject_.asleep_after + subject_.sleeps_at_most;
  for (std::uint64_t i = 0; i < route.steps; ++i) {
    if (victim.registers().rip == end_mark()) return Reached::elsewhere;
    const Tracee::Stop stop = victim.step(longest);
    if (stop == Tracee::Stop::ended) return Reached::died;
    if (stop == Tracee::Stop::asleep) return Reached::elsewhere;
  }
  if (route.rounds > 0) return run_rounds(victim, point.after, route.rounds);
  const std::uint64_t wanted =
      point.after < record_.steps.size() ? record_.steps[point.after].address : end_mark();
  if (victim.registers().rip != wanted) return Reached::elsewhere;
  return point.inside_call ? fall_asleep(victim) : Reached::there;
}

std::optional<Complaint> Campaign::kill_at(const KillPoint& point, bool by_stepping,
                                           Reached& reached) {
  if (auto complaint = make_world()) return complaint;
  const pid_t pid = nursery_.start(Part::victim);
  std::optional<Complaint> complaint;
  {
    Tracee victim(pid);
    complaint = stand_at_begin_mark(victim, pid);
    if (!complaint) {
      const Route plain{0, 0, point.after, 0};
      reached = go_to(victim, point, by_stepping ? plain : routes_->to(point.after));
      if (reached == Reached::died) complaint = died_by_itself(victim, pid);
    }
    victim.kill();
  }
  nursery_.end(pid);
  return complaint;
}

std::optional<Complaint> Campaign::try_point(const KillPoint& point) {
  Reached reached = Reached::there;
  std::optional<Complaint> complaint = kill_at(point, false, reached);
  if (!complaint && reached == Reached::missed) {
    note_divergence(point, reached);
    end_world();
    Reached again = Reached::there;
    complaint = kill_at(point, true, again);
  } else if (!complaint && reached == Reached::elsewhere) {
    note_divergence(point, reached);
  }
  for (Part part : {Part::survivor, Part::restart, Part::balance}) {
    if (!complaint) complaint = complaint_of(part, nursery_.run(part, subject_.patience));
  }
  end_world();
  return complaint;
}

void Campaign::note_divergence(const KillPoint& point, Reached reached) {
  ++report_.diverged;
  if (report_.divergences.size() >= Report::kMostFailuresKept) return;
  const std::string what = reached == Reached::missed
                               ? "ran past its breakpoint, was stepped there instead"
                               : "was killed at another instruction than the recorded one";
  report_.divergences.push_back("kill point " + std::to_string(point.after) + " at " +
                                place_of(point) + ": " + what);
}

void Campaign::note_failure(const KillPoint& point, const Complaint& complaint) {
  switch (complaint.kind) {
    case Failure::Kind::hang:
      ++report_.hangs;
      break;
    case Failure::Kind::leaked:
      ++report_.leaked;
      break;
    case Failure::Kind::wrong:
      ++report_.wrong;
      break;
  }
  report_.failures.push_back({complaint.kind, point.after, point.inside_call, place_of(point),
                              complaint.who, complaint.text});
  std::stable_sort(report_.failures.begin(), report_.failures.end(),
                   [](const Failure& a, const Failure& b) { return a.kill_point < b.kill_point; });
  if (report_.failures.size() > Report::kMostFailuresKept) report_.failures.pop_back();
}

Report Campaign::run() {
  const Clock::time_point begin = Clock::now();
  report_.subject = subject_.name;
  const bool recorded = record();
  note_what_was_recorded();
  if (recorded) {
    routes_.emplace(record_);
    // The recording apart: on a busy machine it alone would use the time up, and nothing be killed.
    const Clock::time_point first_kill = Clock::now();
    const std::vector<KillPoint> points = choose_kill_points(record_, plan_, report_.skipped);
    for (std::size_t i = 0; i < points.size() && report_.broken.empty(); ++i) {
      const bool enough = plan_.most_failures != 0 && report_.failed() >= plan_.most_failures;
      const bool late = plan_.budget.count() != 0 && Clock::now() - first_kill >= plan_.budget;
      if (enough || late) {
        report_.skipped += points.size() - i;
        break;
      }
      if (const auto complaint = try_point(points[i])) note_failure(points[i], *complaint);
      ++report_.kills;
    }
  }
  report_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return report_;
}

}  // namespace

Report run_campaign(const Subject& subject, const Plan& plan) {
  Campaign campaign(subject, plan);
  // After the nursery was forked, so that the roles do not inherit it: waits with a time limit take
  // the signal that a child's change raises, instead of polling.
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  return campaign.run();
}

}  // namespace kith::testkit::internal
