// Nursery: a process that does nothing but fork the roles of a subject, so that each of them starts
// from the very same memory: same addresses, same heap. That is what keeps a record of one victim
// valid for all others. It belongs to one tracing process and dies with it.
#pragma once

#include <chrono>
#include <string>
#include <sys/types.h>

#include "testkit/step_killer.hpp"

namespace kith::testkit::internal {

enum class Part : int { prepare, bystander, victim, survivor, restart, balance, clean_up };

const char* name_of(Part part);

// How a role went.
struct Answer {
  bool in_time = true;
  std::string text;  // its own words, or how it died; "" if all is well
};

class Nursery {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit Nursery(const Subject& subject);
  ~Nursery();
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  // Runs one part to its end, or until its time is up; then it is killed. Nothing is started, and
  // all is well, if the subject has no such part.
  Answer run(Part part, Milliseconds patience);

  // A part that stays: the bystander (returns when it has done its work) and the victim (waits at
  // its gate until open_gate()).
  pid_t start(Part part);
  Answer wait_until_it_spoke(pid_t pid, Milliseconds patience);
  void open_gate();

  // Kills it if it lives, and returns its wait status when nothing of it is left.
  int end(pid_t pid);
  // What the process said, if it did; never waits.
  std::string last_words(pid_t pid);

 private:
  bool has(Part part) const;
  [[noreturn]] void serve();
  [[noreturn]] void play(Part part);
  int ask(char what, int value);

  const Subject& subject_;
  int orders_[2] = {-1, -1};  // socket pair: tracer, nursery
  int words_[2] = {-1, -1};   // socket pair: tracer, every role
  int gate_[2] = {-1, -1};    // pipe that the victim reads one byte from
  pid_t pid_ = -1;
};

// "exited with status 3", "was ended by signal 11 (Segmentation fault)".
std::string how_it_ended(int wait_status);

}  // namespace kith::testkit::internal
