#include "bench/system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kith::bench {
namespace {

// What stands in an argument.
enum class Kind { number, descriptor, address, path, flock, thrown_away };

struct Known {
  long number;
  const char* name;
  std::array<Kind, 6> kinds;
  bool gives_descriptor = false;
  bool gives_address = false;
};

constexpr Kind kNumber = Kind::number;
constexpr std::array<Known, 14> kKnown = {{
    {SYS_openat, "openat", {Kind::descriptor, Kind::path}, true},
    {SYS_newfstatat, "newfstatat", {Kind::descriptor, Kind::path, Kind::thrown_away}},
    {SYS_fstat, "fstat", {Kind::descriptor, Kind::thrown_away}},
    {SYS_pread64, "pread64", {Kind::descriptor, Kind::thrown_away}},
    {SYS_fcntl, "fcntl", {Kind::descriptor, kNumber, Kind::flock}},
    {SYS_mmap,
     "mmap",
     {kNumber, kNumber, kNumber, kNumber, Kind::descriptor, kNumber},
     false,
     true},
    {SYS_mprotect, "mprotect", {Kind::address}},
    {SYS_madvise, "madvise", {Kind::address}},
    {SYS_munmap, "munmap", {Kind::address}},
    {SYS_close, "close", {Kind::descriptor}},
    {SYS_geteuid, "geteuid", {}},
    {SYS_getegid, "getegid", {}},
    {SYS_getgroups, "getgroups", {kNumber, Kind::thrown_away}},
    {SYS_fstatfs, "fstatfs", {Kind::descriptor, Kind::thrown_away}},
}};

const Known* known(long number) {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(),
                                  [number](const Known& one) { return one.number == number; });
  return found == kKnown.end() ? nullptr : &*found;
}

// A call that no operation makes, to mark where one begins and ends.
constexpr std::uint64_t kMark = 0x6b697468;
void mark() {
  ::syscall(SYS_getpriority, kMark, kMark);
}
bool is_mark(const SystemCall& call) {
  return call.number == SYS_getpriority && call.arguments[0] == kMark;
}

[[noreturn]] void traced(const std::function<TwoSteps()>& make, int warm) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 1;
  try {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
    ::raise(SIGSTOP);
    const auto [first, second] = make();
    for (int i = 0; i < warm; ++i) first(), second();
    mark();
    first();
    mark();
    second();
    mark();
    status = 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kith_bench: a traced operation: %s\n", error.what());
  }
  ::_exit(status);
}

std::vector<std::byte> bytes_of(pid_t process, std::uint64_t address, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const iovec here{bytes.data(), size};
  const iovec there{reinterpret_cast<void*>(address), size};
  if (::process_vm_readv(process, &here, 1, &there, 1, 0) < 0) bytes.clear();
  return bytes;
}

// A path may end just before the end of its page.
std::vector<std::byte> path_of(pid_t process, std::uint64_t address) {
  std::vector<std::byte> path;
  while (path.size() < 4096) {
    auto piece = bytes_of(process, address + path.size(), 1);
    if (piece.empty()) break;
    path.push_back(piece.front());
    if (piece.front() == std::byte{0}) break;
  }
  return path;
}

void copy_what_is_pointed_to(pid_t process, SystemCall& call) {
  const Known* one = known(call.number);
  if (one == nullptr) return;
  for (std::size_t i = 0; i < 6; ++i) {
    if (one->kinds[i] == Kind::path) call.bytes[i] = path_of(process, call.arguments[i]);
    const bool lock = one->kinds[i] == Kind::flock &&
                      (call.arguments[1] == F_OFD_SETLK || call.arguments[1] == F_OFD_GETLK);
    if (lock) call.bytes[i] = bytes_of(process, call.arguments[i], sizeof(struct flock));
  }
}

// All calls of a stopped child until it ends.
std::vector<SystemCall> follow(pid_t child) {
  std::vector<SystemCall> calls;
  int status = 0;
  ::waitpid(child, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  while (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0 &&
         ::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      SystemCall& call = calls.emplace_back();
      call.number = static_cast<long>(info.entry.nr);
      std::copy(info.entry.args, info.entry.args + 6, call.arguments.begin());
      copy_what_is_pointed_to(child, call);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && !calls.empty()) {
      calls.back().result = static_cast<long>(info.exit.rval);
    }
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(WIFEXITED(status) && WEXITSTATUS(status) == 2
                                 ? "this process may not trace its child"
                                 : "the traced operation failed");
  }
  return calls;
}

}  // namespace

