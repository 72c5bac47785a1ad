// A pool of huge pages for one test, and mounts of them: asked of the machine, and given back.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <string>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kith/os/huge_pages.hpp"

#include "tests/support/refusal.hpp"

namespace kith::tests {

// Adds `pages` of the machine's usual size to its pool until the end. Tests that do so run one
// after the other, by a lock on a file, which also keeps the number to restore in case one is
// killed.
class HugePool {
 public:
  explicit HugePool(std::uint64_t pages) {
    page_size_ = os::default_huge_page_size();
    if (page_size_ == 0) {
      refusal_ = "this kernel knows no huge pages";
      return;
    }
    lock_ = ::open(kLockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0 || ::flock(lock_, LOCK_EX) != 0) std::abort();
    before_ = interrupted_test_left().value_or(size());
    remember(std::to_string(before_));
    set(before_ + pages);
    if (size() < before_ + pages) {
      refusal_ = "the pool of huge pages cannot be enlarged to " + std::to_string(before_ + pages) +
                 ": run as root, on a machine whose memory is not too fragmented";
      restore();
    }
  }
  HugePool(const HugePool&) = delete;
  HugePool& operator=(const HugePool&) = delete;
  ~HugePool() {
    restore();
    if (lock_ >= 0) ::close(lock_);
  }

  // Why there is no pool; empty if there is.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] std::uint64_t page_size() const { return page_size_; }
  [[nodiscard]] std::uint64_t free_pages() const {
    return os::huge_pool(page_size_).value.free_pages;
  }
  // For tests that want it empty, or of another size.
  void set(std::uint64_t pages) const {
    std::ofstream(os::huge_pool_file(page_size_)) << pages << std::endl;
  }
  [[nodiscard]] std::uint64_t size() const { return os::huge_pool(page_size_).value.pages; }

 private:
  static constexpr const char* kLockFile = "/var/tmp/kith-test-huge-pool";

  [[nodiscard]] std::optional<std::uint64_t> interrupted_test_left() const {
    std::uint64_t number = 0;
    if (std::ifstream(kLockFile) >> number) return number;
    return std::nullopt;
  }
  void remember(const std::string& text) const {
    if (::ftruncate(lock_, 0) != 0 ||
        ::pwrite(lock_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
      std::abort();
    }
  }
  void restore() {
    if (lock_ < 0 || restored_) return;
    set(before_);
    remember("");
    restored_ = true;
  }

  std::uint64_t page_size_ = 0;
  std::uint64_t before_ = 0;
  int lock_ = -1;
  bool restored_ = false;
  std::string refusal_;
};

// Mounts huge pages at the directory, visible to this process alone. Why not, if that is refused.
inline std::string mount_huge_pages(const std::string& directory, const std::string& options = "") {
  static const std::string refusal = enter_own_mounts();
  if (!refusal.empty()) return refusal;
  if (::mount("none", directory.c_str(), "hugetlbfs", 0, options.c_str()) == 0) return "";
  return std::string("mounting huge pages was refused: ") + std::strerror(errno);
}

}  // namespace kith::tests
