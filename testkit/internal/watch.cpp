#include "testkit/internal/watch.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace kith::testkit::internal {
namespace {

// Looking costs about 0.1 us a KiB, at each of some ten thousand instructions.
constexpr std::size_t kMostOfOneFile = std::size_t{1} << 18;
constexpr std::size_t kMostOfAll = std::size_t{1} << 20;

}  // namespace

Watch::Watch(const Subject& subject) : subject_(subject) {
  (void)changed(true);
}

Watch::~Watch() {
  close_files();
}

void Watch::close_files() {
  for (const File& file : files_) ::close(file.descriptor);
  files_.clear();
}

void Watch::add_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return;
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(descriptor);
    return;
  }
  files_.push_back({path, facts.st_ino, descriptor});
}

void Watch::find_files() {
  namespace fs = std::filesystem;
  close_files();
  for (const fs::path& path : subject_.watched) {
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
      add_file(path);
      continue;
    }
    std::vector<fs::path> found;
    fs::recursive_directory_iterator entry(path, failed);
    while (!failed && entry != fs::recursive_directory_iterator()) {
      found.push_back(entry->path());
      entry.increment(failed);
    }
    std::sort(found.begin(), found.end());
    for (const fs::path& file : found) add_file(file);
  }
}

void Watch::append(const void* bytes, std::size_t size) {
  const std::size_t room = kMostOfAll - std::min(kMostOfAll, now_.size());
  if (size > room) overflowed_ = true;
  const auto* first = static_cast<const std::byte*>(bytes);
  now_.insert(now_.end(), first, first + std::min(size, room));
}

void Watch::read_file(const File& file) {
  append(&file.inode, sizeof file.inode);
  std::byte buffer[4096];
  std::size_t taken = 0;
  off_t at = ::lseek(file.descriptor, 0, SEEK_DATA);
  while (at >= 0) {
    const off_t end = ::lseek(file.descriptor, at, SEEK_HOLE);
    append(&at, sizeof at);
    while (at < end) {
      const auto wanted = std::min<off_t>(end - at, static_cast<off_t>(sizeof buffer));
      const ssize_t size = ::pread(file.descriptor, buffer, static_cast<std::size_t>(wanted), at);
      if (size <= 0) return;
      append(buffer, static_cast<std::size_t>(size));
      at += size;
      taken += static_cast<std::size_t>(size);
      if (taken >= kMostOfOneFile) {
        overflowed_ = true;
        return;
      }
    }
    at = ::lseek(file.descriptor, end, SEEK_DATA);
  }
}

bool Watch::changed(bool after_a_call) {
  now_.clear();
  if (after_a_call) find_files();
  for (const File& file : files_) {
    const std::string name = file.path.string();
    append(name.data(), name.size());
    read_file(file);
  }
  for (const std::span<const std::byte>& bytes : subject_.watched_memory) {
    append(bytes.data(), bytes.size());
  }
  const bool differs = now_ != before_;
  std::swap(now_, before_);
  return differs;
}

}  // namespace kith::testkit::internal
