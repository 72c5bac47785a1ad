// A thread whose end the kernel announces: by a bit in a word of shared memory, and by waking one
// who sleeps on it. When its process is killed, that comes before its memory is torn down.
//
// By the robust list of futexes (Linux, set_robust_list(2)), with the list's node in private memory
// and only the word it names in shared memory: nobody else's bytes are followed as a pointer. Such
// a list belongs to one thread, and glibc keeps its own in all others.
#pragma once

#include <cstdint>
#include <memory>

#include "kith/base/atomics.hpp"
#include "kith/os/outcome.hpp"

namespace kith::os {

// The word says so once its thread is gone. Zero: there was none.
[[nodiscard]] bool says_dead(std::uint32_t word) noexcept;

class LastWord {
 public:
  // What the thread does until it is told to end. Signals that others send are blocked in it.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void run() = 0;
  };

  // Starts the thread. The word stays mapped until take_back().
  static Outcome<LastWord> give(RealAtomics::Word<std::uint32_t>& word, std::shared_ptr<Work> work);

  LastWord() noexcept = default;
  // The thread may run on, and says nothing when it ends. The word is zero again.
  void take_back() noexcept;
  // In a forked child: there is no such thread.
  void forget() noexcept { list_ = nullptr; }

  struct List;

 private:
  List* list_ = nullptr;  // the kernel and the thread know it; never freed before both are done
  RealAtomics::Word<std::uint32_t>* word_ = nullptr;
};

}  // namespace kith::os
