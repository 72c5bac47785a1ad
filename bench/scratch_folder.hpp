// ScratchFolder: an empty folder in /dev/shm that is gone at the end, however the end comes.
//
//   const ScratchFolder folder;
//   const Domain domain = Domain::at(folder.path());
//
// A keeper, which is a process of its own, makes the folder and removes it once nobody holds the
// other end of its pipe any more: neither who made it nor a child that was forked since.
//
// Callers      one thread.
// A peer dies  who made it: the folder goes, with whatever is in it. The keeper: it stays.
// Cost         a process that sleeps, and a descriptor.
#pragma once

#include <string>
#include <sys/types.h>

namespace kith::bench {

class ScratchFolder {
 public:
  ScratchFolder();  // throws std::runtime_error
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  pid_t keeper_ = -1;
  int lifeline_ = -1;
};

}  // namespace kith::bench
