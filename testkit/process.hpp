// Process kit: the roles of a test as real processes, and words between them and the test.
//
//   Process writer = Process::fork("writer", [](Mouth& mouth) -> std::string {
//     Store store("/dev/shm/demo");
//     mouth.say("ready");
//     mouth.await("go", within(5s));
//     return store.put(7) ? "" : "the store is full";
//   });
//   EXPECT_EQ(writer.expect("ready", within(5s)), "");
//   writer.tell("go");
//   EXPECT_EQ(writer.finish(within(5s)).text(), "");
//
// A role makes no assertions: it returns "" or what went wrong, and the test asserts on that after
// the role has ended. An exception in a role counts as what went wrong.
//
// States       running --stop()--> stopped --resume()--> running; either ends by finish(), kill().
// Callers      one thread at a time. All processes die with the thread that started them.
// A peer dies  the words it said before can still be read; finish() tells how it died.
// Cost         fork: about 0.3 ms; a program: about 1 ms. No thread, no timer.
//
// Not for: more words than a pipe holds (64 KiB) while the other side does not listen.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace kith::testkit {

using TimePoint = std::chrono::steady_clock::time_point;

inline TimePoint within(std::chrono::nanoseconds time) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
}

namespace internal {

// A pair of descriptors that speaks in lines; closes them at its end.
class Line {
 public:
  Line() = default;
  Line(int in, int out) : in_(in), out_(out) {}
  ~Line();
  Line(Line&& other) noexcept;
  Line& operator=(Line&& other) noexcept;

  bool say(std::string_view word);                   // false: nobody listens any more
  std::optional<std::string> hear(TimePoint until);  // nothing: too late, or the other side is gone
  bool closed() const { return closed_; }            // the other side is gone and all was heard

 private:
  int in_ = -1;
  int out_ = -1;
  bool closed_ = false;
  std::string heard_;
};

}  // namespace internal

// The role's side of the conversation. Words are lines of text.
class Mouth {
 public:
  // For a program that was started with Process::start(): its standard input and output.
  static Mouth of_program();

  explicit Mouth(internal::Line line) : line_(std::move(line)) {}

  void say(std::string_view word) { (void)line_.say(word); }
  std::optional<std::string> hear(TimePoint until) { return line_.hear(until); }
  // Throws std::runtime_error if the next word is another one, or does not come in time.
  void await(std::string_view word, TimePoint until);

 private:
  friend class Process;
  internal::Line line_;
};

// How a process ended.
struct Ending {
  enum class How { exited, signalled, hung };
  How how = How::exited;
  int status = 0;         // exit status, or the signal
  std::string complaint;  // what the role returned or threw
  std::string name;       // of the process

  bool fine() const { return how == How::exited && status == 0 && complaint.empty(); }
  // "" if fine; else a sentence that names the process.
  std::string text() const;
};

class Process {
 public:
  // Returns "" or what went wrong.
  using Role = std::function<std::string(Mouth&)>;

  struct Program {
    std::string path;                          // looked up in PATH if it holds no slash
    std::vector<std::string> arguments;        // without the program's own name
    std::map<std::string, std::string> extra;  // added to the environment
  };

  // A child of this very program. Its memory is a copy of ours.
  static Process fork(std::string name, Role role);
  // A program: words go to its standard input and come from its standard output.
  static Process start(std::string name, Program program);
  // This program again, from its main(), which must call play(): for roles that have to be mapped
  // at other addresses than ours.
  static Process again(std::string name, std::string role, std::vector<std::string> arguments = {});

  // Kills what still runs, and waits until it is gone.
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  bool running() { return !gone(); }

  // The next word, or nothing if none came in time or the process said its last.
  std::optional<std::string> next_word(TimePoint until) { return line_.hear(until); }
  // "" if the next word is this one, else a sentence that says what came instead.
  std::string expect(std::string_view word, TimePoint until);
  // False if it no longer listens.
  bool tell(std::string_view word) { return line_.say(word); }

  // Returns when it is stopped indeed; false if it ended first.
  bool stop();
  void resume();
  // Kills it and returns when it is gone with everything it held.
  Ending kill();
  // The watchdog: waits for the end, kills what has not ended by then and reports it as hung.
  // Reads all remaining words; those of a role's verdict become the complaint.
  Ending finish(TimePoint until);

 private:
  Process(std::string name, pid_t pid, internal::Line line)
      : name_(std::move(name)), pid_(pid), line_(std::move(line)) {}

  bool gone();
  void take(int wait_status);
  void listen_to_the_end();
  bool hear_verdict(const std::string& word);

  std::string name_;
  pid_t pid_ = -1;
  bool gone_ = false;
  Ending ending_;
  internal::Line line_;
};

// Ends all of them within one deadline; "" if every one was fine, else one sentence for each that
// was not.
std::string verdict(std::span<Process> crew, TimePoint until);

// For Process::again(): roles by name, and the lines of main() that play the one that is asked for.
//
//   int main(int count, char** arguments) {
//     if (auto status = testkit::play(count, arguments, {{"reader", read_forever}})) return
//     *status;
//     ...
using ProgramRole = std::function<std::string(Mouth&, std::span<const std::string> arguments)>;
std::optional<int> play(int count, char** arguments,
                        const std::map<std::string, ProgramRole>& roles);

}  // namespace kith::testkit
