// PosixShm: memory under a name of shm_open, shared with any program that uses POSIX shared memory.
//
//   auto frame = PosixShm::create("/camera", 640 * 480);
//   auto other = PosixShm::open("camera", Access::read_only);  // the same: the slash may be left
//   out PosixShm::remove("/camera");
//
// States       see memory.hpp. The name stays until somebody removes it or the machine restarts;
//              systemd's RemoveIPC removes a user's names at logout.
// Callers      see memory.hpp; create, open and remove: any thread.
// A peer dies  see memory.hpp. Where /dev/shm has no unnamed files (no tmpfs), a killed creator may
//              leave a file .new-memory-... there; never a half-made memory under the name.
// Cost         see memory.hpp.
//
// All names lie in one folder of the machine, open to every user: a name may be taken by a
// stranger. Use Region in a domain of your own where nobody but kith needs the name.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "kith/memory/internal/mapped_bytes.hpp"
#include "kith/memory/memory.hpp"

namespace kith {

class PosixShm : public internal::MappedBytes {
 public:
  using Name = std::string;

  PosixShm() noexcept = default;

  [[nodiscard]] static PosixShm create(const std::string& name, std::uint64_t size);
  [[nodiscard]] static PosixShm open(const std::string& name, Access access);
  static void remove(const std::string& name);

  // With its leading slash, as `shm_open` wants it.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] os::Descriptor descriptor() const;

 private:
  PosixShm(internal::MappedBytes bytes, std::string name) noexcept
      : MappedBytes(std::move(bytes)), name_(std::move(name)) {}

  std::string name_;
};

static_assert(NamedMemory<PosixShm> && DescriptorMemory<PosixShm>);

}  // namespace kith
