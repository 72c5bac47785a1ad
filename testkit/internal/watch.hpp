// Watch: tells whether bytes that others can see have changed since it last looked.
//
// It reads files, it does not map them: a mapping would give pages to their holes, and so change
// what the books of a subject count. Holes are skipped; of large files only the first bytes count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "testkit/step_killer.hpp"

namespace kith::testkit::internal {

class Watch {
 public:
  explicit Watch(const Subject& subject);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Looks, and answers whether anything differs from the last look. Files come and go in system
  // calls only, so the folders are read again only after one.
  bool changed(bool after_a_call);
  // Whether some bytes were too many to be watched.
  bool overflowed() const { return overflowed_; }

 private:
  struct File {
    std::filesystem::path path;
    std::uint64_t inode = 0;
    int descriptor = -1;
  };

  void find_files();
  void add_file(const std::filesystem::path& path);
  void close_files();
  void read_file(const File& file);
  void append(const void* bytes, std::size_t size);

  const Subject& subject_;
  std::vector<File> files_;
  std::vector<std::byte> now_;
  std::vector<std::byte> before_;
  bool overflowed_ = false;
};

}  // namespace kith::testkit::internal