std::string name_of(const SystemCall& call) {
  const Known* one = known(call.number);
  return one == nullptr ? "system call " + std::to_string(call.number) : one->name;
}

CallsOfTwoSteps record_system_calls(const std::function<TwoSteps()>& make, int warm) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) traced(make, warm);
  const std::vector<SystemCall> all = follow(child);
  std::array<std::vector<SystemCall>, 4> parts;  // before, first, second, after
  std::size_t part = 0;
  for (const SystemCall& call : all) {
    if (is_mark(call)) {
      part = std::min<std::size_t>(part + 1, 3);
    } else {
      parts[part].push_back(call);
    }
  }
  if (part != 3) throw std::runtime_error("the traced operation did not come to its end");
  return {std::move(parts[1]), std::move(parts[2])};
}

BareSequence::BareSequence(std::vector<SystemCall> calls) {
  for (std::size_t i = 0; i < descriptors_.size(); ++i) descriptors_[i] = static_cast<long>(i);
  for (SystemCall& call : calls) {
    const Known* one = known(call.number);
    if (one == nullptr) throw std::runtime_error(name_of(call) + " cannot be issued again yet");
    Prepared prepared;
    for (int i = 0; i < 6; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (one->kinds[at] == Kind::descriptor) prepared.descriptor_at = i;
      if (one->kinds[at] == Kind::address) prepared.address_at = i;
      if (one->kinds[at] == Kind::flock && !call.bytes[at].empty()) prepared.lock_at = i;
      if (one->kinds[at] == Kind::thrown_away) {
        call.arguments[at] = reinterpret_cast<std::uint64_t>(thrown_away_.data());
      }
    }
    prepared.gives_descriptor = one->gives_descriptor;
    prepared.gives_address = one->gives_address;
    prepared.call = std::move(call);
    calls_.push_back(std::move(prepared));
  }
  for (Prepared& prepared : calls_) {  // their place is final now
    for (std::size_t i = 0; i < 6; ++i) {
      if (prepared.call.bytes[i].empty()) continue;
      prepared.call.arguments[i] = reinterpret_cast<std::uint64_t>(prepared.call.bytes[i].data());
    }
  }
}

void BareSequence::continue_after(const BareSequence& before) noexcept {
  descriptors_ = before.descriptors_;
  recorded_address_ = before.recorded_address_;
  mapped_ = before.mapped_;
  mapped_size_ = before.mapped_size_;
}

void BareSequence::issue() noexcept {
  same_results_ = true;
  for (const Prepared& one : calls_) {
    auto arguments = one.call.arguments;
    if (one.descriptor_at >= 0) {
      auto& argument = arguments[static_cast<std::size_t>(one.descriptor_at)];
      if (argument < descriptors_.size()) {
        argument = static_cast<std::uint64_t>(descriptors_[argument]);
      }
    }
    if (one.address_at >= 0 && mapped_ != nullptr) {
      auto& argument = arguments[static_cast<std::size_t>(one.address_at)];
      argument += reinterpret_cast<std::uint64_t>(mapped_) - recorded_address_;
    }
    struct flock lock;
    if (one.lock_at >= 0) {  // the kernel writes its answer there
      const auto at = static_cast<std::size_t>(one.lock_at);
      std::memcpy(&lock, one.call.bytes[at].data(), sizeof lock);
      arguments[at] = reinterpret_cast<std::uint64_t>(&lock);
    }
    long result = ::syscall(one.call.number, arguments[0], arguments[1], arguments[2], arguments[3],
                            arguments[4], arguments[5]);
    if (result == -1) result = -errno;
    if (one.gives_descriptor && one.call.result >= 0 && result >= 0) {
      descriptors_[static_cast<std::size_t>(one.call.result) % descriptors_.size()] = result;
    } else if (one.gives_address) {
      recorded_address_ = static_cast<std::uint64_t>(one.call.result);
      mapped_ = reinterpret_cast<std::byte*>(result);
      mapped_size_ = arguments[1];
    } else if (result != one.call.result) {
      same_results_ = false;
    }
  }
}

}  // namespace kith::bench
