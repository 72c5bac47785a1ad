// The kernel of a model: files that live by names, opens and mappings; locks on their bytes that
// die with their open; sleep on a word; time. What a process holds goes when it is killed, in the
// same instant.
//
//   struct Mesh : World {
//     Kernel kernel;
//     Mesh() {
//       kernel.make_directory("/d");
//       process("first", [this] {
//         const auto file = kernel.create_unnamed(kernel.open_directory("/d").value);
//         ...
//
// Each call is one step that no death divides, and a point at which others may go on. Answers have
// errno, as the calls they stand for. Modelled: openat, O_TMPFILE, linkat, unlinkat, mkdir, rmdir,
// fstat, ftruncate, pread, pwrite, mmap, F_OFD_SETLK and _GETLK on single bytes, futexes (several
// at once: in as many steps), nanosleep, fork, MADV_DONTFORK, a monotonic clock that moves only
// while everybody waits.
//
// Left out     users and rights (all are one user), links that are followed, the order in which a
//              disk sees things, memory that runs out.
// States       the names, opens and locks are part of the model's state; of the bytes of files only
//              the shared words and what was written by write().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "testkit/explore/explore.hpp"

namespace kith::testkit::explore {

template <class T>
struct Answer {
  T value{};
  int error = 0;
};

struct FileFacts {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint32_t mode = 0;
  std::uint32_t links = 0;
  bool is_directory = false;
};

class Kernel {
 public:
  Kernel();
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // Calls in the model's constructor are made as this process from here on: what it opens there is
  // its own, and goes with it.
  void set_up_as(std::size_t process);

  // ---- files; paths and names are compared, never followed
  int make_directory(const std::string& path, std::uint32_t mode = 0700);
  int remove_directory(const std::string& path);
  Answer<int> open_directory(const std::string& path);
  Answer<int> open_at(int directory, const std::string& name);
  Answer<int> open_again(int descriptor);
  Answer<int> create_unnamed(int directory);
  int link(int descriptor, int directory, const std::string& name);
  int unlink(int directory, const std::string& name);
  int close(int descriptor);
  Answer<FileFacts> facts(int descriptor);
  Answer<FileFacts> facts_at(int directory, const std::string& name);
  Answer<FileFacts> facts_of_path(const std::string& path);
  Answer<std::vector<std::string>> names(int directory);
  int set_mode(int descriptor, std::uint32_t mode);
  int set_size(int descriptor, std::uint64_t size);  // at most 1 MiB
  Answer<std::uint64_t> read(int descriptor, void* to, std::uint64_t size, std::uint64_t offset);
  int write(int descriptor, const void* from, std::uint64_t size, std::uint64_t offset);
  Answer<std::byte*> map(int descriptor, std::uint64_t size);
  void unmap(const std::byte* address, std::uint64_t size);

  // ---- locks of an open on one byte of its file
  enum class Lock { shared, exclusive };
  // True if it was granted.
  Answer<bool> lock(int descriptor, std::uint64_t byte, Lock kind);
  int unlock(int descriptor, std::uint64_t byte);
  Answer<bool> locked_elsewhere(int descriptor, std::uint64_t byte, Lock kind);

  // ---- forks: another thread of the running process may fork so often in a run, between any two
  // calls. The child inherits the descriptors and mappings of that moment, and does nothing but
  // live: until end_children(), which is for the books.
  void let_fork(std::uint32_t times);
  // Nested, for the calling process; not `really` is for a mutant that leaves it out.
  void forbid_forks(bool really = true);
  void allow_forks();
  void close_in_children(int descriptor);
  void leave_to_children(int descriptor);  // again
  int keep_from_children(const std::byte* address, std::uint64_t size);
  void end_children();
  [[nodiscard]] bool has_children() const;

  // ---- sleep
  // Until woken, or at `until`, which comes when nobody else can do anything; 0: never. True if it
  // was woken for no reason (Bounds::spurious_wakes), as by a signal.
  bool wait(const void* word, std::uint32_t expected, std::int64_t until);
  // The same on several: others may go on between the looks at two of them. Each word may have a
  // wake for who sleeps, until it goes on: two that are woken one sleeper each can be one process.
  struct Expected {
    const void* word;
    std::uint32_t value;
  };
  static constexpr std::size_t kWordsMax = 4;
  bool wait_any(std::span<const Expected> words, std::int64_t until);
  void wake_all(const void* word);
  bool wake_one(const void* word);  // any of them: each is tried; false: nobody sleeps
  void add_one_and_wake_all(void* word);
  void pause_until(std::int64_t until);
  [[nodiscard]] std::int64_t now();

  // As if the process, as which the model was set up, were killed.
  void end_process(std::size_t process);

  // Different in every process, and in one that was restarted; the same in every run.
  [[nodiscard]] std::uint64_t process_number();
  // Which of all runs this is: what is left of an earlier one in static memory bears another.
  [[nodiscard]] std::uint64_t run_number() const;
  [[nodiscard]] std::uint64_t random_number();

  // ---- for the books: no calls, nobody goes on
  [[nodiscard]] std::vector<std::string> names_in(const std::string& path) const;
  struct File {
    std::uint64_t inode = 0;
    std::uint32_t mode = 0;
    const std::byte* bytes = nullptr;
  };
  // That the name stands for; all zero: none.
  [[nodiscard]] File file_at(const std::string& path, const std::string& name) const;
  [[nodiscard]] bool is_directory(const std::string& path) const;
  // Of the file or directory behind a descriptor; 0: there is none.
  [[nodiscard]] std::uint64_t number_of(int descriptor) const;
  [[nodiscard]] std::size_t locks_held() const;
  // Those but shared ones on `byte`.
  [[nodiscard]] std::size_t locks_held_but_shared(std::uint64_t byte) const;
  // Those that children hold by a descriptor.
  [[nodiscard]] std::size_t locks_in_children() const;
  // Descriptors and mappings of a process.
  [[nodiscard]] std::size_t held_by(std::size_t process) const;
  [[nodiscard]] std::size_t files() const;  // that have a name, an open or a mapping

  // The kernel of the model that is being built or run.
  static Kernel& current();
  [[nodiscard]] static bool is_there() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kith::testkit::explore
