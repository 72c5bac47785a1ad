// A directory, and with it a domain, of its own for one test, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "kith/os/file.hpp"
#include "kith/region/domain.hpp"

namespace kith::tests {

class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::string& where = "/dev/shm")
      : path_(where + "/kith-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string in(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] os::Descriptor open() const { return std::move(os::open_directory(path_).value); }
  [[nodiscard]] Domain domain(DomainOptions options = {}) const {
    return Domain::at(path_, options);
  }
  [[nodiscard]] bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

}  // namespace kith::tests
