#include "testkit/internal/symbols.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <memory>
#include <sys/syscall.h>

namespace kith::testkit::internal {
namespace {

struct Call {
  long number;
  const char* name;
};

// Those that shared memory, locks and files are made of.
constexpr Call kCalls[] = {
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_open, "open"},
    {SYS_openat, "openat"},
    {SYS_close, "close"},
    {SYS_stat, "stat"},
    {SYS_fstat, "fstat"},
    {SYS_lstat, "lstat"},
    {SYS_newfstatat, "newfstatat"},
    {SYS_statx, "statx"},
    {SYS_lseek, "lseek"},
    {SYS_mmap, "mmap"},
    {SYS_mprotect, "mprotect"},
    {SYS_munmap, "munmap"},
    {SYS_mremap, "mremap"},
    {SYS_madvise, "madvise"},
    {SYS_msync, "msync"},
    {SYS_brk, "brk"},
    {SYS_rt_sigaction, "rt_sigaction"},
    {SYS_rt_sigprocmask, "rt_sigprocmask"},
    {SYS_rt_sigreturn, "rt_sigreturn"},
    {SYS_ioctl, "ioctl"},
    {SYS_pread64, "pread64"},
    {SYS_pwrite64, "pwrite64"},
    {SYS_access, "access"},
    {SYS_faccessat, "faccessat"},
    {SYS_pipe2, "pipe2"},
    {SYS_poll, "poll"},
    {SYS_sched_yield, "sched_yield"},
    {SYS_shmget, "shmget"},
    {SYS_shmat, "shmat"},
    {SYS_shmdt, "shmdt"},
    {SYS_shmctl, "shmctl"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_clock_gettime, "clock_gettime"},
    {SYS_getpid, "getpid"},
    {SYS_gettid, "gettid"},
    {SYS_getppid, "getppid"},
    {SYS_getuid, "getuid"},
    {SYS_geteuid, "geteuid"},
    {SYS_getgid, "getgid"},
    {SYS_getegid, "getegid"},
    {SYS_kill, "kill"},
    {SYS_tgkill, "tgkill"},
    {SYS_clone, "clone"},
    {SYS_clone3, "clone3"},
    {SYS_fork, "fork"},
    {SYS_vfork, "vfork"},
    {SYS_wait4, "wait4"},
    {SYS_exit, "exit"},
    {SYS_exit_group, "exit_group"},
    {SYS_fcntl, "fcntl"},
    {SYS_flock, "flock"},
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_truncate, "truncate"},
    {SYS_ftruncate, "ftruncate"},
    {SYS_fallocate, "fallocate"},
    {SYS_getdents64, "getdents64"},
    {SYS_rename, "rename"},
    {SYS_renameat2, "renameat2"},
    {SYS_mkdir, "mkdir"},
    {SYS_mkdirat, "mkdirat"},
    {SYS_rmdir, "rmdir"},
    {SYS_link, "link"},
    {SYS_linkat, "linkat"},
    {SYS_unlink, "unlink"},
    {SYS_unlinkat, "unlinkat"},
    {SYS_readlink, "readlink"},
    {SYS_readlinkat, "readlinkat"},
    {SYS_chmod, "chmod"},
    {SYS_fchmod, "fchmod"},
    {SYS_umask, "umask"},
    {SYS_prctl, "prctl"},
    {SYS_futex, "futex"},
    {SYS_futex_waitv, "futex_waitv"},
    {SYS_set_robust_list, "set_robust_list"},
    {SYS_memfd_create, "memfd_create"},
    {SYS_getrandom, "getrandom"},
    {SYS_membarrier, "membarrier"},
    {SYS_pidfd_open, "pidfd_open"},
    {SYS_statfs, "statfs"},
    {SYS_fstatfs, "fstatfs"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_socket, "socket"},
    {SYS_connect, "connect"},
};

std::string in_hex(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string without_mangling(const char* symbol) {
  int failed = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(symbol, nullptr, nullptr, &failed), std::free);
  return failed == 0 && name ? name.get() : symbol;
}

}  // namespace

std::string name_of_address(std::uint64_t address) {
  Dl_info facts{};
  if (::dladdr(reinterpret_cast<void*>(address), &facts) == 0 || facts.dli_fname == nullptr) {
    return in_hex(address);
  }
  const char* slash = std::strrchr(facts.dli_fname, '/');
  const std::string module = slash != nullptr ? slash + 1 : facts.dli_fname;
  const std::string place =
      module + "+" + in_hex(address - reinterpret_cast<std::uint64_t>(facts.dli_fbase));
  if (facts.dli_sname == nullptr) return place;
  const std::uint64_t offset = address - reinterpret_cast<std::uint64_t>(facts.dli_saddr);
  return without_mangling(facts.dli_sname) + "+" + in_hex(offset) + " (" + place + ")";
}

std::string name_of_call(std::int32_t number) {
  for (const Call& call : kCalls) {
    if (call.number == number) return std::string(call.name) + " (" + std::to_string(number) + ")";
  }
  return "system call " + std::to_string(number);
}

}  // namespace kith::testkit::internal
