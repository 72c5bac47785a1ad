// Memory: bytes mapped into several processes, nothing more. A concept with one type per kind:
//
//   PosixShm    posix_shm.hpp     a name as shm_open knows it
//   FileMemory  file_memory.hpp   a path on any file system
//   HugeFile    huge_file.hpp     a path on a mount of huge pages (hugetlbfs)
//   SysvShm     sysv_shm.hpp      a System V key or id
//   Memfd       memfd.hpp         no name; handed over as a descriptor, its size can be sealed;
//                                 of huge pages if so wanted
//
//   auto frame = PosixShm::create("/camera", 640 * 480);     // one process
//   auto seen = PosixShm::open("/camera", Access::read_only);  // another
//   std::span<const std::byte> pixels = seen.bytes();
//
// MemorySocket (memory_socket.hpp) hands a memory to another process; advise_huge_pages()
// (huge_pages.hpp) asks for large pages under any of them. docs/memory_kinds.md compares them.
//
// States       open; moved from (no bytes). A created memory has all its bytes, zeroed and
//              allocated, before anybody can see it, so a full file system or pool is an error at
//              creation and never a signal at the first touch (SysvShm: zeroed and of its size, the
//              pages come just after). Its size is fixed: for opening what others made, the size is
//              that of the moment of opening. Removing takes the name away: whoever is attached
//              keeps the bytes until it closes.
// Callers      the handle: one thread at a time, as any value. The bytes: nobody is kept out; what
//              several processes write needs atomics or locks of the caller's.
// A peer dies  its handle is closed by the kernel; the bytes stay as it left them, half-written
//              ones too. A creator killed half-way leaves no memory under the name. A forked child
//              inherits the bytes.
// Cost         creating: about 10 system calls, and the kernel's zeroing (0.1 ms per MiB); opening:
//              6 system calls. An open memory costs no descriptor, a Memfd one.
//
// There is no header: memory does not know what it holds, and opens what other software made. So it
// cannot see another type or version, nor that a foreign creator has not finished writing. Use
// Region where both sides are yours.
//
// Limits: who may write to the file may also truncate it, and then touching the lost pages ends the
// process with SIGBUS; a process that called guard_truncation() (kith/region/truncation.hpp) reads
// zeros there, and has_lost_pages() says so. Safe from that are a Memfd whose size is sealed, and a
// SysvShm, whose size nobody can change.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kith/base/error.hpp"
#include "kith/os/file.hpp"

namespace kith {

using Access = os::Access;  // read_only, read_write

// Name              what it is created by: a name, a path, a key; a Memfd's is a label for people.
// bytes()           all bytes; empty when moved from.
// writable_bytes()  the same bytes; empty if the memory was opened read_only, so that a forbidden
//                   write is an empty span and not a SIGSEGV.
// create()          exclusively, readable and writable by this user alone (mode 0600). Throws
//                   already_exists, no_space, invalid_name, invalid_argument (zero or an impossible
//                   size), permission_denied, ...
template <class T>
concept Memory = std::movable<T> && !std::copyable<T> && std::default_initializable<T> &&
                 requires(const T& memory, const typename T::Name& name, std::uint64_t size) {
  { memory.bytes() }
  noexcept->std::same_as<std::span<const std::byte>>;
  { memory.writable_bytes() }
  noexcept->std::same_as<std::span<std::byte>>;
  { memory.size() }
  noexcept->std::same_as<std::uint64_t>;
  { memory.is_writable() }
  noexcept->std::same_as<bool>;
  { T::create(name, size) } -> std::same_as<T>;
};

// descriptor()      a descriptor of the memory with the rights it was opened with, for the caller
//                   to keep, pass on, or change the mode through. A named memory opens its name
//                   anew: Errc::orphaned if the name is gone or stands for another memory by now.
// A SysvShm has none.
template <class T>
concept DescriptorMemory = Memory<T> && requires(const T& memory) {
  { memory.descriptor() } -> std::same_as<os::Descriptor>;
};

// open()    throws not_found, permission_denied, damaged (no bytes: its creator has not given it a
//           size yet, or never will), not_ours (a directory, a symbolic link, a pipe or a device
//           stands there), limit_reached (descriptors, address space).
// remove()  takes the name away; throws not_found, permission_denied, not_ours.
template <class T>
concept NamedMemory = Memory<T> && requires(const T& memory, const typename T::Name& name) {
  { memory.name() }
  noexcept->std::same_as<const typename T::Name&>;
  { T::open(name, Access::read_only) } -> std::same_as<T>;
  { T::remove(name) } -> std::same_as<void>;
};

}  // namespace kith
