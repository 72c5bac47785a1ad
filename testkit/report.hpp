// Report: what the step killer saw of one subject, as a struct, as a table for people and as JSON.
//
//   std::vector<Report> reports = {kill_every_step(write), kill_every_step(read)};
//   std::cout << table(reports);
//   std::ofstream("proof.json") << json_rows(reports);
//
// States       a value; nothing behind it.
// Callers      anyone.
// A peer dies  that is what it counts.
// Cost         a few strings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kith::testkit {

// One kill after which something was not as it must be.
struct Failure {
  enum class Kind { hang, wrong, leaked };
  Kind kind = Kind::wrong;
  std::uint64_t kill_point = 0;  // instructions of the operation that had been executed
  bool inside_call = false;      // killed asleep in the system call that is the next instruction
  std::string where;             // the next instruction, as "function+0x12 (program+0x3456)"
  std::string who;               // the role that found it: survivor, restart, balance ...
  std::string text;
};

struct Report {
  std::string subject;
  std::uint64_t instructions = 0;  // of the operation, as recorded once; a `rep` counts each round
  std::uint64_t calls = 0;         // how many of them are system calls
  std::uint64_t changes = 0;       // how many of them changed watched bytes
  std::uint64_t kills = 0;         // trials that were carried out
  std::uint64_t hangs = 0;         // trials by their first failure: a role did not return in time,
  std::uint64_t wrong = 0;         // said something else was wrong, or died itself,
  std::uint64_t leaked = 0;        // or said "leak: ..."
  std::uint64_t skipped = 0;       // kill points that were left out
  std::uint64_t diverged = 0;     // trials in which the victim left the recorded path; not failures
  std::vector<Failure> failures;  // the earliest kill points first; at most kMostFailuresKept
  std::vector<std::string> divergences;  // at most kMostFailuresKept
  std::string broken;                    // why nothing, or not everything, could be tried
  std::string note;                      // worth knowing, not a failure: "blocks in futex ..."
  double seconds = 0;

  static constexpr std::size_t kMostFailuresKept = 20;

  std::uint64_t failed() const { return hangs + wrong + leaked; }
  // False also when nothing was tried: a proof that looked at nothing has proved nothing.
  bool fine() const { return broken.empty() && failed() == 0 && kills > 0; }
};

// "kill point 17 (hang) at put+0x1f (demo+0x12cf): survivor did not return within 5000 ms"
std::string to_string(const Failure& failure);

// One line per report, then the first failure of each that has one.
std::string table(std::span<const Report> reports);

// {"proof":"step","subject":...,"tried":...,"failed":...,"detail":"..."} on one line.
std::string json_row(const Report& report);
// All rows as one JSON array.
std::string json_rows(std::span<const Report> reports);

}  // namespace kith::testkit
