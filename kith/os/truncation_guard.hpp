// What to do when memory that is mapped loses its pages: somebody who may write the file cut it
// short, or its file system is full when a hole is touched. The kernel then sends SIGBUS, which
// ends the process. With the guard, the lost page reads as zeros from then on, for this process
// alone, and whoever asks is told; a SIGBUS of any other cause goes to the handler that was there
// before.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kith/os/mapping.hpp"

namespace kith::os {

// Installs the guard, once; it stays. A program that sets a handler for SIGBUS of its own does so
// before, or hands on what is not its own, as the guard does.
void guard_truncation() noexcept;

// What the signal handler knows of one mapping.
struct MappingNote {
  std::atomic<std::uintptr_t> begin{0};  // 0: of none
  std::atomic<std::size_t> size{0};
  std::atomic<bool> lost{false};
};

// Makes a mapping known to the guard, whether it is installed yet or not, as long as this lives.
// One that could not be noted for want of memory ends the process when it loses pages.
class GuardedPages {
 public:
  GuardedPages() noexcept = default;
  explicit GuardedPages(const Mapping& mapping) noexcept;
  GuardedPages(GuardedPages&& other) noexcept : note_(std::exchange(other.note_, nullptr)) {}
  GuardedPages& operator=(GuardedPages&& other) noexcept {
    if (this != &other) {
      end();
      note_ = std::exchange(other.note_, nullptr);
    }
    return *this;
  }
  ~GuardedPages() { end(); }

  // Before the mapping goes.
  void end() noexcept;
  // Pages were lost, and zeros stand in their place. relaxed: a flag of this process; whoever
  // touched such a page before asking is told, because the handler ran in between.
  [[nodiscard]] bool lost() const noexcept { return flag().load(std::memory_order_relaxed); }
  // The same to be kept by hot paths, as long as this lives.
  [[nodiscard]] const std::atomic<bool>& flag() const noexcept {
    return note_ != nullptr ? note_->lost : kNothingLost;
  }

 private:
  static inline const std::atomic<bool> kNothingLost{false};

  MappingNote* note_ = nullptr;
};

}  // namespace kith::os
